"""Train the refiner on candidates of a trained detector. Resumable; the learning rate follows the time budget.

    python training/face_detect/refine_train.py --detector runs/face-detect/checkpoint.pt --labels runs/face-detect/labels.json --out runs/face-refine

Writes OUT/checkpoint.pt (weights, EMA, optimiser, position), OUT/log.jsonl, OUT/config.json.
"""
import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import yaml
from torch.utils.data import DataLoader, IterableDataset

from compose import Composer
from data import Sources, load
from detect import Detector
from refine_crops import Crops, mirrored_crop
from refine_model import SIDE, Refiner

# Last on the path: this folder has its own `model` and `data`.
sys.path.append(str(Path(__file__).resolve().parents[1]))
from loop import one_thread, save, step  # noqa: E402


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


class Drawn(IterableDataset):
    """Endless (crop CHW uint8, target of 18 numbers)."""

    def __init__(self, sources: Sources, detector: Path, config: TrainConfig, seed: int):
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
    half = SIDE / 2
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", help="YAML of values other than the defaults")
    parser.add_argument("--detector", type=Path, required=True, help="checkpoint or exported file whose candidates are looked at")
    parser.add_argument("--labels", type=Path, required=True, help="what label.py wrote")
    parser.add_argument("--out", required=True)
    parser.add_argument("--data-root", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    parser.add_argument("--hours", type=float, help="overrides the configuration's time budget")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--init", type=Path, help="checkpoint whose weights a new run starts from")
    args = parser.parse_args()
    config = TrainConfig(**(yaml.safe_load(open(args.config)) if args.config else {}))
    config.hours = args.hours or config.hours
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(asdict(config), indent=1))

    torch.manual_seed(config.seed)
    torch.set_num_threads(1)
    network = Refiner().to(args.device, memory_format=torch.channels_last)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": config.weight_decay}, {"params": free, "weight_decay": 0.0}],
                                  config.learning_rate, betas=(0.9, 0.99))
    ema = {k: v.clone() for k, v in network.state_dict().items()}
    iteration, busy = 0, 0.0
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=args.device)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        ema, iteration, busy = state["ema"], state["iteration"], state["busy"]
    elif args.init:
        ema = torch.load(args.init, weights_only=True, map_location=args.device)["ema"]
        network.load_state_dict(ema)
        ema = {k: v.clone() for k, v in ema.items()}

    sources = load(args.data_root, args.labels, "train", config.exclude)
    batches = iter(DataLoader(Drawn(sources, args.detector, config, config.seed + iteration), config.batch, num_workers=1,
                              prefetch_factor=3, worker_init_fn=one_thread))
    log = open(out / "log.jsonl", "a", buffering=1)
    sums, counted, saved_at, started = {}, 0, time.time(), time.time()
    network.train()
    while busy < config.hours * 3600:
        began = time.time()
        crops, wanted = next(batches)
        crops = crops.to(args.device).float().div_(255).contiguous(memory_format=torch.channels_last)
        wanted = wanted.to(args.device)
        with torch.autocast(args.device, torch.bfloat16):
            raw = network(crops)
        loss, parts = refiner_loss(raw.float(), wanted, config)
        if torch.isfinite(loss):
            rate = step(network, optimiser, ema, loss, config, busy, iteration)
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            counted += 1
        iteration += 1
        # A stopped or starved process must not eat the schedule: a step counts two seconds at most.
        busy += min(time.time() - began, 2.0)
        if iteration % 50 == 0:
            log.write(json.dumps({"iteration": iteration, "busy": round(busy), "wall": round(time.time() - started), "rate": rate,
                                  **{name: round(value / max(counted, 1), 4) for name, value in sums.items()}}) + "\n")
            sums, counted = {}, 0
        if time.time() - saved_at > config.save_seconds or busy >= config.hours * 3600:
            save(checkpoint, {"network": network.state_dict(), "ema": ema, "optimiser": optimiser.state_dict(),
                              "iteration": iteration, "busy": busy, "config": asdict(config)})
            saved_at = time.time()


if __name__ == "__main__":
    main()
