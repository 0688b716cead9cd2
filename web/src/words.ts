import type { Report } from './api/types.ts';
import type { Messages } from './i18n/en.ts';

/** One line of "what was found": a name, words for it, a measure 0…1 of how bad it is, the figure itself. */
export interface Finding {
  readonly label: string;
  readonly words: string;
  readonly badness: number;
  readonly figure: string;
}

/** What the analysis found, in words. Thresholds are for the eye; the engine decides by its own. */
export function findings({ analysis }: Report, texts: Messages): Finding[] {
  const { jpegQuality: own, earlierJpegQuality: earlier = null, noiseSigma: sigma, blur } = analysis;
  const quality = earlier ?? own;
  const { found } = texts;
  const compression = quality === null ? 'none' : quality < 40 ? 'heavy' : quality < 70 ? 'clear' : quality < 90 ? 'light' : 'none';
  const noise = sigma > 12 ? 'strong' : sigma > 5 ? 'clear' : sigma > 2 ? 'slight' : 'none';
  const softness = blur > 0.75 ? 'strong' : blur > 0.5 ? 'clear' : blur > 0.25 ? 'slight' : 'none';
  return [
    {
      label: found.jpeg,
      words:
        quality === null ? found.noJpeg : earlier === null ? found.compression[compression] : found.before(found.compression[compression]),
      badness: quality === null ? 0 : share((100 - quality) / 90),
      figure: quality === null ? '' : earlier !== null && own !== null ? `${earlier} → ${own}` : String(quality),
    },
    { label: found.noise, words: found.noiseWords[noise], badness: share(sigma / 30), figure: `σ ${sigma.toFixed(1)}` },
    { label: found.blur, words: found.blurWords[softness], badness: share(blur), figure: `${Math.round(blur * 100)} %` },
  ];
}

/** What was done, in sentences. */
export function deeds(report: Report, texts: Messages): string[] {
  const total = report.timings.total ?? Object.values(report.timings).reduce((sum, ms) => sum + ms, 0);
  const faces = report.faces.length;
  return [
    texts.did[report.gate.action],
    ...(report.deblurred === undefined ? [] : [texts.did.deblurred(Math.round(report.deblurred * 100))]),
    ...(report.model === null ? [] : [texts.did.model(report.model)]),
    ...(faces > 0 ? [texts.faces.count(faces)] : []),
    texts.did.seconds((total / 1000).toFixed(total < 10_000 ? 1 : 0)),
  ];
}

/** `2.1 MB` and the like. */
export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} kB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

const share = (value: number): number => Math.min(1, Math.max(0, value));
