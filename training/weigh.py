"""Which of the two halves a lightly compressed picture needs: `src/imaging/noise-or-texture.ts` and `src/pipeline/steps/weigh.ts`.

Noise under a camera's compression and fine texture read alike by any estimate of the picture alone. What the noise half
takes away beyond the compression half does not: noise lies where the picture is smooth as much as where it is not, texture
does not. So both restore a sample, and where the difference between them lies decides.
"""
import numpy as np

from analysis import coarse_noise_sigma, evenness
from metrics import luma

WEIGH_QUALITY_SCALE = 0.41  # luma coarseness of libjpeg's quality 80
WEIGH_COARSE_SIGMA, WEIGH_EVEN = 2, 0.65
NOISE_SIZE, NOISE_PART, NOISE_FOLLOWS = 2, 0.4, -0.2
SIDE = 128      # of a part
PARTS = 3       # each way
BLOCK = 16
FEWEST = 24     # blocks, below which nothing is said
DARKEST, BRIGHTEST = 12, 243


def may_be_noise(picture: np.ndarray, luma_scale: float) -> bool:
    """Of a file with tables and without an earlier compression that goes to the compression half otherwise."""
    return luma_scale <= WEIGH_QUALITY_SCALE and coarse_noise_sigma(picture) >= WEIGH_COARSE_SIGMA and evenness(picture) >= WEIGH_EVEN


def is_noise(picture: np.ndarray, by_noise: np.ndarray, by_compression: np.ndarray) -> bool:
    """`picture`: the whole; the other two: restorations of its sample."""
    size, follows = difference(by_noise, by_compression)
    return size >= max(NOISE_SIZE, NOISE_PART * coarse_noise_sigma(picture)) and follows <= NOISE_FOLLOWS


def sample(picture: np.ndarray) -> np.ndarray:
    """Up to 3x3 parts of 128x128, spread over the picture and put side by side; each begins at a block of the file."""
    (tops, height), (lefts, width) = (places(n) for n in picture.shape[:2])
    return np.concatenate([np.concatenate([picture[y:y + height, x:x + width] for x in lefts], 1) for y in tops], 0)


def places(length: int) -> tuple[list[int], int]:
    side = min(SIDE, length // 8 * 8)
    count = max(1, min(PARTS, length // SIDE))
    return [round((length - side) * (i / (count - 1) if count > 1 else 0.5)) // 8 * 8 for i in range(count)], side


def blocks(x: np.ndarray) -> np.ndarray:
    rows, columns = x.shape[0] // BLOCK, x.shape[1] // BLOCK
    return x[:rows * BLOCK, :columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3).reshape(rows * columns, -1)


def difference(by_noise: np.ndarray, by_compression: np.ndarray) -> tuple[float, float]:
    """Of two restorations of one sample: root mean square of their difference in levels, and how it follows the picture's
    own contrast, -1..1: the correlation, over blocks of 16x16, of the logarithms of both. (0, 1) for too few blocks."""
    changed = np.sqrt((blocks(luma(by_compression) - luma(by_noise)) ** 2).mean(1))
    kept = blocks(luma(by_noise))
    usable = (kept.mean(1) > DARKEST) & (kept.mean(1) < BRIGHTEST)
    if usable.sum() < FEWEST:
        return 0.0, 1.0
    changed, contrast = changed[usable], kept[usable].std(1)
    follows = np.corrcoef(np.log(changed + 0.1), np.log(contrast + 0.3))[0, 1]
    return float(np.sqrt((changed ** 2).mean())), float(follows)
