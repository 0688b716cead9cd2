import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { campaign } from './campaign.ts';

/** `MINGXI_TEST_HOSTILE=20000 npx vitest run test/hostile/campaign.test.ts`; by `npx tsx scripts/fuzz.ts` with a report. */
const CASES = Number(process.env.MINGXI_TEST_HOSTILE ?? 600);
const SEED = Number(process.env.MINGXI_TEST_HOSTILE_SEED ?? 20261122);
const BUILT = join(import.meta.dirname, '../../build-test/cli/main.js');
const MB = 2 ** 20;

test.skipIf(!existsSync('/proc/self/task'))(
  `${CASES} hostile cases over HTTP, seed ${SEED}: documented answers, nobody private called, memory within limits, nothing left`,
  async () => {
    // After the odd files, which test/server/broken-files.test.ts sends.
    const result = await campaign({ cases: CASES, seed: SEED, from: 1000, ...(existsSync(BUILT) ? { main: BUILT } : {}) });
    expect(result.wrong).toEqual([]);
    expect(result.contacts).toEqual([]);
    expect(result.crashes).toEqual([]);
    expect(result.left).toEqual([]);
    expect(result.exit).toBe(0);
    expect(result.seen.deaf).toBe(0);
    expect(result.seen.serverPeak).toBeGreaterThan(50 * MB);
    expect(result.seen.serverPeak).toBeLessThan(1200 * MB);
    expect(result.seen.childPeak).toBeLessThan(2500 * MB);
    // The attacks are real: every family got somewhere, pictures were restored, others refused, listeners stood.
    const { outcomes } = result;
    for (const family of ['bytes', 'PNG chunks', 'JPEG segments', 'impostors', 'headers'])
      expect(outcomes[family]?.ok, family).toBeGreaterThan(0);
    for (const family of ['bytes', 'PNG chunks', 'JPEG segments']) expect(outcomes[family]?.IMAGE_DECODE_ERROR, family).toBeGreaterThan(0);
    expect(outcomes.links?.INVALID_URL_ERROR).toBeGreaterThan(0);
    expect(outcomes['raw HTTP']?.['400']).toBeGreaterThan(0);
    expect(result.canaries.length).toBeGreaterThan(3);
  },
  600_000 + CASES * 1000,
);
