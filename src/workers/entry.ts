/** The program a child process runs: the product's pipeline behind the pool's messages. */
import { createPipeline } from '../pipeline/index.ts';
import { serveTasks } from './child-loop.ts';

await serveTasks(async (settings) => {
  const pipeline = createPipeline(settings);
  await pipeline.warmUp();
  return pipeline;
});
