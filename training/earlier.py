"""An earlier JPEG compression, found in the pixels: its block grid and how coarse it was. `src/imaging/earlier-jpeg.ts`.

What was quantised once keeps its DCT coefficients near multiples of the steps, whatever was done after on another grid
or with finer steps. After: Z. Fan, R. de Queiroz, Identification of bitmap compression history, IEEE TIP 12 (2003), which
looks for one step; here one characteristic function is summed over ten coefficients and Annex K's tables of a quality.
"""
from dataclasses import dataclass

import numpy as np

from analysis import STANDARD_CHROMA_SUM, STANDARD_LUMA_SUM, luma_of, quantiser_scale

# ITU-T T.81 Annex K, tables K.1 and K.2.
LUMA = np.array([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99]).reshape(8, 8)
CHROMA = np.full((8, 8), 99)
CHROMA[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]

# Frequencies (down, across): the mean and the lowest nine, which are seldom zero.
PLACES = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))
QUALITIES = range(6, 96)
FEW, MANY = 256, 1024


def table(standard: np.ndarray, quality: int) -> np.ndarray:
    """libjpeg's table at a quality."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((standard * scale + 50) // 100, 1, 255)


_K = np.arange(8)
DCT = np.cos((2 * _K[None] + 1) * _K[:, None] * np.pi / 16) * np.where(_K[:, None] == 0, np.sqrt(1 / 8), 0.5)
STEPS = np.array([[table(LUMA, q)[p] for p in PLACES] for q in QUALITIES])


def windows(luma: np.ndarray, most: int) -> np.ndarray:
    """At most so many squares of 15 px, spread over the picture, at multiples of 16: each holds a block of every phase.
    Those with a clipped pixel are left out."""
    rows, columns = (luma.shape[0] + 1) // 16, (luma.shape[1] + 1) // 16
    total = rows * columns
    at = np.arange(0, total, 1 if total <= most else -(-total // most) | 1)
    if not total:
        return np.zeros((0, 15, 15), luma.dtype)
    squares = np.stack([luma[16 * (i // columns):, 16 * (i % columns):][:15, :15] for i in at])
    return squares[(squares.min((1, 2)) > 0) & (squares.max((1, 2)) < 255)]


def magnitudes(squares: np.ndarray, top: int, left: int) -> np.ndarray:
    """Squares x PLACES: what the block that begins there is made of, to an eighth."""
    both = DCT[:4] @ (squares[:, top:top + 8, left:left + 8] - 128.0) @ DCT[:4].T
    return np.rint(8 * np.abs(both[:, [p[0] for p in PLACES], [p[1] for p in PLACES]])) / 8


def evidence(found: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of steps (tables x PLACES) how near the magnitudes are to multiples: mean cosine (1: on them, 0: anywhere),
    and the same in standard deviations of what magnitudes anywhere would give."""
    total, count = np.zeros(len(steps)), np.zeros(len(steps))
    for place in range(len(PLACES)):
        x, step = found[:, place, None], steps[None, :, place]
        # What was rounded to zero says nothing of the step. Neither do means that are all alike.
        counted = x > step / 2 if place else np.broadcast_to(len(x) and x.std() > step, (len(x), len(steps)))
        total += (np.cos(2 * np.pi / step * x) * counted).sum(0)
        count += counted.sum(0)
    return total / np.maximum(count, 1), total / np.sqrt(np.maximum(count, 1) / 2)


@dataclass(frozen=True)
class Earlier:
    """Where its blocks begin (0-7), libjpeg's quality, and what `degrade.jpeg` says of a file: scales and subsampling."""
    top: int
    left: int
    quality: int
    known: tuple[float, float, float]
    mean: float
    sigmas: float


# From so many standard deviations on (no picture without an earlier compression reaches 9) and so near the multiples.
SIGMAS, NEAR = 9, 0.1
# A low quality has few steps to show, and the file's own multiples fall on some of coarser ones.
NEAR_COARSE, COARSE_QUALITY = 0.35, 20
# Against the file's own tables; below it the earlier one hardly counts.
COARSER = 1.5
# Chroma of full resolution: evidence in its planes, and from which quality on it matters.
FULL_CHROMA, NEAR_FULL, FULL_QUALITY = 13, 0.4, 40


def find(picture: np.ndarray, own: float = 0.0, grey: bool = False) -> Earlier | None:
    """HxWx3 uint8 -> the earlier compression that is coarser than the file's own tables (`own`: their luma scale, 0 without any)."""
    luma = luma_of(picture)
    coarser = np.array([q for q in QUALITIES if table(LUMA, q).sum() / STANDARD_LUMA_SUM >= COARSER * own], int)
    steps = STEPS[coarser - QUALITIES[0]]
    few = windows(luma, FEW)
    if not len(few) or not len(steps):
        return None
    _, top, left = max((evidence(magnitudes(few, top, left), steps[::2])[1].max(), top, left) for top in range(8) for left in range(8))
    nears, all_sigmas = evidence(magnitudes(windows(luma, MANY), top, left), steps)
    at = int(all_sigmas.argmax())
    near, sigmas, quality = float(nears[at]), float(all_sigmas[at]), int(coarser[at])
    if sigmas < SIGMAS or near < (NEAR_COARSE if quality < COARSE_QUALITY or (own and top == left == 0) else NEAR):
        return None
    scale = quantiser_scale(table(LUMA, quality).sum(), STANDARD_LUMA_SUM)
    chroma = quantiser_scale(table(CHROMA, quality).sum(), STANDARD_CHROMA_SUM)
    full = grey or (quality >= FULL_QUALITY and _full_chroma(picture, quality, top, left))
    return Earlier(top, left, quality, (scale, scale if grey else chroma, 0.0 if full else 1.0), near, sigmas)


def _full_chroma(picture: np.ndarray, quality: int, top: int, left: int) -> bool:
    steps = np.array([[table(CHROMA, quality)[p] for p in PLACES]])
    planes = np.floor(128.5 + picture.astype(np.float64) @ np.array([[-0.168736, 0.5], [-0.331264, -0.418688], [0.5, -0.081312]]))
    nears, sigmas = np.array([np.ravel(evidence(magnitudes(windows(planes[..., c], MANY), top, left), steps)) for c in (0, 1)]).T
    return sigmas.max() >= FULL_CHROMA and nears.mean() >= NEAR_FULL
