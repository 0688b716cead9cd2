import type { RestoreReport } from '../../pipeline/report.ts';
import type { AnswerKind } from './parameter.ts';

/** Version the documented interface names in its answers. */
export const WIRE_VERSION = '1.0.1';

/** One restored picture as the answer carries it. */
export interface AnswerEntry {
  /** Bare base64, or an absolute link. */
  readonly data: string;
  readonly report?: RestoreReport | undefined;
}

/**
 * The success body. It never has a member `ErrorCode`, `code` or `error_code`: clients take the
 * mere presence of one for a failure.
 */
export function successBody(entries: readonly AnswerEntry[], answer: AnswerKind) {
  return {
    media_info_list: entries.map(({ data, report }) => ({
      media_data: data,
      media_profiles: { media_data_type: answer },
      ...(report ? { media_extra: { report } } : {}),
    })),
    parameter: { rsp_media_type: answer, version: WIRE_VERSION },
  };
}
