import { type Manifest, outputTensor, type PixelTensor } from './manifest.ts';

/** The task in words, with how it comes to be used. */
export const TASKS: Readonly<Record<Manifest['task'], string>> = {
  restore: 'whole pictures',
  face: 'aligned faces; an imported one is used when MINGXI_FACE_MODEL names it',
  'face-detect': 'face detection; an imported one is used when MINGXI_FACE_DETECTOR names it',
};

/** The card of an imported model: what its owner said about it and what the check found; nobody here measured it. */
export function cardOf(manifest: Manifest, source: string): string {
  const { name, description, task, scale, tile, networks, cost, licence, scalars = [] } = manifest;
  const tiles =
    tile.size === undefined ? `up to ${tile.max} px, sides multiples of ${tile.multiple}` : `always ${tile.size}×${tile.size} px`;
  const rows = [
    ['For', TASKS[task]],
    ['File', `${source.replace(/[|\r\n]/g, ' ')}, SHA-256 \`${networks[0]?.sha256}\``],
    ['Licence of the weights', licence.weights],
    ['Parameters', cost.parameters.toLocaleString('en')],
    ['Input', describe(manifest.input)],
    ['Output', describe(outputTensor(manifest))],
    ...scalars.map((scalar) => [`Number \`${scalar.name}\``, `${scalar.value} (${scalar.type})`]),
    ['Scale', `×${scale}`],
    ['Tiles', `${tiles}, ${tile.halo} px of context`],
  ];
  return [
    `# ${name}`,
    '',
    description,
    '',
    'An imported network: these are the statements of whoever added it and the findings of the check. Its quality was not measured here.',
    '',
    '| | |',
    '| --- | --- |',
    ...rows.map(([key, value]) => `| ${key} | ${value} |`),
    '',
  ].join('\n');
}

function describe({ layout, type, channels, range = [0, 255] }: PixelTensor): string {
  return `${type} ${layout}, ${channels}, black ${range[0]}, white ${range[1]}`;
}
