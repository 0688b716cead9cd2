"""What the product knows about a source before it restores it, computed exactly as the product does.

`src/imaging/noise.ts` and `src/imaging/jpeg-quality.ts` are the same formulas; a test holds both
against the same numbers. Training with any other estimate would teach a shortcut that the product
cannot serve.
"""
import numpy as np

# ITU-T T.81 Annex K, tables K.1 and K.2 (sums are all that is needed).
STANDARD_LUMA_SUM = 3688
STANDARD_CHROMA_SUM = 5667
BLOCK = 16
PERCENTILE = 0.2
QUIETEST = 0.02


def noise_sigma(picture: np.ndarray) -> float:
    """Noise standard deviation (0-255 scale) of HxWx3 uint8: Immerkaer's Laplacian per 16x16 block,
    20th percentile over blocks that are not clipped, mean over channels.

    Source: J. Immerkaer, Fast Noise Variance Estimation, CVIU 64 (1996); the percentile keeps
    texture out, as most pictures have some smooth part.
    """
    return _sigma(picture.astype(np.int16))


def coarse_noise_sigma(picture: np.ndarray) -> float:
    """The same on 2x2 sums, scaled so that white noise reads as in `noise_sigma`. Real cameras leave
    noise that is correlated over pixels: the fine estimate reads a tenth of it, this one most."""
    return _sigma(_halved(picture), 4) * 2


def is_grey(x: np.ndarray) -> bool:
    """`src/imaging/grey.ts`"""
    return bool((np.abs(x[..., (0, 2)].astype(np.int16) - x[..., 1:2]) <= 2).all())


def evenness(picture: np.ndarray) -> float:
    """The quietest blocks against the quiet ones, 0..1: noise lies over the whole picture, texture does not."""
    half = _halved(picture)
    sigma = _sigma(half, 4)
    return _sigma(half, 4, QUIETEST) / sigma if sigma > 0 else 0.0


def _halved(picture: np.ndarray) -> np.ndarray:
    rows, columns = picture.shape[0] // 2, picture.shape[1] // 2
    x = picture[:rows * 2, :columns * 2].astype(np.int16)
    return x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]


def _sigma(x: np.ndarray, summed: int = 1, part: float = PERCENTILE) -> float:
    """`summed`: how many pixels each sample is the sum of; `part`: which block of the ascending order."""
    second = x[:, 2:] - 2 * x[:, 1:-1] + x[:, :-2]
    second = second[2:] - 2 * second[1:-1] + second[:-2]
    rows, columns = second.shape[0] // BLOCK, second.shape[1] // BLOCK
    if rows == 0 or columns == 0:
        return 0.0
    cut = slice(0, rows * BLOCK), slice(0, columns * BLOCK)
    strength = np.abs(second[cut]).reshape(rows, BLOCK, columns, BLOCK, 3).mean((1, 3), dtype=np.float64) / summed
    level = x[1:-1, 1:-1][cut].reshape(rows, BLOCK, columns, BLOCK, 3).mean((1, 3), dtype=np.float64) / summed
    sigmas = []
    for channel in range(3):
        usable = (level[..., channel] > 8) & (level[..., channel] < 247)
        values = strength[..., channel][usable] if usable.any() else strength[..., channel].ravel()
        ordered = np.sort(values)
        sigmas.append(ordered[int(part * (len(ordered) - 1))])
    return float(np.mean(sigmas) * np.sqrt(np.pi / 2) / 6)


def quantiser_scale(table_sum: float, standard_sum: float) -> float:
    """How coarse a table is against Annex K's: 1 at quality 50, 5 at 10, 0.2 at 90."""
    return table_sum / standard_sum


def conditions(names, known: tuple[float, float, float], picture: np.ndarray) -> np.ndarray:
    """The named network conditions in [0,1]. `known`: coarseness of the luma and chroma tables, 0 where
    no table is known, and subsampling: 1 for 4:2:0, 0.5 for 4:2:2 and 4:4:0, 0 for 4:4:4 or unknown."""
    luma_scale, chroma_scale, subsampling = known
    full = np.log2(1 + 16 * 10)
    value = {
        "luma_quantiser": lambda: min(np.log2(1 + 16 * luma_scale) / full, 1.0),
        "chroma_quantiser": lambda: min(np.log2(1 + 16 * chroma_scale) / full, 1.0),
        "chroma_subsampling": lambda: subsampling,
        "noise_sigma": lambda: min(noise_sigma(picture) / 64, 1.0),
        "coarse_noise_sigma": lambda: min(coarse_noise_sigma(picture) / 64, 1.0),
    }
    return np.array([value[name]() for name in names], dtype=np.float32)


def luma_of(picture: np.ndarray) -> np.ndarray:
    """HxW int, as `lumaAt` in `src/imaging/picture.ts`."""
    return (picture.astype(np.int64) @ np.array([19595, 38470, 7471]) + 32768) >> 16


def phase_means(luma: np.ndarray) -> np.ndarray:
    """Mean step between neighbours in a row, by the column it leads to, mod 8."""
    lines = luma[::max(1, int(luma.shape[0] // max(128, 256 ** 2 / luma.shape[1])))]
    step = np.abs(np.diff(lines, axis=1))
    here, beside = step[:, 1:-1], step[:, :-2] + step[:, 2:]
    counted = (here < 32) & (beside < 32)
    # The step between pixels i-1 and i belongs to phase i mod 8; the first counted i is 2.
    phase = (np.arange(here.shape[1]) + 2) % 8
    return np.array([here[:, phase == k][counted[:, phase == k]].sum() / max(1, counted[:, phase == k].sum()) for k in range(8)])


def blocks_found(picture: np.ndarray) -> bool:
    """Whether one phase stands out of all others, as only coding blocks do: `found` in `src/imaging/blockiness.ts`."""
    luma = luma_of(picture)
    stands_out = float(np.sqrt(_stands_out(phase_means(luma)) * _stands_out(phase_means(luma.T))))
    return round(stands_out, 3) >= 1 + max(LEAST_STANDING_OUT, STANDING_OUT_BY_CHANCE / np.sqrt(luma.size))


def _stands_out(means: np.ndarray) -> float:
    second, best = np.sort(means)[-2:]
    return best / second if second > 0 else (8.0 if best > 0 else 1.0)


# The product's gate (`src/pipeline/steps/gate.ts`).
LEAST_STANDING_OUT, STANDING_OUT_BY_CHANCE = 0.05, 14
NOISY_SIGMA = 6
CLEAN_QUALITY_SCALE = 0.09  # luma coarseness of libjpeg's quality 96
CLEAN_SIGMA, CLEAN_COARSE_SIGMA, CLEAN_EVEN = 1.8, 2.0, 0.4
EVEN, LEAST_TRUST = 0.7, 0.5
LIGHT_QUALITY, LIGHT_COARSE_SIGMA, LIGHT_EVEN = 85, 5, 0.55


def is_compressed(picture: np.ndarray, luma_scale: float, known_tables: bool, earlier: bool = False) -> bool:
    return (known_tables and luma_scale > CLEAN_QUALITY_SCALE) or earlier or blocks_found(picture)


def trust(picture: np.ndarray, luma_scale: float, known_tables: bool, earlier_quality: int | None = None) -> float:
    """How much of the restoration the product blends in before it has looked at it (`weigh.trust_by`); 0 where it copies the source."""
    noise = noise_under_light_compression(picture, known_tables, earlier_quality)
    if not noise and is_compressed(picture, luma_scale, known_tables, earlier_quality is not None):
        return 1.0
    fine, coarse, even = noise_sigma(picture), coarse_noise_sigma(picture), evenness(picture)
    if fine < CLEAN_SIGMA and (coarse < CLEAN_COARSE_SIGMA or even < CLEAN_EVEN):
        return 0.0
    sure = (fine - CLEAN_SIGMA) / (NOISY_SIGMA - CLEAN_SIGMA)
    return 1.0 if even >= EVEN else min(1.0, LEAST_TRUST + (1 - LEAST_TRUST) * max(0.0, sure))


def noise_under_light_compression(picture: np.ndarray, known_tables: bool, earlier_quality: int | None) -> bool:
    """As a camera leaves it, in a file without tables that came by way of an editor: the noise is the greater harm. With tables: `weigh.py`."""
    light = not known_tables and earlier_quality is not None and earlier_quality >= LIGHT_QUALITY
    return light and coarse_noise_sigma(picture) >= LIGHT_COARSE_SIGMA and evenness(picture) >= LIGHT_EVEN


def suffering(picture: np.ndarray, known_tables: bool, sigma: float, earlier_quality: int | None = None) -> str:
    compressed = known_tables or earlier_quality is not None or blocks_found(picture)
    if noise_under_light_compression(picture, known_tables, earlier_quality):
        return "noise"
    return "compression" if compressed and sigma < NOISY_SIGMA else "noise"
