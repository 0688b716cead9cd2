/**
 * Writes models/NAME/CARD.md from the manifest and the figures of `mingxi bench quality --json`; with those of
 * `training/evaluate.py --json` in both precisions, also what 8-bit integers cost.
 *
 *     ./mingxi bench quality --model general --json figures.json
 *     npx tsx scripts/model-card.ts general figures.json [fp32.json int8.json]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from '../src/cli/bench/summary.ts';
import { createRegistry, shippedModelsDir } from '../src/models/registry.ts';

const [name, figuresFile, fullFile, wholeFile] = process.argv.slice(2);
if (!name || !figuresFile || (fullFile && !wholeFile)) {
  console.error('usage: npx tsx scripts/model-card.ts NAME FIGURES.json [FP32.json INT8.json]');
  process.exit(2);
}
const { manifest, dir } = createRegistry({ shippedDir: shippedModelsDir() }).get(name);
const { summary } = JSON.parse(readFileSync(figuresFile, 'utf8')) as { summary: readonly Summary[] };

const decibel = (value: number | null | undefined) => (value === null || value === undefined ? '–' : value.toFixed(2));
const signed = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const percent = (value: number | null | undefined) => (value === null || value === undefined ? '–' : `${Math.round(value * 100)} %`);

const rows = summary.map(
  (row) =>
    `| ${row.set} | ${row.condition} | ${row.pictures} | ${decibel(row.input)} | ${decibel(row.result)} | ${signed(row.gain)} | ${signed(row.worstDecile)} | ${percent(row.wins)} | ${percent(row.worse)} | ${decibel(row.least)} | ${row.ssimInput.toFixed(4)} | ${row.ssimResult.toFixed(4)} |`,
);
/** Said where the figures are of part of the pictures: LIVE1 has 29. */
const shown = summary.find(({ set }) => set === 'live1-jpeg')?.pictures ?? 29;
const limit = shown < 29 ? ` --limit ${shown}` : '';
const training = Object.entries(manifest.training).map(([network, facts]) => {
  const { iterations, hours, seed, patch, batch } = facts as Record<string, number>;
  return `| ${network} | ${iterations} | ${hours ?? '–'} | ${patch}², ${batch} | ${seed} |`;
});
/** For what there is a network, in whatever precisions. */
const wanted = [...new Set(manifest.networks.map(({ when }) => when))];

/** By set, of `training/evaluate.py`. */
type Evaluation = Readonly<Record<string, { readonly output: number }>>;

function inIntegers(...files: readonly [full: string, whole: string]): string {
  const [full, whole] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Evaluation) as [Evaluation, Evaluation];
  const lines = Object.keys(full)
    .filter((set) => !set.startsWith('clean'))
    .map((set) => {
      const [before, after] = [full[set]?.output ?? Number.NaN, whole[set]?.output ?? Number.NaN];
      return `| ${set} | ${before.toFixed(2)} | ${after.toFixed(2)} | ${after < before ? '−' : '+'}${Math.abs(after - before).toFixed(3)} |`;
    });
  return `
## In 8-bit integers

The same weights, fine-tuned with the roundings in the loop. Means of PSNR in dB, networks without tiles, by

\`\`\`
python training/evaluate.py --model models/${name} --precision fp32    # and int8
\`\`\`

| set | fp32 | int8 | difference |
| --- | --: | --: | --: |
${lines.join('\n')}
`;
}

const data = Object.entries(manifest.licence.data).map(([source, licence]) => `| ${source} | ${licence} |`);

writeFileSync(
  join(dir, 'CARD.md'),
  `# ${manifest.name} ${manifest.version}

${manifest.description} Same size in and out. ${wanted.length === 1 ? 'One network' : `${wanted.length} networks of one shape (${wanted.join(', ')}), chosen per picture by what analyse found`}; ${(manifest.cost.parameters / 1e6).toFixed(2)} M parameters and ${manifest.cost.gmacPerMegapixel} GMAC per megapixel each. Trained for fidelity only (no adversarial or perceptual loss): nothing is invented, so strongly damaged texture stays soft.

## Figures

Through the product, gate and tiles included, file in and file out; noise is clipped and rounded to 8 bit. PSNR in dB, gain paired per picture; "worse" counts pictures with a lower PSNR than their input (clean pictures: under 42 dB). Measured again by

\`\`\`
./mingxi bench quality --model ${manifest.name}${limit}
\`\`\`

| set | condition | n | input | result | gain | worst decile | better | worse | lowest result | SSIM in | SSIM |
| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |
${rows.join('\n')}

## Training

Recipe, commands and log: \`training/\`. No test picture was used; the split is by source file.

| network | iterations | busy hours on two CPU cores | patch, batch | seed |
| --- | --: | --: | --- | --: |
${training.join('\n')}

## Licences

Weights: ${manifest.licence.weights}. Training photographs:

| source | licence as its publisher states it |
| --- | --- |
${data.join('\n')}
${fullFile && wholeFile ? inIntegers(fullFile, wholeFile) : ''}`,
);
console.log(join(dir, 'CARD.md'));
