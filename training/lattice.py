"""Coding blocks of a small picture that was enlarged since, as the product finds them: `src/imaging/lattice.ts` and `enlarged-jpeg.ts`."""
import numpy as np
from PIL import Image

from earlier import Earlier, find
from metrics import luma

SIDE = 1024
SOFT = 6.0
CALM, AROUND = 3.0, 5
TREND = 33
OUTLYING = 4.5
OVERSAMPLED = 2
LEVEL, LEVELS = 0.08, 8
MOST, NEARLY = 8.0, 0.9
PERIODS = (4.5, 18.0)
HARMONICS = 5
OWN = 4
LEAST_SIDE = 96

ENLARGED_SIDE, LEAST_SMALL, ASKED = 2048, 48, 384
REACH = 4
ENLARGED_PERIODS = (8.6, 40)
ENLARGED_SIGMAS, SURE_SIGMAS = 11, 20


def lattice(picture: np.ndarray) -> tuple[float, float]:
    """Evidence of blocks of another side than 8 px, 9 to 36, in HWC uint8 RGB, and that side (or half or twice that)."""
    height, width = picture.shape[:2]
    if min(height, width) < LEAST_SIDE:
        return 0.0, 0.0
    (top, rows), (left, columns) = _middle(height), _middle(width)
    plane = luma(picture[top:top + rows, left:left + columns])
    plane = (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4
    size = OVERSAMPLED * max(plane.shape)
    (across, whole_across), (down, whole_down) = (_evidence(_lines(p), size) for p in (plane, plane.T))
    both = (across + down) / np.sqrt(2)
    best = np.where(both < NEARLY * both.max(), -np.inf, whole_across + whole_down).argmax()
    return max(0.0, float(both.max())), float(4 * size / (np.ceil(2 * size / PERIODS[1]) + best))


def before_enlarging(picture: np.ndarray, period: float, grey: bool) -> tuple[Earlier, tuple[int, int]] | None:
    """The JPEG that it was when it was smaller, and its width and height then: the size at which its coefficients lie on steps."""
    height, width = picture.shape[:2]
    longer = max(height, width)
    if longer > ENLARGED_SIDE:
        return None
    for side in (period, period / 2, 2 * period):
        if not ENLARGED_PERIODS[0] <= side <= ENLARGED_PERIODS[1]:
            continue
        best = None
        for step in sorted(range(-REACH, REACH + 1), key=lambda step: (abs(step), step)):
            share = (round(8 * longer / side) + step) / longer
            size = round(width * share), round(height * share)
            earlier = find(_asked(resized(picture, size)), 0.0, grey) if min(size) >= LEAST_SMALL else None
            if earlier and earlier.sigmas >= max(ENLARGED_SIGMAS, best[0].sigmas if best else 0):
                best = earlier, size
            if best and best[0].sigmas >= SURE_SIGMAS:
                return best
        if best:
            return best
    return None


def _asked(picture: np.ndarray) -> np.ndarray:
    """The middle of it, from a place where a block would begin."""
    top, left = (max(0, n - ASKED) // 16 * 8 for n in picture.shape[:2])
    return picture[top:top + ASKED, left:left + ASKED]


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def _middle(length: int) -> tuple[int, int]:
    """Where the part that is looked at begins, and its length: even."""
    part = min(length, SIDE) // 2 * 2
    return (length - part) // 2, part


def _lines(plane: np.ndarray) -> np.ndarray:
    """How much lines bend at each column, in calm places: large bends count little more than small ones."""
    bend = np.abs(plane[:, 2:] - 2 * plane[:, 1:-1] + plane[:, :-2])
    rows, columns = (n - AROUND + 1 for n in bend.shape)
    across = sum(bend[:, i:i + columns] for i in range(AROUND))
    busy = sum(across[i:i + rows] for i in range(AROUND)) / AROUND ** 2
    bend = bend[AROUND // 2:AROUND // 2 + rows, AROUND // 2:AROUND // 2 + columns]
    weight = 1 / (1 + (busy / CALM) ** 2)
    mean = (weight * bend / (bend + SOFT)).sum(0) / weight.sum(0)
    half = TREND // 2
    sums = np.concatenate([[0], np.cumsum(mean)])
    n = len(mean)
    low, high = np.maximum(np.arange(n) - half, 0), np.minimum(np.arange(n) + half + 1, n)
    apart = mean - (sums[high] - sums[low]) / (high - low)
    most = OUTLYING * np.median(np.abs(apart))
    return np.clip(apart, -most, most) * (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(n) + 0.5) / n))


def _evidence(lines: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """By frequency, in halves of 1/size: what stands out at it and at its multiples, by `MOST` at most and by however much."""
    power = np.abs(np.fft.rfft(lines, size)[:size // 2]) ** 2
    bins = np.arange(size // 2)
    out = power / _level(power)
    # The blocks of the file itself say nothing.
    own = np.abs(bins - np.round(bins * OWN / size) * size / OWN) < 1.5 * size / len(lines)
    i = np.arange(int(np.ceil(2 * size / PERIODS[1])), int(2 * size / PERIODS[0]) + 1)
    counted, whole, count = np.zeros(len(i)), np.zeros(len(i)), np.zeros(len(i))
    for k in range(1, HARMONICS + 1):
        at = (k * i + 1) // 2
        usable = at < size // 2
        at = np.minimum(at, size // 2 - 1)
        usable &= ~own[at]
        counted += np.where(usable, np.minimum(out[at], MOST) - 1, 0)
        whole += np.where(usable, out[at], 0)
        count += usable
    scale = np.sqrt(np.maximum(count, 1))
    return counted / scale, whole / scale


def _level(power: np.ndarray) -> np.ndarray:
    """What chance has near each frequency: the mean of an exponential distribution of this median."""
    half = max(1, round(len(power) * LEVEL))
    step = max(1, half // LEVELS)
    level = np.empty_like(power)
    for at in range(0, len(power), step):
        near = power[max(0, at + step // 2 - half):at + step // 2 + half + 1]
        level[at:at + step] = np.median(near) / np.log(2) + 1e-12
    return level
