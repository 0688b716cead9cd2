"""Training photographs in memory and the stream of (LQ, GT, conditions) crops drawn from them."""
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch.utils.data import IterableDataset

from degrade import MIXTURE, degrade

VALIDATION_EVERY = 20


def split(files: list[Path]) -> tuple[list[Path], list[Path]]:
    """By source file, never by crop: every twentieth of the sorted list validates."""
    ordered = sorted(files)
    validation = ordered[::VALIDATION_EVERY]
    return [f for f in ordered if f not in set(validation)], validation


def load(file: Path, rng) -> np.ndarray:
    """Downscaled by 0.5-0.75: the stored chroma is 4:2:0, so only this gives full-resolution chroma
    and no coding residue in the target (measured: +0.05 dB at q10, +0.1 dB at q90 and on noise)."""
    picture = Image.open(file).convert("RGB")
    factor = rng.uniform(0.5, 0.75)
    size = max(round(picture.width * factor), 128), max(round(picture.height * factor), 128)
    return np.asarray(picture.resize(size, Image.LANCZOS))


def synthetic(size: int, rng) -> np.ndarray:
    """Ramps, flat shapes and lettering: what photographs lack and screens are made of."""
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    field = ramp[None, :] * np.cos(angle) + ramp[:, None] * np.sin(angle)
    low, high = rng.uniform(0, 255, (2, 3))
    picture = Image.fromarray(np.clip(low + (high - low) * field[..., None], 0, 255).astype(np.uint8))
    if rng.random() < 0.7:
        draw = ImageDraw.Draw(picture)
        for _ in range(rng.integers(1, 8)):
            x, y = (int(v) for v in rng.integers(-10, size, 2))
            colour = tuple(int(v) for v in rng.integers(0, 256, 3))
            if rng.random() < 0.7:
                text = "".join(chr(int(c)) for c in rng.integers(33, 127, rng.integers(3, 20)))
                draw.text((x, y), text, fill=colour, font=ImageFont.load_default(int(rng.integers(8, 28))))
            else:
                box = (x, y, x + int(rng.integers(4, 60)), y + int(rng.integers(4, 60)))
                (draw.rectangle if rng.random() < 0.5 else draw.ellipse)(box, fill=colour)
    return np.asarray(picture)


class Crops(IterableDataset):
    """Endless (LQ, GT) NCHW uint8 and conditions, drawn with its own generator per worker."""

    def __init__(self, pictures: list[np.ndarray], size: int, seed: int, names, mixture=MIXTURE, grey=0.2, drawn=0.03):
        self.pictures, self.size, self.seed, self.names, self.mixture = pictures, size, seed, names, mixture
        self.grey, self.drawn = grey, drawn
        areas = np.array([p.shape[0] * p.shape[1] for p in pictures], np.float64)
        # Between "every picture the same" and "every pixel the same".
        self.weights = np.sqrt(areas) / np.sqrt(areas).sum()

    def crop(self, rng) -> np.ndarray:
        side = self.size + 8
        if rng.random() < self.drawn:
            return synthetic(side, rng)
        picture = self.pictures[rng.choice(len(self.pictures), p=self.weights)]
        y, x = rng.integers(0, picture.shape[0] - side + 1), rng.integers(0, picture.shape[1] - side + 1)
        gt = picture[y:y + side, x:x + side]
        gt = np.rot90(gt, int(rng.integers(4)))
        return gt[:, ::-1] if rng.random() < 0.5 else gt

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        while True:
            gt = self.crop(rng)
            if rng.random() < self.grey:
                luma = gt.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
                gt = np.repeat(np.rint(luma).astype(np.uint8)[..., None], 3, 2)
            lq, truth, condition = degrade(np.ascontiguousarray(gt), self.size, rng, self.names, self.mixture)
            yield (torch.from_numpy(np.ascontiguousarray(lq.transpose(2, 0, 1))),
                   torch.from_numpy(np.ascontiguousarray(truth.transpose(2, 0, 1))),
                   torch.from_numpy(condition))
