"""Training photographs in memory and the stream of (LQ, GT, what is known) crops drawn from them."""
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import IterableDataset

from analysis import conditions
from before import NOTHING, needed
from degrade import MIXTURE, degrade
from drawings import drawing

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


class Crops(IterableDataset):
    """Endless (LQ, GT) NCHW uint8, conditions and which network comes first (`before.py`), drawn with its own generator per worker."""

    def __init__(self, pictures: list[np.ndarray], size: int, seed: int, names, mixture=MIXTURE, grey=0.2, drawn=0.03, behind=False):
        self.pictures, self.size, self.seed, self.names, self.mixture = pictures, size, seed, names, mixture
        self.grey, self.drawn, self.behind = grey, drawn, behind
        areas = np.array([p.shape[0] * p.shape[1] for p in pictures], np.float64)
        # Between "every picture the same" and "every pixel the same".
        self.weights = np.sqrt(areas) / np.sqrt(areas).sum()

    def crop(self, rng) -> np.ndarray:
        side = self.size + 8
        if rng.random() < self.drawn:
            return drawing(side, rng)
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
            lq, truth, known = degrade(np.ascontiguousarray(gt), self.size, rng, self.mixture)
            yield (torch.from_numpy(np.ascontiguousarray(lq.transpose(2, 0, 1))),
                   torch.from_numpy(np.ascontiguousarray(truth.transpose(2, 0, 1))),
                   torch.from_numpy(conditions(self.names, known, lq)), needed(lq, known) if self.behind else NOTHING)
