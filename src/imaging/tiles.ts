/** One network call: `x,y,width,height` are fed, `keep*` is the part of the result that is used. */
export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly keepX: number;
  readonly keepY: number;
  readonly keepWidth: number;
  readonly keepHeight: number;
}

export interface TileRule {
  /** Sizes fed to the network are multiples of this, and so are tile origins: JPEG blocks keep their phase. */
  readonly multiple: number;
  /** Context fed around the kept part, at least the network's effective receptive field. */
  readonly halo: number;
  /** Largest tile side. */
  readonly max: number;
  /** The only tile side the network takes; smaller pictures are padded to it. */
  readonly size?: number;
}

interface Span {
  readonly start: number;
  readonly size: number;
  readonly keep: number;
  readonly keepSize: number;
}

const roundUp = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/**
 * Cuts one side into equal tiles. Where it fits one, there is one tile of the padded size: no waste.
 * Else all tiles have the same size, so the engine's memory plan is reused, and their kept parts
 * touch without overlap: neighbours agree within the receptive field, so no blending is needed.
 */
function spans(length: number, rule: TileRule): Span[] {
  const padded = roundUp(length, rule.multiple);
  const largest = rule.size ?? rule.max;
  if (padded <= largest) return [{ start: 0, size: rule.size ?? padded, keep: 0, keepSize: length }];
  const count = Math.ceil((padded - 2 * rule.halo) / (largest - 2 * rule.halo));
  const size = rule.size ?? roundUp((padded + (count - 1) * 2 * rule.halo) / count, rule.multiple);
  const result: Span[] = [];
  let keep = 0;
  for (let i = 0; i < count; i++) {
    const last = i === count - 1;
    const start = last ? padded - size : i * (size - 2 * rule.halo);
    const end = last ? length : start + size - rule.halo;
    result.push({ start, size, keep, keepSize: end - keep });
    keep = end;
  }
  return result;
}

/** Tiles in reading order; their kept parts cover width × height exactly once. */
export function planTiles(width: number, height: number, rule: TileRule): Tile[] {
  const columns = spans(width, rule);
  return spans(height, rule).flatMap((row) =>
    columns.map((column) => ({
      x: column.start,
      y: row.start,
      width: column.size,
      height: row.size,
      keepX: column.keep,
      keepY: row.keep,
      keepWidth: column.keepSize,
      keepHeight: row.keepSize,
    })),
  );
}
