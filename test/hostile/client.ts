import { connect } from 'node:net';
import type { Agent } from 'undici';
import { pause } from '../support/until.ts';
import type { Attack, HttpAttack, RawAttack } from './attack.ts';
import { PUBLIC_URL, SMALLEST_SIDE } from './campaign.ts';
import { type Answer, faultOf, judge, type Verdict } from './verdict.ts';

export interface Outcome {
  readonly outcome: string;
  readonly wrong?: string;
}

/** A raw exchange is over when the server has said nothing for so long (ms), or closed. */
const QUIET = 300;

/** Sends attacks and judges what comes back, pictures and links of answers included. */
export class Client {
  readonly #base: string;
  readonly #query: string;
  readonly #agent: Agent;

  constructor(base: string, query: string, agent: Agent) {
    this.#base = base;
    this.#query = query;
    this.#agent = agent;
  }

  async send(attack: Attack): Promise<Outcome> {
    try {
      return attack.kind === 'raw' ? await this.#raw(attack) : await this.#http(attack).catch((error) => this.#again(error, attack));
    } catch (error) {
      const { name, message } = error as Error;
      // undici does not send what no client could: nothing was tried.
      if (name === 'InvalidArgumentError') return { outcome: 'not sent' };
      return { outcome: 'no answer', wrong: `no answer: ${name} ${message}` };
    }
  }

  /** A kept connection may end at the moment it is used again, as with any server: that is tried once more. */
  #again(error: Error, attack: HttpAttack): Promise<Outcome> {
    if (!/other side closed|ECONNRESET|EPIPE/.test(error.message)) throw error;
    return this.#http(attack);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: Buffer): Promise<Answer> {
    // By path and not by URL: a URL would be tidied up before it is sent.
    const payload = body && body.length > 0 ? body : null;
    const answer = await this.#agent.request({ origin: this.#base, path, method: method as 'GET', headers, body: payload });
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) };
  }

  async #http({ method, path, headers, body, surface }: HttpAttack): Promise<Outcome> {
    const verdict = await judge(surface, await this.#ask(method, path, headers, body));
    return verdict.job === undefined ? this.#inspect(verdict) : this.#await(verdict.job);
  }

  /** Follows a success to its pictures. */
  async #inspect(verdict: Verdict): Promise<Outcome> {
    if (verdict.wrong !== undefined) return verdict;
    for (const link of verdict.links) {
      if (!link.startsWith(`${PUBLIC_URL}/v1/results/`)) return { outcome: 'ok', wrong: `a link that leads elsewhere: ${link}` };
      const { status, body } = await this.#ask('GET', link.slice(PUBLIC_URL.length));
      // A busy machine may come too late: links live for seconds here.
      const fault = status === 200 ? await faultOf(body, SMALLEST_SIDE) : status === 404 ? undefined : `its link answers ${status}`;
      if (fault) return { outcome: 'ok', wrong: fault };
    }
    for (const picture of verdict.pictures) {
      const fault = await faultOf(picture, SMALLEST_SIDE);
      if (fault) return { outcome: 'ok', wrong: fault };
    }
    return { outcome: verdict.outcome };
  }

  async #await(job: string): Promise<Outcome> {
    for (;;) {
      const verdict = await judge('v1', await this.#ask('POST', `/v1/query?${this.#query}&msg_id=${job}`));
      if (verdict.outcome !== 'NOT_RESULT') return this.#inspect(verdict);
      await pause(50);
    }
  }

  /** Whatever comes back must be HTTP without an undocumented 5xx; silence and a closed connection are answers too. */
  async #raw({ parts }: RawAttack): Promise<Outcome> {
    const text = (await this.#exchange(parts)).toString('latin1');
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]));
    const bad = statuses.find((status) => status >= 500 && status !== 503);
    if (text !== '' && statuses.length === 0) return { outcome: 'no HTTP', wrong: `answers ${JSON.stringify(text.slice(0, 80))}` };
    return { outcome: String(statuses[0] ?? 'closed'), ...(bad === undefined ? {} : { wrong: `status ${bad}` }) };
  }

  #exchange(parts: readonly Buffer[]): Promise<Buffer> {
    const { hostname, port } = new URL(this.#base);
    return new Promise((resolve) => {
      const received: Buffer[] = [];
      const socket = connect(Number(port), hostname);
      const done = () => {
        socket.destroy();
        resolve(Buffer.concat(received));
      };
      socket.setTimeout(QUIET, done);
      socket.on('data', (chunk) => received.push(chunk));
      socket.on('error', done);
      socket.once('close', done);
      socket.once('connect', async () => {
        for (const part of parts) {
          if (!socket.destroyed) socket.write(part);
          if (parts.length > 1) await pause(1);
        }
      });
    });
  }
}
