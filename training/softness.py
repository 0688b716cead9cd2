"""Whether a picture is soft, as the product asks: `src/imaging/softness.ts` and `src/pipeline/steps/softness.ts`."""
import numpy as np

from analysis import CLEAN_QUALITY_SCALE, CLEAN_SIGMA, blocks_found, noise_sigma
from metrics import luma
from weigh import SIDE

FINEST, FINE = 0.6, 1.5
BORDER = 8
LEAST_STRUCTURE, LEAST_SIDE = 0.5, 48

SOFT_QUALITY_SCALE = 0.41  # luma coarseness of libjpeg's quality 80
SHARP = 0.4
SOFT_TRUST, SOFT_FINEST, SOFT_CHANGE, SOFT_CHANGED = 1.5, 4.3, 0.3, 0.36
SOFT_LEAST, SOFT_SURE = 0.1, 0.5


def may_be_soft(picture: np.ndarray, which: str, trusted: float, luma_scale: float, known_tables: bool) -> bool:
    """`which`, `trusted`: by what was found so far. `known_tables`: the file's own or those found in the pixels."""
    if noise_sigma(picture) >= CLEAN_SIGMA:
        return False
    if known_tables and luma_scale > CLEAN_QUALITY_SCALE:
        return which == "compression" and luma_scale <= SOFT_QUALITY_SCALE
    return trusted == 0 and not blocks_found(picture)


def soft_trust(finest: float, changed: float, compressed: bool) -> float:
    trusted = float(np.clip(max(SOFT_TRUST - SOFT_FINEST * finest + SOFT_CHANGE * changed, changed - SOFT_CHANGED), 0, 1))
    return trusted if trusted >= (SOFT_SURE if compressed else SOFT_LEAST) else 0.0


def structure(sample: np.ndarray) -> tuple[float, float] | None:
    """Root mean square of a sample's fine structure in levels, and what of it is the finest; None for too little."""
    if min(sample.shape[:2]) < LEAST_SIDE:
        return None
    plane = luma(sample)
    size = _taken_by(FINE, plane)
    return None if size < LEAST_STRUCTURE else (size, _taken_by(FINEST, plane) / size)


def change(sample: np.ndarray, restored: np.ndarray, size: float) -> float:
    """Root mean square of what a restoration changed in its luma, in parts of `size`."""
    return _size(luma(restored) - luma(sample)) / size


def _taken_by(sigma: float, plane: np.ndarray) -> float:
    radius = round(4 * sigma)
    kernel = np.exp(-np.arange(-radius, radius + 1) ** 2 / (2 * sigma ** 2))
    kernel /= kernel.sum()
    blurred = plane
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius, radius)
        padded, length = np.pad(blurred, pad), plane.shape[axis]
        blurred = sum(weight * np.take(padded, range(i, i + length), axis) for i, weight in enumerate(kernel))
    return _size(plane - blurred)


def _size(plane: np.ndarray) -> float:
    """Root mean square away from the sides of the sample's parts, where two places of the picture meet."""
    inside = [(np.arange(n) % SIDE >= BORDER) & (np.arange(n) % SIDE < min(SIDE, n) - BORDER) for n in plane.shape]
    return float(np.sqrt((plane[np.ix_(*inside)] ** 2).mean()))
