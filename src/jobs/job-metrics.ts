import { Gauge, type Registry } from 'prom-client';
import type { JobQueue } from '../queue/contract.ts';
import type { Jobs } from './jobs.ts';

/** The queue as the database has it, read at each scrape; what an autoscaler of workers looks at. */
export function registerJobMetrics(registry: Registry, jobs: Pick<Jobs, 'counts' | 'oldest'>, queue: Pick<JobQueue, 'announced'>): void {
  new Gauge({
    name: 'mingxi_jobs',
    help: 'Jobs, and pictures of synchronous calls in the queue, by state; NaN when the database does not answer.',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      // The other figures are wanted most when the database is away.
      const counts = await jobs.counts().catch(() => undefined);
      for (const state of ['queued', 'running', 'succeeded', 'failed', 'cancelled'])
        this.set({ state }, counts ? (counts[state] ?? 0) : Number.NaN);
    },
  });
  new Gauge({
    name: 'mingxi_jobs_oldest_seconds',
    help: 'Time that the oldest queued job has waited.',
    registers: [registry],
    async collect() {
      this.set(await jobs.oldest().catch(() => Number.NaN));
    },
  });
  new Gauge({
    name: 'mingxi_queue_announced',
    help: "Announcements on the queue's server that no worker has taken; NaN when it does not answer.",
    registers: [registry],
    async collect() {
      this.set((await queue.announced().catch(() => Number.NaN)) ?? 0);
    },
  });
}
