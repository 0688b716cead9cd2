import { randomUUID } from 'node:crypto';
import { jpeg, seededRandom } from '../support/pictures.ts';
import { pause } from '../support/until.ts';
import { Ledger } from './ledger.ts';

export interface LoadOptions {
  /** Base URLs of the processes that can be asked. */
  readonly urls: () => readonly string[];
  /** `api_key=…&api_secret=…` of asynchronous and of synchronous calls: each has an account of its own. */
  readonly jobsQuery: string;
  readonly callsQuery: string;
  /** Where callbacks go. */
  readonly callback: string;
  readonly seed: number;
}

/** Clients that submit, ask and call until they are stopped. */
export interface Load {
  readonly ledger: Ledger;
  /** Resolves when so many more jobs have been accepted than now. */
  accepted(more: number): Promise<void>;
  /** Resolves when so many more jobs have ended, as the clients were told, than now. */
  ended(more: number): Promise<void>;
  /** Sends no more. */
  stop(): Promise<void>;
  /** Asks until every accepted job has ended, then once more for each result. */
  settle(): Promise<void>;
}

/** Jobs whose end is not known, at most: enough to keep two workers busy, few enough to be done soon. */
const OPEN = 12;
/** A client gives up on an answer after this, ms. */
const PATIENCE = 40_000;
const SUBMITTERS = 2;

/** Small pictures, for what is tested is not the restoring; some are broken, so that jobs fail too. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const ledger = new Ledger();
  const random = seededRandom(options.seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const pictures = await Promise.all([64, 96, 128].map((side) => jpeg(side, side)));
  const broken = (pictures[1] as Buffer).subarray(0, 400);
  let isLoading = true;

  const send = (path: string, init: RequestInit, base = pick(options.urls())) =>
    fetch(`${base}${path}`, { ...init, signal: AbortSignal.timeout(PATIENCE) });
  /** The answer's body; anything but JSON is wrong. */
  const bodyOf = async (answer: Response): Promise<Record<string, unknown>> => {
    const text = await answer.text();
    try {
      return JSON.parse(text) as Record<string, unknown>;
    } catch {
      ledger.wrong(`an answer that is no JSON: ${answer.status} ${text.slice(0, 100)}`);
      return {};
    }
  };

  const submit = async () => {
    const list = Array.from({ length: random() < 0.2 ? 2 : 1 }, () => (random() < 0.1 ? broken : pick(pictures)));
    const body = {
      media_info_list: list.map((picture) => ({ media_data: picture.toString('base64') })),
      parameter: {},
      extra: { callback_url: options.callback },
    };
    const answer = await send(`/v1/aiquality_async?${options.jobsQuery}`, { method: 'POST', body: JSON.stringify(body) });
    const told = await bodyOf(answer);
    if (answer.status === 200) ledger.accept(String(told.msg_id), list.length, !list.includes(broken));
    else ledger.refusal(answer.status, told);
  };

  /** As a careful client does it: one name for the request, sent until it is answered, each time to any process. */
  const submitNamed = async () => {
    const name = randomUUID();
    for (let tries = 0; tries < 20; tries++) {
      const answer = await send(`/v2/restore?${options.jobsQuery}`, {
        method: 'POST',
        headers: { 'content-type': 'image/jpeg', prefer: 'respond-async', 'idempotency-key': name },
        body: pictures[0] as Buffer<ArrayBuffer>,
      }).catch(connectionOnly);
      const told = answer && (await bodyOf(answer).catch(connectionOnly));
      if (answer?.status === 202 && told) {
        const id = String(told.id);
        ledger.accept(id, 1, true);
        ledger.name(name, id);
        // Now and then the answer is taken for lost, and the request is sent again.
        if (random() < 0.7) return;
      } else if (answer && told) ledger.refusal(answer.status, told);
      await pause(100);
    }
  };

  const ask = async (id: string) => {
    const answer = await send(`/v1/query?${options.jobsQuery}&msg_id=${id}`, {});
    const told = await bodyOf(answer);
    if (answer.status === 200) {
      ledger.end(id, 'succeeded');
      checkPictures(id, told);
    } else if (told.ErrorCode === 20001 || told.ErrorCode === 23101) ledger.end(id, 'failed');
    else if (told.ErrorCode === 10004) ledger.wrong(`the accepted job ${id} is unknown`);
    else ledger.refusal(answer.status, told);
    return answer.status === 200 || ledger.jobs.get(id)?.state === 'failed';
  };
  const checkPictures = (id: string, told: Record<string, unknown>) => {
    const list = (told.media_info_list ?? []) as readonly { media_data?: string }[];
    const whole = list.filter(({ media_data }) => Buffer.from(media_data ?? '', 'base64').readUInt16BE(0) === 0xffd8);
    if (whole.length !== ledger.jobs.get(id)?.pictures) ledger.wrong(`${id} succeeded with ${whole.length} pictures`);
  };

  const call = async () => {
    const body = { media_info_list: [{ media_data: pick(pictures).toString('base64') }], parameter: {} };
    ledger.calls++;
    try {
      const answer = await send(`/v1/aiquality?${options.callsQuery}`, { method: 'POST', body: JSON.stringify(body) });
      const told = await bodyOf(answer);
      if (answer.status === 200) ledger.answered++;
      else ledger.refusal(answer.status, told);
    } catch (error) {
      connectionOnly(error);
      ledger.unanswered++;
    }
  };

  const submitter = async () => {
    while (isLoading) {
      if (ledger.open().length < OPEN) await (random() < 0.3 ? submitNamed() : submit().catch(connectionOnly));
      const some = ledger.open();
      if (some.length > 0) await ask(pick(some).id).catch(connectionOnly);
      await pause(60);
    }
  };
  const caller = async () => {
    while (isLoading) {
      await call();
      await pause(500);
    }
  };
  const loops = [...Array.from({ length: SUBMITTERS }, submitter), caller()];
  const reach = async (count: () => number, goal: number) => {
    while (count() < goal) await pause(20);
  };
  const endedNow = () => ledger.jobs.size - ledger.open().length;
  return {
    ledger,
    accepted: (more) => reach(() => ledger.jobs.size, ledger.jobs.size + more),
    ended: (more) => reach(endedNow, endedNow() + more),
    async stop() {
      isLoading = false;
      await Promise.all(loops);
    },
    async settle() {
      for (const { id } of ledger.jobs.values()) {
        while (!(await ask(id).catch(connectionOnly))) await pause(50);
      }
    },
  };
}

/** Nobody answered, or not to the end: the one failure that clients of a failing machine may meet. */
function connectionOnly(error: unknown): undefined {
  const name = (error as Error).name;
  if (error instanceof TypeError || name === 'AbortError' || name === 'TimeoutError') return undefined;
  throw error;
}
