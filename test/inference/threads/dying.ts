/** A lane that ends at the first thing it is asked. */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', () => process.exit(3));
