"""Whether a picture is soft, as the product asks: `src/imaging/softness.ts` and `src/pipeline/steps/softness.ts`."""
import numpy as np

from metrics import luma
from weigh import SIDE

FINEST, FINE = 0.6, 1.5
BORDER = 8
LEAST_STRUCTURE, LEAST_SIDE = 0.5, 48
BLOCK, MOST = 16, 0.9
STRUCTURED, LEAST_OF_BLOCK = 0.5, 1.0

SHARP = 0.36
SOFT_TRUST, SOFT_FINEST, SOFT_CHANGE, SOFT_CODED = 4.4, 13, 0.33, 0.27
SOFT_LATTICE, SOFT_ENLARGED = 5.0, 6.0
SOFT_LEAST = 0.1


def soft_trust(finest: float, changed: float, coarseness: float, enlarged: float) -> float:
    share = np.clip(SOFT_TRUST - SOFT_FINEST * finest - SOFT_CHANGE * np.log(changed + 0.01) - SOFT_CODED * coarseness, 0, 1)
    trusted = float(share * np.clip((SOFT_ENLARGED - enlarged) / (SOFT_ENLARGED - SOFT_LATTICE), 0, 1))
    return 0.0 if trusted * changed < SOFT_LEAST else trusted


def structure(sample: np.ndarray) -> tuple[float, float, np.ndarray] | None:
    """Root mean square of a sample's fine structure in levels, what of it is the finest, and that of its blocks (those that
    have too little NaN); None for too little."""
    if min(sample.shape[:2]) < LEAST_SIDE:
        return None
    plane = luma(sample)
    fine = _taken_by(FINE, plane)
    size = _size(fine)
    if size < LEAST_STRUCTURE:
        return None
    blocks = _blocks(fine)
    return size, _size(_taken_by(FINEST, plane)) / size, np.where(blocks >= max(LEAST_OF_BLOCK, STRUCTURED * size), blocks, np.nan)


def change(sample: np.ndarray, restored: np.ndarray, blocks: np.ndarray) -> float:
    """What a restoration changed in its luma, in parts of the structure: nine in ten of the blocks with some less."""
    parts = _blocks(luma(restored) - luma(sample)) / blocks
    parts = np.sort(parts[np.isfinite(parts)])
    return float(parts[int(MOST * (len(parts) - 1))]) if len(parts) else 0.0


def _taken_by(sigma: float, plane: np.ndarray) -> np.ndarray:
    radius = round(4 * sigma)
    kernel = np.exp(-np.arange(-radius, radius + 1) ** 2 / (2 * sigma ** 2))
    kernel /= kernel.sum()
    blurred = plane
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius, radius)
        padded, length = np.pad(blurred, pad), plane.shape[axis]
        blurred = sum(weight * np.take(padded, range(i, i + length), axis) for i, weight in enumerate(kernel))
    return plane - blurred


def _size(plane: np.ndarray) -> float:
    """Root mean square away from the sides of the sample's parts, where two places of the picture meet."""
    inside = [(np.arange(n) % SIDE >= BORDER) & (np.arange(n) % SIDE < min(SIDE, n) - BORDER) for n in plane.shape]
    return float(np.sqrt((plane[np.ix_(*inside)] ** 2).mean()))


def _blocks(plane: np.ndarray) -> np.ndarray:
    """Root mean squares of the blocks that fit there."""
    starts = [[p + i for p in range(0, n, min(SIDE, n)) for i in range(BORDER, min(SIDE, n) - BORDER - BLOCK + 1, BLOCK)] for n in plane.shape]
    places = [np.add.outer(s, np.arange(BLOCK)).ravel() for s in starts]
    square = (plane[np.ix_(*places)] ** 2).reshape(len(starts[0]), BLOCK, len(starts[1]), BLOCK)
    return np.sqrt(square.mean((1, 3)))
