/**
 * Attacks a real service with seeded hostile input over HTTP and tells what happened; exit status 1 when
 * a promise was broken. See docs/operations/hostile-input.md.
 *
 *   npx tsx scripts/fuzz.ts --cases 100000 --seed 1 [--from N] [--at-once N] [--slow N] [--main FILE] [--keep DIR] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type CampaignResult, campaign } from '../test/hostile/campaign.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    'at-once': { type: 'string', default: '8' },
    slow: { type: 'string', default: '24' },
    main: { type: 'string' },
    keep: { type: 'string' },
    json: { type: 'string' },
  },
});

const result = await campaign({
  ...{ cases: Number(values.cases), seed: Number(values.seed), from: Number(values.from) },
  ...{ atOnce: Number(values['at-once']), slowClients: Number(values.slow) },
  ...(values.main ? { main: values.main } : {}),
  ...(values.keep ? { keep: values.keep } : {}),
  onProgress: (done) => process.stderr.write(`\r${done}`),
});
process.stderr.write('\n');
print(result);
if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 1)}\n`);
const isClean = result.wrong.length + result.left.length + result.contacts.length + result.seen.deaf === 0 && result.exit === 0;
process.exitCode = isClean ? 0 : 1;

function print({ cases, seconds, outcomes, wrong, seen, slow, crashes, left, canaries, contacts, exit }: CampaignResult): void {
  const mb = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
  console.log(`${cases} cases, seed ${values.seed}, ${Math.round(seconds)} s\n`);
  console.log('| family | cases | outcomes |\n| --- | --: | --- |');
  for (const [family, counts] of Object.entries(outcomes).sort()) {
    const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
    console.log(
      `| ${family} | ${sorted.reduce((sum, [, count]) => sum + count, 0)} | ${sorted.map(([name, count]) => `${name} ${count}`).join(', ')} |`,
    );
  }
  console.log(`\npromises broken: ${wrong.length}`);
  for (const line of wrong.slice(0, 100)) console.log(`  ${line}`);
  console.log(`private addresses contacted: ${contacts.length} (listeners on ${canaries.join(', ')})`);
  console.log(
    `server: peak ${mb(seen.serverPeak)}, over time ${seen.serverOverTime
      .filter((_, i, all) => i % Math.ceil(all.length / 12) === 0)
      .map(mb)
      .join(' ')}`,
  );
  console.log(`children: ${seen.children} seen, peak ${mb(seen.childPeak)}, ended by themselves ${crashes.length}`);
  for (const line of crashes.slice(0, 20)) console.log(`  ${line.slice(0, 400)}`);
  console.log(`/livez: slowest ${Math.round(seen.slowestLife)} ms, not answered ${seen.deaf}`);
  console.log(
    `slow connections: ${slow.opened} opened, ${slow.closedByServer} ended by the server, longest ${Math.round(slow.longest / 1000)} s`,
  );
  console.log(`files left: ${left.length}${left.length ? ` (${left.slice(0, 5).join(', ')})` : ''}; exit status after SIGTERM: ${exit}`);
}
