/** Makes src/cli/example-picture.ts: a small synthetic picture, coarsely compressed, for the printed example call. */
import { writeFileSync } from 'node:fs';
import sharp from 'sharp';

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="120">
<defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="#2b6cb0"/><stop offset="1" stop-color="#f6d8a8"/></linearGradient></defs>
<rect width="160" height="120" fill="url(#sky)"/><circle cx="118" cy="34" r="13" fill="#fff3c4"/>
<path d="M0 92 L38 44 L66 80 L92 52 L160 98 V120 H0z" fill="#4a5a4e"/><path d="M38 44 L48 57 L42 60 L36 56 L30 54z" fill="#f4f6f8"/>
<path d="M0 104 Q40 92 80 104 T160 102 V120 H0z" fill="#2f4032"/>
<g stroke="#1d2a20" stroke-width="2"><path d="M20 112v-22M14 98l6-8 6 8M132 114v-26M125 98l7-10 7 10"/></g></svg>`;

const jpeg = await sharp(Buffer.from(svg)).jpeg({ quality: 25, mozjpeg: false }).toBuffer();
const lines = jpeg.toString('base64').match(/.{1,120}/g) ?? [];
writeFileSync(
  new URL('../src/cli/example-picture.ts', import.meta.url),
  `/** A 160×120 JPEG of quality 25 in base64, for the example call; made by scripts/example-picture.ts. */
export const EXAMPLE_JPEG = [
${lines.map((line) => `  '${line}',`).join('\n')}
].join('');
`,
);
