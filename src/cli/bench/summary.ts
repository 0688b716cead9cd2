/** Figures of one picture: before and after, against the same reference. */
export interface Measured {
  readonly set: string;
  readonly condition: string;
  readonly picture: string;
  /** dB; null where the pictures are equal. */
  readonly input: number | null;
  readonly result: number | null;
  readonly ssimInput: number;
  readonly ssimResult: number;
  /** SSIMULACRA 2; 100 where the pictures are equal. */
  readonly perceivedInput: number;
  readonly perceivedResult: number;
  readonly gate: string;
  readonly reason: string;
  readonly model: string | null;
  readonly seconds: number;
}

/** What a group of pictures says together; paired per picture. dB unless a share (0…1). */
export interface Summary {
  readonly set: string;
  readonly condition: string;
  readonly pictures: number;
  readonly input: number | null;
  readonly result: number | null;
  readonly gain: number | null;
  /** The tenth part of the pictures with the least gain, its mean. */
  readonly worstDecile: number | null;
  /** Shares of pictures that gained, and that lost. */
  readonly wins: number;
  readonly worse: number;
  /** The worst picture's result. */
  readonly least: number | null;
  readonly ssimInput: number;
  readonly ssimResult: number;
  /** SSIMULACRA 2, means, and the share of pictures where it rose. */
  readonly perceivedInput: number;
  readonly perceivedResult: number;
  readonly perceivedBetter: number;
  /** Share the gate copied through. */
  readonly copied: number;
}

/** Below this (dB, result to clean source) a clean picture counts as made worse. */
export const CLEAN_BAR = 42;

/** Pictures that come out bit by bit equal have an infinite PSNR; means need a number: beyond all visibility. */
const EQUAL = 100;

/** Groups by set and condition, in order of appearance. */
export function summarise(measured: readonly Measured[]): readonly Summary[] {
  const groups = new Map<string, Measured[]>();
  for (const one of measured) {
    const key = `${one.set} ${one.condition}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map(summariseGroup);
}

function summariseGroup(group: readonly Measured[]): Summary {
  const [first] = group;
  if (!first) throw new Error('an empty group has no figures');
  const clean = group.every((one) => one.input === null);
  const gains = clean ? [] : group.map((one) => (one.result ?? EQUAL) - (one.input ?? EQUAL)).sort((a, b) => a - b);
  const results = group.map((one) => one.result ?? EQUAL);
  const share = (count: number) => count / group.length;
  return {
    set: first.set,
    condition: first.condition,
    pictures: group.length,
    input: clean ? null : mean(group.map((one) => one.input ?? EQUAL)),
    result: mean(results),
    gain: clean ? null : mean(gains),
    worstDecile: clean ? null : mean(gains.slice(0, Math.max(1, Math.floor(gains.length / 10)))),
    wins: share(gains.filter((gain) => gain > 0).length),
    worse: share(clean ? results.filter((result) => result < CLEAN_BAR).length : gains.filter((gain) => gain < 0).length),
    least: Math.min(...results),
    ssimInput: mean(group.map((one) => one.ssimInput)),
    ssimResult: mean(group.map((one) => one.ssimResult)),
    perceivedInput: mean(group.map((one) => one.perceivedInput)),
    perceivedResult: mean(group.map((one) => one.perceivedResult)),
    perceivedBetter: share(group.filter((one) => one.perceivedResult > one.perceivedInput).length),
    copied: share(group.filter((one) => one.gate === 'copy').length),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The summaries as a Markdown table. */
export function markdownTable(summaries: readonly Summary[]): string {
  const head = [
    'set',
    'condition',
    'n',
    'input dB',
    'result dB',
    'gain',
    'worst decile',
    'better',
    'worse',
    'least dB',
    'SSIM in',
    'SSIM',
    'SSIMULACRA 2 in',
    'SSIMULACRA 2',
    'better',
    'copied',
  ];
  const rows = summaries.map((row) => [
    row.set,
    row.condition,
    String(row.pictures),
    number(row.input),
    number(row.result),
    signed(row.gain),
    signed(row.worstDecile),
    row.gain === null ? '–' : percent(row.wins),
    percent(row.worse),
    number(row.least),
    row.ssimInput.toFixed(4),
    row.ssimResult.toFixed(4),
    row.perceivedInput.toFixed(1),
    row.perceivedResult.toFixed(1),
    row.gain === null ? '–' : percent(row.perceivedBetter),
    percent(row.copied),
  ]);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i < 2 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

const number = (value: number | null) => (value === null ? '–' : value.toFixed(2));
const signed = (value: number | null) => (value === null ? '–' : `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(2)}`);
const percent = (share: number) => `${Math.round(share * 100)} %`;
