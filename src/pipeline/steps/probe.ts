import { open } from 'node:fs/promises';
import { AppError } from '../../errors.ts';
import { checkFileSize, probeHeader } from '../../imaging/header.ts';
import type { Context } from '../context.ts';

/** Expects a path; guarantees `bytes` (no more than the limit was read) and `header`. */
export async function probe(context: Context): Promise<void> {
  const file = await open(context.task.source).catch((cause) => {
    throw new AppError('PROCESS_ERROR', 'The source picture cannot be read.', { cause });
  });
  try {
    checkFileSize((await file.stat()).size, context.task.limits);
    context.bytes = await file.readFile();
  } finally {
    await file.close();
  }
  context.header = probeHeader(context.bytes);
}
