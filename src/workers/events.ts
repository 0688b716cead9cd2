/** What happens inside the pool, for logs and metrics. Details may hold paths: never for clients. */
export type PoolEvent =
  | { readonly type: 'child-ready'; readonly pid: number | undefined }
  | {
      readonly type: 'child-gone';
      readonly pid: number | undefined;
      /** `silent`: gave no sign of life. `killed`: deadline, abort or close. */
      readonly reason: 'recycled' | 'killed' | 'silent' | 'crashed' | 'not-started';
      readonly detail: string;
    }
  | {
      readonly type: 'task';
      readonly pid: number | undefined;
      readonly ok: boolean;
      /** Seconds in the queue, and in the child. */
      readonly waited: number;
      readonly seconds: number;
      /** Bytes resident in the child after the task, and at most so far. */
      readonly resident: number;
      readonly peak: number;
      /** What the pipeline said beyond its public message. */
      readonly detail?: string;
    };
