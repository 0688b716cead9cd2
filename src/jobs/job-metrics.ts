import { Gauge, type Registry } from 'prom-client';
import type { Jobs } from './jobs.ts';

/** Jobs in the database by state, read at each scrape; what an autoscaler of workers looks at. */
export function registerJobMetrics(registry: Registry, jobs: Pick<Jobs, 'counts'>): void {
  new Gauge({
    name: 'mingxi_jobs',
    help: 'Asynchronous jobs by state.',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const counts = await jobs.counts();
      for (const state of ['queued', 'running', 'succeeded', 'failed', 'cancelled']) this.set({ state }, counts[state] ?? 0);
    },
  });
}
