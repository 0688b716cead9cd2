import { fileSize } from '../words.ts';
import { readEvents } from './events.ts';
import type { Session } from './session.ts';
import { ApiError, fromProblem, type Job, type Problem, type Settings } from './types.ts';

export type Source =
  | { readonly kind: 'file'; readonly blob: Blob; readonly name: string }
  | { readonly kind: 'link'; readonly url: string };

/** The calls of /v2 this page makes. Every failure is an ApiError, or the signal's AbortError. */
export class Client {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Submits a picture; `onSent` gets the share of the upload that has left. The same attempt twice is one job. */
  submit(source: Source, settings: Settings, attempt: string, signal: AbortSignal, onSent: (share: number) => void): Promise<Job> {
    const { maxFileBytes } = this.#session.limits;
    if (source.kind === 'file' && source.blob.size > maxFileBytes) {
      // The server would refuse it in the middle of the upload, which looks like a lost connection.
      return Promise.reject(new ApiError(20015, `${fileSize(source.blob.size)} > ${fileSize(maxFileBytes)}`));
    }
    const options = { ...settings, strength: 1, format: 'same' };
    if (source.kind === 'link') {
      return this.#send(
        JSON.stringify({ image: { url: source.url }, options }),
        { 'content-type': 'application/json', 'idempotency-key': attempt },
        signal,
        onSent,
      );
    }
    const form = new FormData();
    for (const [name, value] of Object.entries(options)) form.append(name, String(value));
    form.append('image', source.blob, source.name);
    return this.#send(form, { 'idempotency-key': attempt }, signal, onSent);
  }

  /** Follows a job to its end, with progress; survives a broken event stream by asking again. */
  async follow(id: string, signal: AbortSignal, onProgress: (job: Job) => void): Promise<Job> {
    for (;;) {
      const response = await this.#fetch(`/v2/jobs/${id}/events`, { signal, headers: { accept: 'text/event-stream' } });
      if (response.body !== null) {
        for await (const { data } of readEvents(response.body)) {
          const job = JSON.parse(data) as Job;
          if (isFinal(job)) return this.job(id, signal);
          onProgress(job);
        }
      }
      const job = await this.job(id, signal);
      if (isFinal(job)) return job;
      onProgress(job);
      await pause(1000, signal);
    }
  }

  async job(id: string, signal?: AbortSignal): Promise<Job> {
    return (await (await this.#fetch(`/v2/jobs/${id}`, { signal: signal ?? null })).json()) as Job;
  }

  /** Cancels on the server: the computation stops there. */
  async cancel(id: string): Promise<void> {
    await this.#fetch(`/v2/jobs/${id}`, { method: 'DELETE' });
  }

  /** The bytes of a path of this server: a result, or the source of a link. */
  async blob(path: string, signal: AbortSignal): Promise<Blob> {
    return (await this.#fetch(path, { signal })).blob();
  }

  /** The same picture as a PNG, for a format the browser does not show; strength 0 restores nothing. */
  async asPng(blob: Blob, signal: AbortSignal): Promise<Blob> {
    const headers = { 'content-type': 'application/octet-stream', accept: 'image/png' };
    return (await this.#fetch('/v2/restore?strength=0&format=png', { method: 'POST', body: blob, headers, signal })).blob();
  }

  /** Names of the networks that can be asked for here: for whole pictures, which keep their size on this page. */
  async models(): Promise<readonly string[]> {
    const answer = (await (await this.#fetch('/v1/models', {})).json()) as {
      models?: readonly { name: string; task: string; scale: number }[];
    };
    return (answer.models ?? []).filter(({ task, scale }) => task === 'restore' && scale === 1).map(({ name }) => name);
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(path, { ...init, headers: { ...this.#session.headers(), ...init.headers } });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw new ApiError('network', String(error));
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => undefined)) as Problem | undefined;
    throw fromProblem(problem, Number(response.headers.get('retry-after')) || undefined);
  }

  // XMLHttpRequest because fetch does not tell how much of a body has left.
  #send(body: FormData | string, headers: Record<string, string>, signal: AbortSignal, onSent: (share: number) => void): Promise<Job> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('POST', '/v2/restore');
      request.responseType = 'json';
      const all = { accept: 'application/json', prefer: 'respond-async', ...headers, ...this.#session.headers() };
      for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => onSent(event.lengthComputable ? event.loaded / event.total : 0);
      request.onload = () => {
        if (request.status >= 200 && request.status < 300) resolve(request.response as Job);
        else
          reject(
            fromProblem((request.response as Problem | null) ?? undefined, Number(request.getResponseHeader('retry-after')) || undefined),
          );
      };
      request.onerror = () => reject(new ApiError('network', 'no answer'));
      request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
      signal.addEventListener('abort', () => request.abort(), { once: true });
      if (signal.aborted) reject(new DOMException('cancelled', 'AbortError'));
      else request.send(body);
    });
  }
}

/** Whether a job changes no more. */
export function isFinal(job: Job): boolean {
  return job.state !== 'queued' && job.state !== 'running';
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('cancelled', 'AbortError'));
    });
  });
}
