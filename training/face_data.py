"""Aligned faces and what portraits suffer: blur, low resolution, noise, JPEG, in that order or twice."""
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.utils.data import IterableDataset

from data import split
from degrade import RESAMPLING, add_noise, blur, draw_noise_kind, draw_subsampling, jpeg, to_bytes
from face_model import SIDE, STEP

MARGIN = 32
# Share of crops of each kind. Light ones are common in practice and the easiest to do harm to.
KINDS = (("clean", 0.10), ("light", 0.30), ("portrait", 0.60))


def faces(root: Path, exclude: list[str]) -> tuple[list[Path], list[Path]]:
    """(training files, validation files): every twentieth of the sorted list validates, by person."""
    files = [f for f in (root / "train-face").glob("*.webp") if not f.name.startswith(tuple(exclude) or ("\0",))]
    train, validation = split(files)
    # One person stands in several files (neutral and smiling): none may be on both sides.
    held = {person(f) for f in validation}
    return [f for f in train if person(f) not in held], validation


def person(file: Path) -> str:
    return file.stem[:-1] if file.stem.startswith("london") else file.stem


def weight_map() -> np.ndarray:
    """512x512 float32: 1 on the face, 0.25 on the background, which is often smeared in the sources."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    distance = ((x - 256) / 170) ** 2 + ((y - 275) / 215) ** 2
    return 0.25 + 0.75 / (1 + np.exp(12 * (distance - 1)))


def resized(x: np.ndarray, width: int, height: int, kind: int) -> np.ndarray:
    return np.asarray(Image.fromarray(to_bytes(x)).resize((width, height), kind), np.float32)


def blurred(x: np.ndarray, rng) -> np.ndarray:
    if rng.random() < 0.35:
        return blur(x, rng)
    sigma = float(np.exp(rng.uniform(np.log(0.5), np.log(8))))
    return np.asarray(Image.fromarray(to_bytes(x)).filter(ImageFilter.GaussianBlur(sigma)), np.float32)


def portrait(x: np.ndarray, rng) -> np.ndarray:
    """A small or blurred face as the product meets it: degraded at its own size, enlarged by the alignment."""
    height, width = x.shape[:2]
    if rng.random() < 0.55:
        x = blurred(x, rng)
    factor = float(np.exp(rng.uniform(0, np.log(8)))) if rng.random() < 0.85 else 1.0
    small = max(16, round(width / factor)), max(16, round(height / factor))
    x = resized(x, *small, int(RESAMPLING[rng.integers(1, 6)]))
    if rng.random() < 0.15:
        x = blur(x, rng)
    if rng.random() < 0.6:
        x = add_noise(x, float(rng.uniform(0.5, 20)), draw_noise_kind(rng), rng)
    if rng.random() < 0.7:
        x = jpeg_anywhere(x, int(rng.integers(25, 97)), rng)
    return resized(x, width, height, int(rng.choice((Image.BICUBIC, Image.LANCZOS, Image.BILINEAR), p=(0.6, 0.3, 0.1))))


def light(x: np.ndarray, rng) -> np.ndarray:
    """A face of full size with noise, compression or a little softness."""
    draw = rng.random()
    if draw < 0.35:
        x = add_noise(x, float(rng.uniform(1, 35)), draw_noise_kind(rng), rng)
    elif draw < 0.6:
        x = blur(x, rng)
    if draw > 0.5 or rng.random() < 0.4:
        x = jpeg_anywhere(x, int(rng.integers(15, 97)), rng)
    return x


def jpeg_anywhere(x: np.ndarray, quality: int, rng) -> np.ndarray:
    """Compressed with the block grid anywhere: an aligned crop never begins at a block."""
    dy, dx = rng.integers(0, 8, 2)
    padded = np.pad(x, ((dy, 0), (dx, 0), (0, 0)), "edge")
    return jpeg(padded, quality, draw_subsampling(rng))[0][dy:, dx:]


def tinted(x: np.ndarray, rng) -> np.ndarray:
    """Light of another colour and strength, in the source and the target alike: it is not ours to correct."""
    gain = rng.uniform(0.75, 1.15) * rng.uniform(0.85, 1.15, 3)
    return np.clip(255 * np.power(x / 255, rng.uniform(0.75, 1.35)) * gain, 0, 255)


def degraded(gt: np.ndarray, rng) -> np.ndarray:
    kind = rng.choice([name for name, _ in KINDS], p=[share for _, share in KINDS])
    x = gt.astype(np.float32)
    if kind == "light":
        x = light(x, rng)
    elif kind == "portrait":
        x = portrait(x, rng)
    return to_bytes(x)


class FaceCrops(IterableDataset):
    """Endless batches of one place each: (LQ, GT) NCHW uint8, weights 1x1xHxW, top, left."""

    def __init__(self, files: list[Path], size: int, batch: int, seed: int, grey: float = 0.2):
        self.files, self.size, self.batch, self.seed, self.grey = files, size, batch, seed, grey

    def pair(self, picture: np.ndarray, top: int, left: int, rng):
        y0, x0 = max(0, top - MARGIN), max(0, left - MARGIN)
        y1, x1 = min(SIDE, top + self.size + MARGIN), min(SIDE, left + self.size + MARGIN)
        gt = picture[y0:y1, x0:x1].astype(np.float32)
        if rng.random() < 0.4:
            gt = tinted(gt, rng)
        if rng.random() < self.grey:
            gt = np.repeat((gt @ np.array([0.299, 0.587, 0.114], np.float32))[..., None], 3, 2)
        gt = to_bytes(gt)
        lq = degraded(gt, rng)
        window = (slice(top - y0, top - y0 + self.size), slice(left - x0, left - x0 + self.size))
        return lq[window].transpose(2, 0, 1), gt[window].transpose(2, 0, 1)

    def __iter__(self):
        rng = np.random.default_rng(self.seed)
        pictures = [np.asarray(Image.open(f).convert("RGB")) for f in self.files]
        weights = weight_map()
        places = np.arange(0, SIDE - self.size + 1, STEP)
        # The middle is the face: corners are drawn less often.
        likely = np.exp(-0.5 * ((places - (SIDE - self.size) / 2) / (SIDE - self.size) * 2.5) ** 2) if len(places) > 1 else np.ones(1)
        likely /= likely.sum()
        while True:
            top, left = (int(rng.choice(places, p=likely)) for _ in range(2))
            pairs = []
            for _ in range(self.batch):
                picture = pictures[rng.integers(len(pictures))]
                pairs.append(self.pair(picture[:, ::-1] if rng.random() < 0.5 else picture, top, left, rng))
            lq, gt = (torch.from_numpy(np.ascontiguousarray(np.stack(x))) for x in zip(*pairs))
            weight = torch.from_numpy(weights[top:top + self.size, left:left + self.size][None, None])
            yield lq, gt, weight, top, left
