"""Train the refiner on candidates of a trained detector. Resumable; the learning rate follows the time budget.

    python training/face_detect/refine_train.py --detector runs/face-detect/checkpoint.pt --labels runs/face-detect/labels.json --out runs/face-refine

Writes OUT/checkpoint.pt (weights, EMA, optimiser, position), OUT/log.jsonl, OUT/config.json.
"""
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import IterableDataset

from compose import Composer
from data import Sources
from detect import Detector
from refine_crops import Crops, mirrored_crop
from refine_model import SIDE, Refiner
from run import arguments, train


@dataclass
class TrainConfig:
    name: str = "face-refine"
    exclude: list = field(default_factory=list)
    hours: float = 0.9         # busy training time; the schedule ends there
    patch: int = 320
    batch: int = 96
    learning_rate: float = 1.5e-3
    final_rate: float = 1e-5
    weight_decay: float = 0.03
    warmup: int = 200
    ema: float = 0.999
    clip: float = 5.0
    box_weight: float = 0.5
    landmark_weight: float = 4.0
    mixture: dict = field(default_factory=lambda: {"real": 0.5, "composite": 0.36, "empty": 0.14})
    severity: float = 0.7
    shuffle: int = 1500        # crops among which the next is drawn: those of one picture are alike
    seed: int = 21
    save_seconds: int = 120
    threads: int = 1


class Drawn(IterableDataset):
    """Endless (crop CHW uint8, target of 18 numbers)."""

    def __init__(self, detector: Path, sources: Sources, config: TrainConfig, seed: int):
        self.sources, self.detector, self.config, self.seed = sources, detector, config, seed

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        crops = Crops(Composer(self.sources, self.config.patch, rng, self.config.mixture, self.config.severity), Detector(self.detector), rng)
        waiting = []
        while True:
            # Drawing costs more than training on it: every crop comes twice, once mirrored.
            waiting += [(one, first) for one in crops.draw() for first in (True, False)]
            while len(waiting) > self.config.shuffle:
                (pixels, target), first = waiting.pop(int(rng.integers(len(waiting))))
                pixels, target = (pixels, target) if first else mirrored_crop(pixels, target)
                yield torch.from_numpy(pixels.transpose(2, 0, 1).copy()), torch.from_numpy(target)


def refiner_loss(raw, wanted, config: TrainConfig):
    """(total, parts). Landmarks count in parts of the face's eye distance or half its height, boxes in parts of the box."""
    raw, wanted, half = raw.float(), wanted.to(raw.device), SIDE / 2
    certain, has, cos, sin = wanted[:, 0], wanted[:, 1] > 0, wanted[:, 2], wanted[:, 3]
    known = certain >= 0
    probability = raw[:, 0].sigmoid()
    surprise = torch.where(certain > 0, 1 - probability, probability).detach()
    entropy = F.binary_cross_entropy_with_logits(raw[:, 0], (certain > 0).float(), reduction="none")
    score = ((0.25 + surprise ** 2) * entropy)[known].mean()
    said, face = raw[has], wanted[has][:, 4:]
    points = face[:, 4:].unflatten(1, (5, 2))
    eyes = (points[:, 0] - points[:, 1]).norm(dim=1)
    height = (points[:, :2].mean(1) - points[:, 3:].mean(1)).norm(dim=1)
    scale = torch.maximum(eyes, height / 2).clamp(min=4)
    landmark = (((said[:, 5:] * half + half) - face[:, 4:]).unflatten(1, (5, 2)).norm(dim=2) / scale[:, None]).mean()
    axes = said[:, 3:5].clamp(-4, 4).exp() * half / 2
    w, h = axes[:, 0] ** 2, axes[:, 1] ** 2
    cos, sin = cos[has], sin[has]
    box = torch.stack([w * cos + h * sin, w * sin + h * cos], 1).clamp(min=1e-4).sqrt()
    centre = ((said[:, 1:3] * half + half) - face[:, :2]).abs() / face[:, 2:4].mean(1, keepdim=True)
    extent = (box.log() - face[:, 2:4].clamp(min=1).log()).abs()
    place = centre.mean() + extent.mean()
    return 2 * score + config.box_weight * place + config.landmark_weight * landmark, {"score": score, "box": place, "landmark": landmark}


def main():
    parser = arguments(__doc__, configured=False)
    parser.add_argument("--detector", type=Path, required=True, help="checkpoint or exported file whose candidates are looked at")
    args = parser.parse_args()
    train(args, TrainConfig, lambda _: Refiner(), partial(Drawn, args.detector), refiner_loss)


if __name__ == "__main__":
    main()
