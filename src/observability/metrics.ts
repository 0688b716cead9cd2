import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the pool's gauges read at each scrape. */
export interface PoolFigures {
  readonly children: number;
  readonly running: number;
  readonly waiting: number;
  readonly restarts: number;
  readonly expectedWait: number;
}

/** One finished HTTP exchange. */
export interface RequestFigures {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** One restored or failed picture. */
export interface PictureFigures {
  /** `ok`, or the name of the error. */
  readonly outcome: string;
  readonly model?: string;
  readonly megapixels?: number;
  /** Milliseconds per pipeline step. */
  readonly timings?: Readonly<Record<string, number>>;
}

/** Prometheus metrics of one process; a registry of its own, so that two apps in a process do not mix. */
export interface Metrics {
  request(figures: RequestFigures): void;
  picture(figures: PictureFigures): void;
  /** Content type and text of a scrape. */
  readonly contentType: string;
  scrape(): Promise<string>;
  /** For parts that bring metrics of their own. */
  readonly registry: Registry;
}

export interface MetricsOptions {
  readonly version: string;
  readonly pool: () => PoolFigures;
  /** Node's own process metrics; off in tests that read the text. */
  readonly processMetrics?: boolean;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];

/** Builds the registry with every metric at zero. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'mingxi_build_info', help: 'Version of the running program.', labelNames: ['version'], registers }).set(
    { version: options.version },
    1,
  );
  registerPool(registry, options.pool);

  const labels = ['route', 'method', 'status'];
  const requests = new Counter({ name: 'mingxi_http_requests_total', help: 'HTTP requests.', labelNames: labels, registers });
  const seconds = new Histogram({
    name: 'mingxi_http_request_seconds',
    help: 'Time to the end of the answer.',
    labelNames: ['route', 'method'],
    buckets: SECONDS,
    registers,
  });
  const received = new Counter({
    name: 'mingxi_http_received_bytes_total',
    help: 'Bytes of request bodies.',
    labelNames: ['route'],
    registers,
  });
  const sent = new Counter({ name: 'mingxi_http_sent_bytes_total', help: 'Bytes of answers.', labelNames: ['route'], registers });
  const pictures = new Counter({
    name: 'mingxi_pictures_total',
    help: 'Pictures by outcome.',
    labelNames: ['outcome', 'model'],
    registers,
  });
  const megapixels = new Counter({ name: 'mingxi_megapixels_total', help: 'Megapixels restored.', labelNames: ['model'], registers });
  const steps = new Histogram({
    name: 'mingxi_step_seconds',
    help: 'Time per pipeline step and picture.',
    labelNames: ['step'],
    buckets: SECONDS,
    registers,
  });

  return {
    registry,
    contentType: registry.contentType,
    scrape: () => registry.metrics(),
    request({ route, method, status, seconds: time, bytesIn, bytesOut }) {
      requests.inc({ route, method, status });
      seconds.observe({ route, method }, time);
      received.inc({ route }, bytesIn);
      sent.inc({ route }, bytesOut);
    },
    picture({ outcome, model = 'none', megapixels: pixels = 0, timings = {} }) {
      pictures.inc({ outcome, model });
      if (outcome === 'ok') megapixels.inc({ model }, pixels);
      for (const [step, time] of Object.entries(timings)) steps.observe({ step }, time / 1000);
    },
  };
}

function registerPool(registry: Registry, pool: () => PoolFigures): void {
  const gauge = (name: string, help: string, read: (figures: PoolFigures) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(pool()));
      },
    });
  gauge('mingxi_workers', 'Child processes alive.', (figures) => figures.children);
  gauge('mingxi_workers_running', 'Pictures being restored.', (figures) => figures.running);
  gauge('mingxi_queue_depth', 'Pictures waiting for a child process.', (figures) => figures.waiting);
  gauge('mingxi_queue_wait_seconds', 'Expected wait of a picture submitted now.', (figures) => figures.expectedWait);
  gauge('mingxi_worker_restarts', 'Child processes replaced since the start.', (figures) => figures.restarts);
}
