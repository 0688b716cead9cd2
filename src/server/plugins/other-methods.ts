import type { FastifyInstance, HTTPMethods } from 'fastify';
import { AppError } from '../../errors.ts';

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Answers every other method on a path with 405 and what is allowed, instead of "no such path". */
export function refuseOtherMethods(server: FastifyInstance, url: string, allowed: readonly HTTPMethods[]): void {
  const names = allowed.join(', ');
  server.route({
    method: METHODS.filter((method) => !allowed.includes(method)),
    url,
    schema: { hide: true } as object,
    handler: async (request, reply) => {
      reply.header('Allow', `${names}, OPTIONS`);
      throw new AppError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; allowed is ${names}.`);
    },
  });
}
