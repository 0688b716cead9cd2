import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the dashboard lies, from the root of the repository. */
export const DASHBOARD_FILE = 'docker/grafana/mingxi.json';

interface Panel {
  readonly title: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  /** PromQL by legend. */
  readonly series: Readonly<Record<string, string>>;
  readonly about?: string;
}

const RATE = '[$__rate_interval]';
const ours = (metric: string, labels = '') => `${metric}{job="$job"${labels === '' ? '' : `, ${labels}`}}`;
const perSecond = (metric: string, by: string, labels = '') => `sum by (${by}) (rate(${ours(metric, labels)}${RATE}))`;
const quantile = (share: number, metric: string, by = '') =>
  `histogram_quantile(${share}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${ours(`${metric}_bucket`)}${RATE})))`;

/** The panels in reading order: what callers notice, what the queue does, what it costs. */
const PANELS: readonly Panel[] = [
  { title: 'Requests by status', unit: 'reqps', series: { '{{status}}': perSecond('mingxi_http_requests_total', 'status') } },
  {
    title: 'Time of answers',
    unit: 's',
    series: {
      p50: quantile(0.5, 'mingxi_http_request_seconds'),
      p95: quantile(0.95, 'mingxi_http_request_seconds'),
      p99: quantile(0.99, 'mingxi_http_request_seconds'),
    },
  },
  {
    title: 'Refused for load',
    unit: 'reqps',
    series: { '{{route}} {{status}}': perSecond('mingxi_http_requests_total', 'route, status', 'status=~"429|503|504"') },
    about: '503: queue full or draining; 429: calls per second of a key; 504: too slow for the synchronous limit.',
  },
  { title: 'Pictures by outcome', unit: 'ops', series: { '{{outcome}}': perSecond('mingxi_pictures_total', 'outcome') } },
  { title: 'Megapixels restored by model', unit: 'none', series: { '{{model}}': perSecond('mingxi_megapixels_total', 'model') } },
  {
    title: 'Pictures waiting and running',
    unit: 'none',
    series: { waiting: `sum(${ours('mingxi_queue_depth')})`, running: `sum(${ours('mingxi_workers_running')})` },
  },
  { title: 'Expected wait of a new picture', unit: 's', series: { wait: `max(${ours('mingxi_queue_wait_seconds')})` } },
  {
    title: 'Queue by state',
    unit: 'none',
    series: { '{{state}}': `max by (state) (${ours('mingxi_jobs', 'state=~"queued|running"')})` },
    about: 'From the database: the same for every process that reads it.',
  },
  {
    title: 'Age of the oldest queued job',
    unit: 's',
    series: { oldest: `max(${ours('mingxi_jobs_oldest_seconds')})` },
    about: 'Grows while workers are missing or stuck, whatever the length of the queue.',
  },
  {
    title: "Announcements on the queue's server",
    unit: 'none',
    series: { announced: `max(${ours('mingxi_queue_announced')})` },
    about: 'What no worker has taken yet; no value when the server of the queue does not answer.',
  },
  { title: 'Time per step (p95)', unit: 's', series: { '{{step}}': quantile(0.95, 'mingxi_step_seconds', 'step') } },
  {
    title: 'Child processes and replacements',
    unit: 'none',
    series: { alive: `sum(${ours('mingxi_workers')})`, 'replaced in 10 min': `sum(delta(${ours('mingxi_worker_restarts')}[10m]))` },
  },
  {
    title: 'Bytes in and out',
    unit: 'Bps',
    series: {
      in: `sum(rate(${ours('mingxi_http_received_bytes_total')}${RATE}))`,
      out: `sum(rate(${ours('mingxi_http_sent_bytes_total')}${RATE}))`,
    },
  },
  {
    title: 'Memory of the server process',
    unit: 'bytes',
    series: { '{{instance}}': ours('process_resident_memory_bytes') },
    about: 'The process that serves HTTP; the children that restore are not in it.',
  },
  { title: 'Event loop lag (p99)', unit: 's', series: { '{{instance}}': ours('nodejs_eventloop_lag_p99_seconds') } },
];

const COLUMNS = 3;
const [WIDTH, HEIGHT] = [24 / COLUMNS, 8];
const source = { type: 'prometheus', uid: '$datasource' };

/** The Grafana dashboard as text. */
export function dashboard(): string {
  const panels = PANELS.map(({ title, unit, series, about }, i) => ({
    id: i + 1,
    type: 'timeseries',
    title,
    ...(about ? { description: about } : {}),
    datasource: source,
    gridPos: { x: (i % COLUMNS) * WIDTH, y: Math.floor(i / COLUMNS) * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 10, showPoints: 'never' } }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: Object.entries(series).map(([legendFormat, expr], j) => ({
      refId: String.fromCharCode(65 + j),
      datasource: source,
      expr,
      legendFormat,
    })),
  }));
  const variable = (name: string, label: string, rest: object) => ({ name, label, hide: 0, ...rest });
  return `${JSON.stringify(
    {
      uid: 'mingxi',
      title: 'Mingxi',
      tags: ['mingxi'],
      schemaVersion: 39,
      editable: true,
      refresh: '30s',
      time: { from: 'now-3h', to: 'now' },
      timezone: 'browser',
      templating: {
        list: [
          variable('datasource', 'Data source', { type: 'datasource', query: 'prometheus' }),
          variable('job', 'Job', { type: 'query', datasource: source, query: 'label_values(mingxi_build_info, job)', refresh: 2 }),
        ],
      },
      panels,
    },
    null,
    2,
  )}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(import.meta.dirname, '..', DASHBOARD_FILE), dashboard());
