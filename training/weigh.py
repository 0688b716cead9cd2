"""Which of the two halves a lightly compressed picture needs: `src/imaging/noise-or-texture.ts` and `src/pipeline/steps/weigh.ts`.

Noise under a camera's compression and fine texture read alike by any estimate of the picture alone. What the noise half
takes away beyond the compression half does not: noise lies where the picture is smooth as much as where it is not, texture
does not. So both restore a sample, and where the difference between them lies decides.
"""
import numpy as np

from analysis import coarse_noise_sigma, evenness, is_grey
from metrics import luma

WEIGH_QUALITY_SCALE = 0.41  # luma coarseness of libjpeg's quality 80
WEIGH_COARSE_SIGMA, WEIGH_EVEN = 2, 0.6
NOISE_SIZE, NOISE_SIZE_GREY, NOISE_PART, NOISE_FOLLOWS = 2, 4, 0.45, 1
TRUST_EVEN, TRUST_FOLLOWS, TRUST_LESS, TRUST_SIZE, STRONG = 1.9, 1.3, 0.7, 0.6, 0.9
GRAIN_LEFT, GRAIN_ENDS = 0.25, 14
SIDE = 128      # of a part
PARTS = 3       # each way
BLOCK = 16
FEWEST = 24     # blocks, below which nothing is said
DARKEST, BRIGHTEST = 12, 243
TINY = 1e-9     # sums of squares that are rounding errors


def may_be_noise(picture: np.ndarray, luma_scale: float) -> bool:
    """Of a picture with tables, its file's or found ones, that goes to the compression half otherwise."""
    return luma_scale <= WEIGH_QUALITY_SCALE and coarse_noise_sigma(picture) >= WEIGH_COARSE_SIGMA and evenness(picture) >= WEIGH_EVEN


def is_noise(picture: np.ndarray, by_noise: np.ndarray, by_compression: np.ndarray) -> bool:
    """`picture`: the whole; the other two: restorations of its sample."""
    taken = difference(by_noise, by_compression)
    if taken is None:
        return False
    size, follows = taken
    least = NOISE_SIZE_GREY if is_grey(picture) else NOISE_SIZE
    return size >= max(least, NOISE_PART * coarse_noise_sigma(picture)) and follows <= np.log(size) - NOISE_FOLLOWS


def trust_by(taken: tuple[float, float], even: float) -> float:
    """Share of a restoration to be believed by what it took away: `src/pipeline/steps/trust.ts`."""
    size, follows = taken
    return float(np.clip(TRUST_EVEN * even - TRUST_FOLLOWS * follows - TRUST_LESS + TRUST_SIZE * max(0, np.log(size + 0.1) - STRONG), 0, 1))


def grain_left(size: float) -> float:
    """Part of what was taken away that is given back, by its size in levels: `src/pipeline/steps/grain.ts`."""
    return GRAIN_LEFT * max(0, 1 - size / GRAIN_ENDS)


def sample(picture: np.ndarray) -> np.ndarray:
    """Up to 3x3 parts of 128x128, spread over the picture and put side by side; each begins at a block of the file."""
    (tops, height), (lefts, width) = (places(n) for n in picture.shape[:2])
    return np.concatenate([np.concatenate([picture[y:y + height, x:x + width] for x in lefts], 1) for y in tops], 0)


def places(length: int) -> tuple[list[int], int]:
    side = min(SIDE, length // 8 * 8)
    count = max(1, min(PARTS, length // SIDE))
    return [round((length - side) * (i / (count - 1) if count > 1 else 0.5)) // 8 * 8 for i in range(count)], side


def blocks(x: np.ndarray) -> np.ndarray:
    """HxW or HxWxC to a row per block of 16x16, C planes of it in the last axis but one."""
    x = np.atleast_3d(x)
    rows, columns = x.shape[0] // BLOCK, x.shape[1] // BLOCK
    x = x[:rows * BLOCK, :columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, -1)
    return x.transpose(0, 2, 4, 1, 3).reshape(rows * columns, -1, BLOCK * BLOCK)


def difference(by_noise: np.ndarray, by_compression: np.ndarray) -> tuple[float, float] | None:
    """Of two restorations of one sample: root mean square of their difference in levels, over the colours, and how it follows
    the picture's own contrast, -1..1: the correlation, over blocks of 16x16, of the logarithms of both, less what either owes
    to the brightness, as a camera's noise does. None for too few blocks."""
    bold = by_noise.astype(np.float64)
    brightness = blocks(luma(by_noise)).mean((1, 2))
    usable = (brightness > DARKEST) & (brightness < BRIGHTEST)
    if usable.sum() < FEWEST:
        return None
    changed = np.sqrt((blocks(by_compression - bold)[usable] ** 2).mean((1, 2)))
    contrast = np.sqrt(blocks(bold)[usable].var(2).mean(1))
    level = brightness[usable] / 255
    axes = []
    for axis in (level, level ** 2):
        axes.append(without(axes, axis - axis.mean()))
    change, own = (without(axes, x - x.mean()) for x in (np.log(changed + 0.1), np.log(contrast + 0.3)))
    alone = np.sqrt((change @ change) * (own @ own))
    return float(np.sqrt((changed ** 2).mean())), float(change @ own / alone) if alone > TINY else 0.0


def without(axes: list[np.ndarray], values: np.ndarray) -> np.ndarray:
    """Centred values less their part along each axis."""
    for axis in axes:
        length = axis @ axis
        values = values - (values @ axis / length if length > TINY else 0) * axis
    return values
