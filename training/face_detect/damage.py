"""What happens to a training picture after it is composed: light, blur, noise, grey, JPEG."""
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter


def light(picture: Image.Image, rng, strength: float = 1.0) -> Image.Image:
    """Gamma, contrast and a colour cast, as one look-up table per channel."""
    ramp = np.arange(256) / 255
    gamma = np.exp(rng.normal(0, 0.28 * strength))
    gain, offset = np.exp(rng.normal(0, 0.2 * strength)), rng.normal(0, 0.06 * strength)
    cast = np.exp(rng.normal(0, 0.08 * strength, len(picture.getbands())))
    return look_up(picture, [255 * ((ramp ** gamma - 0.5) * gain * c + 0.5 + offset) for c in cast])


def look_up(picture: Image.Image, tables: list[np.ndarray]) -> Image.Image:
    """One table of 256 values per channel (Pillow's `point` rounds 768 numbers in Python every time)."""
    pixels = np.asarray(picture)
    bytes_ = [np.clip(table, 0, 255).astype(np.uint8) for table in tables]
    return Image.fromarray(np.stack([table[pixels[..., i]] for i, table in enumerate(bytes_)], -1))


class Damage:
    """Draws from its own pool of noise: a fresh field per picture would cost more than the warp."""

    def __init__(self, rng, severity: float = 1.0):
        self.severity = severity
        self.pool = rng.standard_normal(1 << 21).astype(np.float32)

    def noise(self, shape: tuple, sigma: float, rng) -> np.ndarray:
        count = int(np.prod(shape))
        start = int(rng.integers(0, len(self.pool) - count))
        return self.pool[start:start + count].reshape(shape) * sigma

    def __call__(self, picture: Image.Image, rng) -> np.ndarray:
        if rng.random() < 0.6:
            picture = light(picture, rng, self.severity)
        if rng.random() < 0.12:
            picture = picture.convert("L").convert("RGB")
        if rng.random() < 0.25:
            picture = picture.filter(ImageFilter.GaussianBlur(float(abs(rng.normal(0, 0.9 * self.severity)))))
        if rng.random() < 0.3:
            x = np.asarray(picture, np.float32)
            sigma = abs(rng.normal(0, 12 * self.severity))
            if rng.random() < 0.5:
                x = x + self.noise(x.shape, sigma, rng)
            else:  # coarser: what is left after a camera's own processing
                half = self.noise((x.shape[0] // 2, x.shape[1] // 2, 3), sigma, rng)
                x = x + half.repeat(2, 0).repeat(2, 1)
            picture = Image.fromarray(np.clip(x, 0, 255).astype(np.uint8))
        if rng.random() < 0.55:
            buffer = BytesIO()
            picture.save(buffer, "JPEG", quality=int(rng.integers(round(60 - 42 * self.severity), 96)), subsampling=2 if rng.random() < 0.7 else 0)
            picture = Image.open(buffer)
        return np.asarray(picture)
