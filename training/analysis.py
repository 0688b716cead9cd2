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


def noise_sigma(picture: np.ndarray) -> float:
    """Noise standard deviation (0-255 scale) of HxWx3 uint8: Immerkaer's Laplacian per 16x16 block,
    20th percentile over blocks that are not clipped, mean over channels.

    Source: J. Immerkaer, Fast Noise Variance Estimation, CVIU 64 (1996); the percentile keeps
    texture out, as most pictures have some smooth part.
    """
    x = picture.astype(np.int16)
    second = x[:, 2:] - 2 * x[:, 1:-1] + x[:, :-2]
    second = second[2:] - 2 * second[1:-1] + second[:-2]
    rows, columns = second.shape[0] // BLOCK, second.shape[1] // BLOCK
    if rows == 0 or columns == 0:
        return 0.0
    cut = slice(0, rows * BLOCK), slice(0, columns * BLOCK)
    strength = np.abs(second[cut]).reshape(rows, BLOCK, columns, BLOCK, 3).mean((1, 3), dtype=np.float64)
    level = x[1:-1, 1:-1][cut].reshape(rows, BLOCK, columns, BLOCK, 3).mean((1, 3), dtype=np.float64)
    sigmas = []
    for channel in range(3):
        usable = (level[..., channel] > 8) & (level[..., channel] < 247)
        values = strength[..., channel][usable] if usable.any() else strength[..., channel].ravel()
        ordered = np.sort(values)
        sigmas.append(ordered[int(PERCENTILE * (len(ordered) - 1))])
    return float(np.mean(sigmas) * np.sqrt(np.pi / 2) / 6)


def quantiser_scale(table_sum: float, standard_sum: float) -> float:
    """How coarse a table is against Annex K's: 1 at quality 50, 5 at 10, 0.2 at 90."""
    return table_sum / standard_sum


def conditions(luma_scale: float, chroma_scale: float, subsampling: float, sigma: float) -> np.ndarray:
    """The four network conditions in [0,1]. Scales are 0 where no quantisation table is known;
    subsampling is 1 for 4:2:0, 0.5 for 4:2:2 and 4:4:0, 0 for 4:4:4 or unknown."""
    full = np.log2(1 + 16 * 10)
    return np.array([
        min(np.log2(1 + 16 * luma_scale) / full, 1.0),
        min(np.log2(1 + 16 * chroma_scale) / full, 1.0),
        subsampling,
        min(sigma / 64, 1.0),
    ], dtype=np.float32)
