/** A child whose pipeline cannot be built, like one without its network. */
import { AppError } from '../../../src/errors.ts';
import { serveTasks } from '../../../src/workers/child-loop.ts';

await serveTasks(() => {
  throw new AppError('PROCESS_ERROR', 'The network general is not installed.');
});
