"""Degradations: a clean crop (GT) to what a camera, a phone or a website made of it (LQ).

Real encoders only (libjpeg-turbo and libwebp through Pillow). Every function takes and gives HxWx3
float32 in [0,255] unless it says otherwise; the final LQ is uint8, so noise is clipped and rounded
as it is in files.
"""
from io import BytesIO

import numpy as np
from PIL import Image

from analysis import STANDARD_CHROMA_SUM, STANDARD_LUMA_SUM, quantiser_scale

RESAMPLING = (Image.NEAREST, Image.BOX, Image.BILINEAR, Image.HAMMING, Image.BICUBIC, Image.LANCZOS)
SUBSAMPLING_CONDITION = {0: 0.0, 1: 0.5, 2: 1.0}
UNKNOWN = (0.0, 0.0, 0.0)


def to_bytes(x: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def jpeg(x: np.ndarray, quality: int, subsampling: int, progressive: bool = False):
    """Encode and decode; returns (pixels float32, (luma scale, chroma scale, subsampling))."""
    buffer = BytesIO()
    Image.fromarray(to_bytes(x)).save(buffer, "JPEG", quality=quality, subsampling=subsampling,
                                      progressive=progressive, optimize=progressive)
    decoded = Image.open(buffer)
    tables = decoded.quantization
    luma, chroma = sum(tables[0]), sum(tables.get(1, tables[0]))
    known = (quantiser_scale(luma, STANDARD_LUMA_SUM), quantiser_scale(chroma, STANDARD_CHROMA_SUM),
             SUBSAMPLING_CONDITION[subsampling])
    return np.asarray(decoded, np.float32), known


def webp(x: np.ndarray, quality: int) -> np.ndarray:
    buffer = BytesIO()
    Image.fromarray(to_bytes(x)).save(buffer, "WEBP", quality=quality, method=0)
    return np.asarray(Image.open(buffer).convert("RGB"), np.float32)


def draw_subsampling(rng) -> int:
    return int(rng.choice((2, 0, 1), p=(0.7, 0.2, 0.1)))


def draw_quality(rng) -> int:
    """5-98, denser where pictures look bad, oversampled from 85 on where networks do harm."""
    draw = rng.random()
    if draw < 0.22:
        return int(rng.integers(85, 99))
    if draw < 0.75:
        return int(rng.integers(5, 50))
    return int(rng.integers(40, 90))


def correlated(noise: np.ndarray, rng) -> np.ndarray:
    """Blur the noise field as demosaicing, in-camera denoising and scaling do, keeping its power."""
    for _ in range(rng.integers(1, 4)):
        weight = rng.uniform(0.2, 0.9)
        for axis in (0, 1):
            noise = noise + weight * (np.roll(noise, 1, axis) + np.roll(noise, -1, axis))
            noise /= np.sqrt(1 + 2 * weight * weight)
    return noise / max(float(noise.std()), 1e-6)


def sensor(x: np.ndarray, rng) -> np.ndarray:
    """What a phone leaves after its own pipeline: fine luma noise, coarse colour noise, stronger in the dark."""
    luma = rng.standard_normal(x.shape[:2] + (1,), np.float32)
    if rng.random() < 0.7:
        luma = correlated(luma, rng)
    colour = correlated(correlated(rng.standard_normal(x.shape, np.float32), rng), rng)
    colour -= colour.mean(2, keepdims=True)
    field = luma + rng.uniform(0.3, 1.6) * colour
    tone = np.power(np.maximum(x.mean(2, keepdims=True), 4) / 128, rng.uniform(-0.5, 0.5))
    return field * tone / max(float(field.std()), 1e-6)


# Camera colours to sRGB of a common phone and of a common camera; rows add up to one, so that grey stays grey.
CAMERA_TO_SRGB = np.array(((1.7, -0.55, -0.15), (-0.25, 1.6, -0.35), (0.05, -0.6, 1.55)), np.float32)


def to_linear(x: np.ndarray) -> np.ndarray:
    """sRGB in [0,255] to light in [0,1] (IEC 61966-2-1)."""
    v = np.clip(x, 0, 255) / 255
    return np.where(v <= 0.04045, v / 12.92, np.power((v + 0.055) / 1.055, 2.4))


def raw(x: np.ndarray, sigma: float, rng) -> np.ndarray:
    """Noise as it is in a photograph that nobody smoothed: of the light and of the reading, on a Bayer mosaic, then through
    interpolation, white balance, colour matrix and tone curve with the picture (as Brooks et al., Unprocessing Images for
    Learned Raw Denoising, CVPR 2019, whose relation of both kinds this is). Red and blue are known at every fourth pixel and
    amplified most: they are half as strong again as green and reach over two pixels. `sigma` is the mean over the crop."""
    light = to_linear(x)
    matrix = np.eye(3, dtype=np.float32) + rng.uniform(0, 0.9) * (CAMERA_TO_SRGB - np.eye(3, dtype=np.float32))
    gains = np.array((rng.uniform(1.4, 2.6), 1, rng.uniform(1.3, 2.4)), np.float32)
    camera = np.maximum(light @ np.linalg.inv(matrix).T, 0) / gains
    reading = 10 ** rng.uniform(-3, -1.5)
    field = rng.standard_normal(x.shape, np.float32) * np.sqrt(camera + reading)
    rows, columns = (np.arange(n)[:, None] + rng.integers(2) for n in x.shape[:2])
    rows, columns = rows % 2 == 0, columns.T % 2 == 0
    around = lambda f, axis: np.roll(f, 1, axis) + np.roll(f, -1, axis)
    green = field[..., 1] * (rows != columns)
    green = green + (around(green, 0) + around(green, 1)) / 4
    # Interpolated by itself, or, as all better programs do, by its difference to green.
    beside = green * rng.choice((0, 1), p=(0.3, 0.7))
    planes = [beside, green, beside]
    for channel, known in ((0, rows & columns), (2, ~rows & ~columns)):
        sparse = (field[..., channel] - beside) * known
        for axis in (0, 1):
            sparse = sparse + around(sparse, axis) / 2
        planes[channel] = planes[channel] + sparse
    field = (np.stack(planes, 2) * gains) @ matrix.T
    # By the slope of the tone curve alone: its bend makes noisy tones darker on average, and colours are not to move.
    field *= np.minimum(12.92, 0.44 * np.power(np.maximum(light, 1e-4), 1 / 2.4 - 1))
    return x + field * (sigma / max(float(field.std()), 1e-6))


def add_noise(x: np.ndarray, sigma: float, kind: str, rng) -> np.ndarray:
    if kind == "raw":
        return raw(x, 0.7 * sigma, rng)
    if kind == "sensor":
        return x + sensor(x, rng) * (0.6 * sigma)
    if kind == "poisson":
        # Shot noise: variance grows with brightness; scaled to reach sigma at mid grey.
        field = rng.standard_normal(x.shape, np.float32) * (np.sqrt(np.maximum(x, 1) / 128) * sigma)
    elif kind == "grey":
        field = rng.standard_normal(x.shape[:2] + (1,), np.float32) * sigma
    else:
        field = rng.standard_normal(x.shape, np.float32)
        if kind == "channels":
            field = 0.6 * field + 0.8 * field.mean(2, keepdims=True) * np.sqrt(3)
        elif kind == "correlated":
            field = 0.7 * correlated(field, rng)
        field = field * sigma
    return x + field


def draw_noise_kind(rng) -> str:
    return str(rng.choice(("white", "poisson", "grey", "channels", "correlated", "sensor", "raw"),
                          p=(0.36, 0.08, 0.06, 0.05, 0.13, 0.13, 0.19)))


def blur(x: np.ndarray, rng) -> np.ndarray:
    """Anisotropic Gaussian, or a short straight motion, as one small dense kernel."""
    size, half = 9, 4
    grid = np.arange(-half, half + 1, dtype=np.float32)
    gx, gy = np.meshgrid(grid, grid)
    angle = rng.uniform(0, np.pi)
    along, across = gx * np.cos(angle) + gy * np.sin(angle), -gx * np.sin(angle) + gy * np.cos(angle)
    first = rng.uniform(0.3, 1.8)
    second = first if rng.random() < 0.6 else rng.uniform(0.3, 1.8)
    if rng.random() < 0.15:
        first, second = rng.uniform(1.0, 2.6), 0.35
    kernel = np.exp(-0.5 * ((along / first) ** 2 + (across / second) ** 2))
    kernel /= kernel.sum()
    padded = np.pad(x, ((half, half), (half, half), (0, 0)), "reflect")
    out = np.zeros_like(x)
    for i in range(size):
        for j in range(size):
            if kernel[i, j] > 1e-4:
                out += kernel[i, j] * padded[i:i + x.shape[0], j:j + x.shape[1]]
    return out


def resample(x: np.ndarray, rng) -> np.ndarray:
    """Down (or up) and back with two drawn filters: what a bad resizer leaves."""
    height, width = x.shape[:2]
    factor = rng.uniform(0.45, 0.95) if rng.random() < 0.8 else rng.uniform(1.05, 1.5)
    small = (max(8, round(width * factor)), max(8, round(height * factor)))
    picture = Image.fromarray(to_bytes(x)).resize(small, RESAMPLING[rng.integers(1, 6)])
    return np.asarray(picture.resize((width, height), RESAMPLING[rng.integers(2, 6)]), np.float32)


def sharpen(x: np.ndarray, rng) -> np.ndarray:
    soft = (np.roll(x, 1, 0) + np.roll(x, -1, 0) + np.roll(x, 1, 1) + np.roll(x, -1, 1)) / 4
    return x + rng.uniform(0.1, 0.6) * (x - soft)


# Share of the pictures with an earlier compression in which the product finds its grid and its coarseness (`earlier.py`).
FOUND = 0.5


def earlier_found(x, rng, size: int, dy: int, dx: int):
    """Double JPEG seen from the grid of its first, coarser compression: that one begins at (0, 0) and its tables are told."""
    first, known = jpeg(x, int(rng.integers(5, 60)), draw_subsampling(rng))
    # The second grid begins 1-7 px inside; the strips before it are seldom seen and stay as they were.
    within = first[dy:size, dx:size]
    second, _ = jpeg(within, int(rng.integers(30, 96)), draw_subsampling(rng))
    found = first[:size, :size].copy()
    found[dy:, dx:] = second
    return found, known, (0, 0)


def jpeg_only(x, rng, size: int):
    draw = rng.random()
    quality, subsampling = draw_quality(rng), draw_subsampling(rng)
    if draw < 0.22:
        # Shifted double JPEG: the first grid is off the second by 1-7 px.
        dy, dx = rng.integers(0, 8, 2)
        if rng.random() < FOUND:
            return earlier_found(x, rng, size, int(dy), int(dx))
        first, _ = jpeg(x, int(rng.integers(8, 80)), draw_subsampling(rng))
        second, known = jpeg(first[dy:dy + size, dx:dx + size], max(quality, 20), subsampling)
        return second, known, (dy, dx)
    if draw < 0.36:
        # A JPEG that was cropped and saved losslessly: the grid is anywhere and nothing is known, or both were found.
        dy, dx = rng.integers(0, 8, 2)
        first, known = jpeg(x, quality, subsampling)
        if rng.random() < FOUND:
            return first[:size, :size], known, (0, 0)
        return first[dy:dy + size, dx:dx + size], UNKNOWN, (dy, dx)
    once, known = jpeg(x[:size, :size], quality, subsampling, progressive=rng.random() < 0.1)
    return once, known, (0, 0)


def mixed(x, rng, size: int):
    steps = ["blur"] * (rng.random() < 0.5) + ["resample"] * (rng.random() < 0.4)
    steps += ["noise"] * (rng.random() < 0.65) + ["sharpen"] * (rng.random() < 0.12)
    rng.shuffle(steps)
    if rng.random() < 0.2:
        steps += ["jpeg", "noise"]
    known = UNKNOWN
    y = x[:size, :size]
    for step in steps:
        if step == "blur":
            y = blur(y, rng)
        elif step == "resample":
            y = resample(y, rng)
        elif step == "noise":
            y = add_noise(y, rng.uniform(1, 30), draw_noise_kind(rng), rng)
        elif step == "sharpen":
            y = sharpen(y, rng)
        else:
            y, _ = jpeg(y, int(rng.integers(40, 96)), draw_subsampling(rng))
    if rng.random() < 0.7:
        y, known = jpeg(y, int(rng.integers(15, 97)), draw_subsampling(rng))
    elif rng.random() < 0.1:
        y = webp(y, int(rng.integers(30, 96)))
    return y, known, (0, 0)


def soft(x, rng, size: int):
    """Blur or a bad resizer and little else: hardly any noise, compressed no more than a web page's pictures, if at all."""
    y = x[:size, :size]
    if rng.random() < 0.1:
        y = sharpen(y, rng)
    draw = rng.random()
    steps = [blur, resample] if draw < 0.15 else [blur] if draw < 0.6 else [resample]
    rng.shuffle(steps)
    return *as_file(y, rng, steps, noise=(0.5, 0.2, 1.8), coding=(0.5, 75, 100)), (0, 0)


def as_file(y, rng, steps, noise, coding):
    """Softened by `steps`, then at times with noise and compressed; of both the share, and from which to which sigma or quality."""
    known = UNKNOWN
    for step in steps:
        y = step(y, rng)
    if rng.random() < noise[0]:
        y = add_noise(y, rng.uniform(*noise[1:]), draw_noise_kind(rng), rng)
    if rng.random() < coding[0]:
        y, known = jpeg(y, int(rng.integers(*coding[1:])), draw_subsampling(rng))
    return y, known


def soft_file(x, rng, size: int):
    """Soft pictures as most of them come: with noise at times, and compressed as far as it goes."""
    steps = [blur] * (rng.random() < 0.7) or [resample]
    steps += [resample] * (rng.random() < 0.15)
    return *as_file(x[:size, :size], rng, steps, noise=(0.35, 0.5, 20), coding=(0.85, 15, 97)), (0, 0)


def enlarged(x, rng, size: int):
    """A small picture, as a rule compressed, that somebody enlarged, and mostly compressed again: its blocks then have another
    side, and what is soft in it is no blur to be taken away."""
    factor = rng.uniform(1.15, 3.5)
    small = max(24, round(size / factor))
    y = np.asarray(Image.fromarray(to_bytes(x[:size, :size])).resize((small, small), RESAMPLING[rng.integers(1, 6)]), np.float32)
    known = UNKNOWN
    if rng.random() < 0.85:
        # Its grid begins anywhere.
        dy, dx = rng.integers(0, 8, 2)
        y = jpeg(np.pad(y, ((dy, 0), (dx, 0), (0, 0)), "edge"), int(rng.integers(20, 96)), draw_subsampling(rng))[0][dy:, dx:]
    y = np.asarray(Image.fromarray(to_bytes(y)).resize((size, size), RESAMPLING[rng.integers(2, 6)]), np.float32)
    if rng.random() < 0.6:
        y, known = jpeg(y, int(rng.integers(40, 97)), draw_subsampling(rng))
    return y, known, (0, 0)


# Share of the noisy pictures that come as the file a camera writes: noise, then light compression.
CAMERA_FILE = 0.25

# JPEG learns slowest (small residuals), so it is drawn most; measured in LOG.md.
MIXTURE = (("clean", 0.10), ("jpeg", 0.54), ("noise", 0.17), ("mixed", 0.19))


def degrade(gt: np.ndarray, size: int, rng, mixture=MIXTURE):
    """GT (size+8)x(size+8)x3 uint8 -> (LQ uint8 size^2, GT uint8 size^2, what is known of its compression)."""
    x = gt.astype(np.float32)
    known, shift = UNKNOWN, (0, 0)
    kind = rng.choice([name for name, _ in mixture], p=[weight for _, weight in mixture])
    if kind == "clean":
        y = x[:size, :size]
        if rng.random() < 0.4:
            y, known = jpeg(y, int(rng.integers(93, 100)), draw_subsampling(rng))
    elif kind == "jpeg":
        y, known, shift = jpeg_only(x, rng, size)
    elif kind == "noise":
        y = add_noise(x[:size, :size], rng.uniform(1, 60), draw_noise_kind(rng), rng)
        if rng.random() < CAMERA_FILE:
            y, known = jpeg(y, int(rng.integers(75, 98)), draw_subsampling(rng))
    elif kind == "soft":
        y, known, shift = soft(x, rng, size)
    elif kind == "soft_file":
        y, known, shift = soft_file(x, rng, size)
    elif kind == "enlarged":
        y, known, shift = enlarged(x, rng, size)
    else:
        y, known, shift = mixed(x, rng, size)
    lq = to_bytes(y)
    truth = gt[shift[0]:shift[0] + size, shift[1]:shift[1] + size]
    return lq, truth, known
