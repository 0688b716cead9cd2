import type { Source } from './api/client.ts';
import type { ApiError, Job, Settings } from './api/types.ts';

export type Status = 'waiting' | 'sending' | 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** One picture on its way: everything the page knows of it. */
export interface Picture {
  readonly id: number;
  readonly name: string;
  readonly source: Source;
  settings: Settings;
  status: Status;
  /** 0…1 of the upload while sending, of the tiles while running. */
  progress: number;
  /** Names this attempt to the server: an upload whose answer was lost is not restored twice. */
  attempt: string;
  /** Connections lost in a row, of this picture alone. */
  losses: number;
  jobId: string | null;
  job: Job | null;
  error: ApiError | null;
  /** The source file; for a link it comes from the server once the job knows it. */
  before: Blob | null;
  after: Blob | null;
  /** Object URL of a small picture for the strip. */
  thumbnail: string | null;
  strength: number;
  /** Faces (by index in the report) shown as in the source. */
  readonly keptFaces: Set<number>;
  abort: AbortController;
}

let next = 1;

/** A picture that has not been sent yet. */
export function newPicture(source: Source, settings: Settings): Picture {
  return {
    id: next++,
    name: source.kind === 'file' ? source.name : nameOfLink(source.url),
    source,
    settings,
    status: 'waiting',
    progress: 0,
    attempt: newAttempt(),
    losses: 0,
    jobId: null,
    job: null,
    error: null,
    before: source.kind === 'file' ? source.blob : null,
    after: null,
    thumbnail: null,
    strength: 1,
    keptFaces: new Set(),
    abort: new AbortController(),
  };
}

/** A random name for one attempt. */
export function newAttempt(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether work on it goes on. */
export function isActive(picture: Picture): boolean {
  return picture.status === 'waiting' || picture.status === 'sending' || picture.status === 'queued' || picture.status === 'running';
}

function nameOfLink(url: string): string {
  const last = decodeURIComponentSafe(new URL(url).pathname.split('/').pop() ?? '');
  return last === '' ? new URL(url).hostname : last;
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
