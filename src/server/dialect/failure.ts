import type { AppError } from '../../errors.ts';

/** The family's failure body, with a sentence for people. */
export function failureBody(error: AppError, requestId: string) {
  return {
    ErrorCode: error.spec.code,
    ErrorMsg: error.kind,
    Data: null,
    message: error.message,
    request_id: requestId,
  };
}

/** The family's answer to an unknown path; its shape differs from every other failure. */
export const NO_ROUTE = { error_code: 1000404, message: 'no route found' } as const;
