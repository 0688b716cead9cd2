"""Train the face detector. Resumable at any moment; the learning rate follows the time budget.

    python training/face_detect/train.py --config training/configs/face-detect.yaml --labels runs/face-detect/labels.json --out runs/face-detect

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
import yaml
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset

from compose import MIXTURE, Composer, mirrored
from damage import light
from data import Sources, load
from loss import detection_loss
from model import FaceDetector, NetworkConfig
from targets import target_maps

# Last on the path: this folder has its own `model` and `data`.
sys.path.append(str(Path(__file__).resolve().parents[1]))
from loop import one_thread, save, step  # noqa: E402


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--labels", type=Path, required=True, help="what label.py wrote")
    parser.add_argument("--out", required=True)
    parser.add_argument("--data-root", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    parser.add_argument("--hours", type=float, help="overrides the configuration's time budget")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--init", type=Path, help="checkpoint whose weights a new run starts from")
    args = parser.parse_args()
    config = TrainConfig(**yaml.safe_load(open(args.config)))
    config.hours = args.hours or config.hours
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(asdict(config), indent=1))

    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    network = FaceDetector(NetworkConfig(**{k: tuple(v) for k, v in config.network.items()}))
    network = network.to(args.device, memory_format=torch.channels_last)
    # Decay would pull the few weights of a normalisation and the prior of the score to zero.
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
    print(f"{len(sources.real)} real pictures with {sum(len(r.faces) for r in sources.real)} faces, "
          f"{len(sources.photographs)} backgrounds, {len(sources.aligned)} aligned faces", flush=True)
    batches = iter(DataLoader(Patches(sources, config, config.seed + iteration), config.batch, num_workers=1,
                              prefetch_factor=3, worker_init_fn=one_thread))
    log = open(out / "log.jsonl", "a", buffering=1)
    sums, counted, saved_at, started = {}, 0, time.time(), time.time()
    network.train()
    while busy < config.hours * 3600:
        began = time.time()
        pixels, wanted = next(batches)
        pixels = pixels.to(args.device).float().div_(255).contiguous(memory_format=torch.channels_last)
        wanted = [w.to(args.device) for w in wanted]
        with torch.autocast(args.device, torch.bfloat16):
            maps = network(pixels)
        loss, parts = detection_loss(maps, wanted, config.landmark_weight)
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
