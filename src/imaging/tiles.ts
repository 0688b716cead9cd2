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
  /** The largest tile has so many pixels squared, in whatever shape: it bounds memory. */
  readonly max: number;
  /** The only tile side the network takes; smaller pictures are padded to it. */
  readonly size?: number;
}

/** One side in `count` equal parts of `side` pixels, context included. */
interface Cut {
  readonly count: number;
  readonly side: number;
}

interface Span {
  readonly start: number;
  readonly size: number;
  readonly keep: number;
  readonly keepSize: number;
}

/** What a tile costs beside its pixels, in pixels: calls, copies. Keeps tiny pictures whole. */
const CALL = 64 ** 2;
/** So many largest tiles may be in work at once; more lanes get smaller ones, so that memory stays bounded. */
const LARGEST_AT_ONCE = 2;

const roundUp = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** Every useful number of tiles along one side, fewest first: a further one only where it makes them smaller. */
function cuts(length: number, rule: TileRule): readonly Cut[] {
  const { multiple, halo, size } = rule;
  const padded = roundUp(length, multiple);
  if (size !== undefined) return [{ count: padded <= size ? 1 : Math.ceil((padded - 2 * halo) / (size - 2 * halo)), side: size }];
  const result: Cut[] = [{ count: 1, side: padded }];
  for (let count = 2, last = padded; last > 2 * halo + multiple; count++) {
    const side = roundUp((padded + (count - 1) * 2 * halo) / count, multiple);
    if (side < last) result.push({ count, side });
    last = side;
  }
  return result;
}

/**
 * Cuts one side into equal tiles, so the engine's memory plan is reused. Their kept parts touch without
 * overlap: neighbours agree within the receptive field, so no blending is needed.
 */
function spans(length: number, { count, side }: Cut, { multiple, halo }: TileRule): Span[] {
  if (count === 1) return [{ start: 0, size: side, keep: 0, keepSize: length }];
  const result: Span[] = [];
  let keep = 0;
  for (let i = 0; i < count; i++) {
    const last = i === count - 1;
    const start = last ? roundUp(length, multiple) - side : i * (side - 2 * halo);
    const end = last ? length : start + side - halo;
    result.push({ start, size: side, keep, keepSize: end - keep });
    keep = end;
  }
  return result;
}

/** Columns and rows, 0-7, that are fed before the picture, so that tiles begin where its blocks do. */
export interface Lead {
  readonly x: number;
  readonly y: number;
}

/** The tiles of a picture that is larger by `lead`, in the picture's own coordinates: the first begin before it. */
export function planTilesOnGrid(width: number, height: number, rule: TileRule, lead: Lead, lanes = 1): Tile[] {
  const cut = (keep: number, size: number, before: number) => [Math.max(0, keep - before), keep + size - before] as const;
  return planTiles(width + lead.x, height + lead.y, rule, lanes).flatMap((tile) => {
    const [left, right] = cut(tile.keepX, tile.keepWidth, lead.x);
    const [top, bottom] = cut(tile.keepY, tile.keepHeight, lead.y);
    const keep = { keepX: left, keepY: top, keepWidth: right - left, keepHeight: bottom - top };
    return right > left && bottom > top ? [{ ...tile, x: tile.x - lead.x, y: tile.y - lead.y, ...keep }] : [];
  });
}

/**
 * Tiles in reading order; their kept parts cover width × height exactly once. All have one size. How
 * many columns and rows: what `lanes` that compute side by side finish first, counting the context
 * that every cut makes them compute twice.
 */
export function planTiles(width: number, height: number, rule: TileRule, lanes = 1): Tile[] {
  const { columns, rows } = fastest(width, height, rule, lanes);
  const across = spans(width, columns, rule);
  return spans(height, rows, rule).flatMap((row) =>
    across.map((column) => ({
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

function fastest(width: number, height: number, rule: TileRule, lanes: number): { readonly columns: Cut; readonly rows: Cut } {
  const across = cuts(width, rule);
  const down = cuts(height, rule);
  const [narrowest, lowest] = [across.at(-1) as Cut, down.at(-1) as Cut];
  // The smallest possible tile may be larger than a lane's share, but never than the largest tile.
  const largest = Math.max(rule.max ** 2 * Math.min(1, LARGEST_AT_ONCE / lanes), narrowest.side * lowest.side);
  let best = { columns: narrowest, rows: lowest, cost: Number.POSITIVE_INFINITY };
  for (const row of down) {
    const first = across.findIndex((column) => column.side * row.side <= largest);
    if (first < 0) continue;
    // More cuts only cost more, but for evening out the lanes.
    for (const column of across.slice(first, first + lanes)) {
      const cost = Math.ceil((column.count * row.count) / lanes) * (column.side * row.side + CALL);
      if (cost < best.cost) best = { columns: column, rows: row, cost };
    }
  }
  return best;
}
