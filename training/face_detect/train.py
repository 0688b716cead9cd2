"""Train the face detector. Resumable at any moment; the learning rate follows the time budget.

    python training/face_detect/train.py --config training/configs/face-detect.yaml --labels runs/face-detect/labels.json --out runs/face-detect

Writes OUT/checkpoint.pt (weights, EMA, optimiser, position), OUT/log.jsonl, OUT/config.json.
"""
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch.utils.data import IterableDataset

from compose import MIXTURE, Composer, mirrored
from damage import light
from data import Sources
from loss import detection_loss
from model import FaceDetector, NetworkConfig
from run import arguments, train
from targets import target_maps


@dataclass
class TrainConfig:
    name: str = "face-detect"
    network: dict = field(default_factory=dict)
    exclude: list = field(default_factory=list)   # file-name prefixes left out (licence choice)
    hours: float = 1.2         # busy training time; the schedule ends there
    patch: int = 320           # multiple of 32
    batch: int = 16
    learning_rate: float = 2e-3
    final_rate: float = 1e-5
    weight_decay: float = 0.02
    warmup: int = 150          # iterations
    ema: float = 0.998
    clip: float = 5.0
    landmark_weight: float = 5.0
    mixture: dict = field(default_factory=lambda: dict(MIXTURE))
    severity: float = 1.0      # of the damage; the product looks for faces in the restored picture
    seed: int = 1
    save_seconds: int = 180
    threads: int = 1


class Patches(IterableDataset):
    """Endless (picture CHW uint8, one target map per stride)."""

    def __init__(self, sources: Sources, config: TrainConfig, seed: int):
        self.sources, self.config, self.seed = sources, config, seed

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        composer, size = Composer(self.sources, self.config.patch, rng, self.config.mixture, self.config.severity), self.config.patch
        waiting = []
        while True:
            drawn = composer.draw(rng)
            yield self.sample(*drawn)
            # Composing costs as much as a third of a training step: every draw comes again later, mirrored, in other light.
            waiting.append(drawn)
            if len(waiting) > 96:
                pixels, faces, uncertain = mirrored(*waiting.pop(int(rng.integers(len(waiting)))), size)
                yield self.sample(np.asarray(light(Image.fromarray(pixels), rng, 0.5)), faces, uncertain)

    def sample(self, pixels: np.ndarray, faces: np.ndarray, uncertain: np.ndarray):
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy()), [torch.from_numpy(m) for m in target_maps(faces, uncertain, self.config.patch)]


def network_of(config: TrainConfig) -> FaceDetector:
    return FaceDetector(NetworkConfig(**{k: tuple(v) for k, v in config.network.items()}))


def losses(maps, wanted, config: TrainConfig):
    return detection_loss(maps, [w.to(maps[0].device) for w in wanted], config.landmark_weight)


if __name__ == "__main__":
    train(arguments(__doc__, configured=True).parse_args(), TrainConfig, network_of, Patches, losses)
