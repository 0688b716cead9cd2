import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { DASHBOARD_FILE, dashboard } from '../../scripts/dashboard.ts';
import { environmentName, loadConfig, VARIABLES } from '../../src/config.ts';
import { registerJobMetrics } from '../../src/jobs/job-metrics.ts';
import { TRANSITIONS } from '../../src/jobs/states.ts';
import { createMetrics } from '../../src/observability/metrics.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const variables = new Set(
  Object.entries(VARIABLES).flatMap(([name, variable]) => [
    environmentName(name),
    ...('secret' in variable ? [`${environmentName(name)}_FILE`] : []),
  ]),
);

// biome-ignore lint/suspicious/noExplicitAny: documents of others' schemas, looked into by path
type Document = any;

/** What a scrape of a running server carries: names of series, and of the labels of each. */
async function exposed(): Promise<Map<string, Set<string>>> {
  const metrics = createMetrics({ version: '0', pool: () => ({ children: 0, running: 0, waiting: 0, restarts: 0, expectedWait: 0 }) });
  registerJobMetrics(metrics.registry, { counts: async () => ({}), oldest: async () => 0 }, { announced: async () => 0 });
  metrics.request({ route: '/', method: 'GET', status: 200, seconds: 0, bytesIn: 0, bytesOut: 0 });
  metrics.picture({ outcome: 'ok', model: 'm', megapixels: 1, timings: { decode: 1 } });
  const series = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of (await metrics.scrape()).matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = series.get(name) ?? new Set(['job', 'instance']);
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    series.set(name, known);
  }
  return series;
}

describe('Grafana dashboard', () => {
  const board: Document = JSON.parse(read(DASHBOARD_FILE));
  const targets: readonly { expr: string; legendFormat: string }[] = board.panels.flatMap((panel: Document) => panel.targets);

  test('is current (npx tsx scripts/dashboard.ts)', () => {
    expect(read(DASHBOARD_FILE)).toBe(dashboard());
  });

  test('every metric and label it asks for is exposed', async () => {
    const series = await exposed();
    expect(targets.length).toBeGreaterThan(10);
    for (const { expr, legendFormat } of targets) {
      const names = [...expr.matchAll(/\b(\w+)\{/g)].map((match) => match[1] ?? '');
      expect(names.length, expr).toBeGreaterThan(0);
      for (const name of names) {
        expect(series.has(name), `${name} of: ${expr}`).toBe(true);
        const used = [...expr.matchAll(/(\w+)=~?"/g), ...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? '');
        const grouped = [...expr.matchAll(/by \(([^)]+)\)/g)].flatMap((match) => (match[1] ?? '').split(/,\s*/));
        for (const label of [...used, ...grouped]) expect([...(series.get(name) ?? [])], `${label} of: ${expr}`).toContain(label);
      }
    }
  });

  test('shows every metric of ours but the version, and its brackets close', async () => {
    const text = targets.map(({ expr }) => expr).join('\n');
    for (const name of (await exposed()).keys()) {
      const base = name.replace(/_(bucket|sum|count)$/, '');
      if (base.startsWith('mingxi_') && base !== 'mingxi_build_info') expect(text).toContain(base);
    }
    for (const { expr } of targets)
      for (const [open, close] of ['()', '[]', '{}']) expect(expr.split(open ?? '').length).toBe(expr.split(close ?? '').length);
  });
});

describe('compose.yaml', () => {
  const file: Document = parse(read('docker/compose.yaml'), { merge: true });
  const services: [string, Document][] = Object.entries(file.services);

  const ours = services.filter(([, service]) => service.build !== undefined);
  const others = services.filter(([, service]) => service.build === undefined);
  const secretFiles = (service: Document) => Object.entries<string>(service.environment ?? {}).filter(([name]) => name.endsWith('_FILE'));

  test('offers the profiles: one process, one with a bucket, server and worker over Redis and over PostgreSQL', () => {
    const byProfile = (profile: string) => services.filter(([, service]) => service.profiles.includes(profile)).map(([name]) => name);
    expect(['single', 's3', 'redis', 'postgres'].map(byProfile)).toEqual([
      ['mingxi'],
      ['mingxi-s3'],
      ['server-redis', 'worker-redis', 'redis'],
      ['server-postgres', 'worker-postgres', 'postgres'],
    ]);
  });

  test.each(ours)('%s: variables exist and its defaults are a valid configuration', (_name, service) => {
    const given = Object.entries<string>(service.environment).map(([name, value]) => [
      name,
      String(value).replace(/\$\{\w+:-([^}]*)\}/, '$1'),
    ]);
    for (const [name] of given) expect([...variables]).toContain(name);
    expect(() => loadConfig(Object.fromEntries(given.filter(([name]) => !name?.endsWith('_FILE'))))).not.toThrow();
  });

  test.each(ours)('%s: small rights, and more time to stop than the server takes', (_name, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      volumes: ['data:/data'],
    });
    expect(existsSync(join(ROOT, 'docker', service.build.context, service.build.dockerfile))).toBe(true);
    expect(Number.parseInt(service.stop_grace_period, 10)).toBeGreaterThan(Number(service.environment.MINGXI_DRAIN_TIMEOUT));
  });

  test.each(services)('%s: secrets are files that it is given, what it waits for exists, only servers have a port', (name, service) => {
    const given: string[] = service.secrets ?? [];
    for (const secret of given) expect(Object.keys(file.secrets)).toContain(secret);
    for (const [variable, path] of secretFiles(service))
      expect([variable, given.includes(path.replace('/run/secrets/', ''))]).toEqual([variable, true]);
    const needed: string[] = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {});
    for (const one of needed) expect(others.map(([other]) => other)).toContain(one);
    const isServer = service.build !== undefined && service.environment.MINGXI_ROLE !== 'worker';
    expect([name, service.ports !== undefined]).toEqual([name, isServer]);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test.each(others)('%s: an image of a named version with a health check', (_name, service) => {
    expect(service.image).toMatch(/^[a-z]+:\d+-bookworm$/);
    expect(service.healthcheck.test[0]).toBe('CMD');
  });
});

describe('kubernetes', () => {
  const documents: Document[] = parseAllDocuments(read('docker/kubernetes/mingxi.yaml')).map((one) => {
    expect(one.errors).toEqual([]);
    return one.toJS();
  });
  const ofKind = (kind: string) => documents.filter((one) => one.kind === kind);

  test('has a service, servers that keep answering, workers and their autoscaler', () => {
    expect(documents.map((one) => one.kind)).toEqual([
      'Service',
      'Deployment',
      'PodDisruptionBudget',
      'Deployment',
      'HorizontalPodAutoscaler',
    ]);
    const [server, worker] = ofKind('Deployment');
    expect(server.spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect(server.spec.replicas).toBeGreaterThan(1);
    const [budget] = ofKind('PodDisruptionBudget');
    expect(server.spec.template.metadata.labels).toMatchObject(budget.spec.selector.matchLabels);
    // Else every `apply` would undo what the autoscaler has done.
    expect(worker.spec.replicas).toBeUndefined();
  });

  test.each(ofKind('Deployment').map((one): [string, Document] => [one.metadata.name, one]))(
    '%s: rights, variables, secrets, volumes, time to stop',
    (_name, deployment) => {
      const { spec, metadata } = deployment.spec.template;
      const [container] = spec.containers;
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } });
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      const environment: [string, string][] = container.env.map(({ name, value }: Document) => [name, value]);
      for (const [name] of environment) expect([...variables]).toContain(name);
      const plain = Object.fromEntries(environment.filter(([name]) => !name.endsWith('_FILE')));
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(loadConfig(plain).drainTimeout);
      expect(metadata.labels).toMatchObject(deployment.spec.selector.matchLabels);
      const mounted = container.volumeMounts.map(({ name }: Document) => name);
      expect(spec.volumes.map(({ name }: Document) => name)).toEqual(mounted);
      // The secret's keys are those of the command at the head of the file.
      const keys = [...read('docker/kubernetes/mingxi.yaml').matchAll(/--from-literal=([\w-]+)=/g)].map((match) => match[1]);
      const files = environment.filter(([name]) => name.endsWith('_FILE')).map(([, path]) => path.replace('/run/secrets/mingxi/', ''));
      expect(files.sort()).toEqual(keys.sort());
    },
  );

  test('the probes ask paths that servers and workers have, the service finds the servers alone', () => {
    const [server, worker] = ofKind('Deployment');
    const paths = Object.keys(JSON.parse(read('openapi.json')).paths);
    const probes = (one: Document) =>
      Object.entries<Document>(one.spec.template.spec.containers[0]).filter(([key]) => key.endsWith('Probe'));
    expect(probes(server).map(([name]) => name)).toEqual(['readinessProbe', 'livenessProbe']);
    expect(probes(worker).map(([name]) => name)).toEqual(['startupProbe', 'readinessProbe', 'livenessProbe']);
    for (const [, probe] of [...probes(server), ...probes(worker)]) expect(paths).toContain(probe.httpGet.path);
    const [service] = ofKind('Service');
    expect(server.spec.template.metadata.labels).toMatchObject(service.spec.selector);
    expect(worker.spec.template.metadata.labels).not.toMatchObject(service.spec.selector);
    expect(server.spec.template.spec.containers[0].ports.map(({ name }: Document) => name)).toContain(service.spec.ports[0].targetPort);
  });

  test('the autoscaler looks at a metric that is exposed, in a state that exists, of the workers that exist', async () => {
    const [scaler] = ofKind('HorizontalPodAutoscaler');
    const { metric } = scaler.spec.metrics[0].external;
    expect([...((await exposed()).get(metric.name) ?? [])]).toEqual(expect.arrayContaining(Object.keys(metric.selector.matchLabels)));
    expect(Object.values(TRANSITIONS).map(({ to }) => to)).toContain(metric.selector.matchLabels.state);
    expect(ofKind('Deployment').map((one) => one.metadata.name)).toContain(scaler.spec.scaleTargetRef.name);
    expect(documents[3].spec.template.spec.containers[0].env).toContainEqual({ name: 'MINGXI_ROLE', value: 'worker' });
  });
});
