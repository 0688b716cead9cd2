import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';

/**
 * A value that the query must have, once and not empty.
 * @throws AppError PARAM_MISSING_ERROR, PARAM_TYPE_ERROR
 */
export function requiredQuery(request: FastifyRequest, name: string): string {
  const value = (request.query as Record<string, unknown>)[name];
  if (value === undefined || value === '') throw new AppError('PARAM_MISSING_ERROR', `${name} is missing or empty.`);
  if (typeof value !== 'string') throw new AppError('PARAM_TYPE_ERROR', `${name} is given more than once.`);
  return value;
}
