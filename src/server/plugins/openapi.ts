import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { hoistSchemas } from './hoist-schemas.ts';

const DESCRIPTION = `Image-quality restoration on your own machines.

* **v2** is the modern surface: forms, raw bytes or JSON in; pictures or JSON out; jobs with progress.
* **v1** is wire-compatible with the cloud interface \`POST /v1/aiquality\` and its family.

Keys are made with \`mingxi keys create --name NAME\`.`;

/** Nothing from elsewhere; the documentation page styles its parts inline. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/** Collects the schemas of all routes registered after it: `/openapi.json` (3.1) and, offline, `/docs`. */
export async function describeApi(server: FastifyInstance, version: string): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Mingxi 明晰', version, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/' }],
      tags: [
        { name: 'v2', description: 'Modern surface' },
        { name: 'v1', description: 'Compatible interface family' },
        { name: 'gateway', description: 'Signed gateway of the family' },
        { name: 'operations', description: 'Health and metrics' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'KEY.SECRET' },
          key: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
          secret: { type: 'apiKey', in: 'header', name: 'X-Api-Secret' },
        },
      },
    },
  });
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    transformStaticCSP: () => CSP,
    transformSpecification: (document) => hoistSchemas(document),
    transformSpecificationClone: false,
    // Without the bar that asks for other documents: there is one.
    uiConfig: { layout: 'BaseLayout', docExpansion: 'list', displayRequestDuration: true, defaultModelsExpandDepth: 0 },
    theme: { title: 'Mingxi 明晰 · API' },
  });
  server.get('/openapi.json', { schema: { hide: true }, config: { quiet: true } }, async () => hoistSchemas(server.swagger()));
}
