import { RESTORE_EXAMPLES, withExamples } from '../schemas/examples.ts';
import { Problem, V2Job, V2JsonRequest, V2Options } from '../schemas/v2.ts';

const BINARY = { type: 'string', format: 'binary' } as const;
const PICTURE = { schema: BINARY } as const;
const PROBLEM = { 'application/problem+json': { schema: Problem } } as const;

/** Either way of naming a key. */
export const SECURITY: readonly { readonly [scheme: string]: readonly string[] }[] = [{ bearer: [] }, { key: [], secret: [] }];

/** The failures every route of `/v2` can answer. */
export const PROBLEMS = {
  '4xx': { description: 'Refused; the code says why.', content: PROBLEM },
  '5xx': { description: 'Failed; see retryable.', content: PROBLEM },
} as const;

const FORM_FIELDS = Object.fromEntries(Object.entries(V2Options.properties).filter(([name]) => name !== 'facePoints'));

/** Describes `POST /v2/restore` for the OpenAPI document; the handler checks for itself, with better words. */
export const RESTORE_SCHEMA = {
  operationId: 'restore',
  summary: 'Restore a picture',
  description:
    'Send the picture as a form, as raw bytes with the options in the query, or as JSON. `Accept` chooses a picture (JPEG, PNG, WebP) or JSON about it; `Prefer: respond-async` a job at once, `Prefer: wait=N` a job after N seconds.',
  tags: ['v2'],
  security: SECURITY,
  querystring: { type: 'object', description: 'Options of a raw body.', properties: FORM_FIELDS },
  headers: {
    type: 'object',
    properties: {
      prefer: { type: 'string', description: 'RFC 7240: respond-async, wait=N.' },
      'idempotency-key': { type: 'string', maxLength: 255, description: 'The same key answers the same job for as long as it is kept.' },
    },
  },
  body: {
    content: {
      'multipart/form-data': { schema: { type: 'object', required: ['image'], properties: { image: BINARY, ...FORM_FIELDS } } },
      'application/json': { schema: withExamples(V2JsonRequest, RESTORE_EXAMPLES) },
      'image/*': PICTURE,
    },
  },
  response: {
    200: {
      description: 'The restored picture, or JSON about it.',
      content: { 'image/jpeg': PICTURE, 'image/png': PICTURE, 'image/webp': PICTURE, 'application/json': { schema: V2Job } },
    },
    202: { description: 'Accepted; `Location` is the job.', content: { 'application/json': { schema: V2Job } } },
    ...PROBLEMS,
  },
} as const;
