"""Fine-tune a trained network for 8-bit integers. Resumable at any moment.

    python training/quantise.py --init runs/general-jpeg-3/checkpoint.pt --out runs/general-jpeg-int8
    python training/quantise.py --init runs/general-jpeg-3/checkpoint.pt --out runs/general-jpeg-int8   # goes on

First the tensors' spans are read from training crops (`calibrate`), then weights and steps learn to
give what the network gave before: the loss is the decibels that rounding costs, crop by crop. The
run's own configuration (degradations, photographs, conditions) is the one stored in the checkpoint.
Writes OUT/checkpoint.pt (EMA weights, steps, optimiser, position) and OUT/log.jsonl.
"""
import argparse
import json
import math
import time
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path

import torch

from loop import save
from model import load
from quantised import QuantisedNet, calibrate, carried, equalise
from train import TrainConfig, stream


@dataclass
class QuantiseConfig:
    iterations: int = 400
    fine: int = 0                 # see `QuantisedNet`
    levels: float = 0.0           # see `QuantisedNet`
    joined: int = 0               # see `QuantisedNet`
    half: int = 1                 # 0: without bfloat16, which is slower on processors that do not have it
    patch: int = 96
    batch: int = 8
    calibration: int = 24         # batches
    percentile: float = 99.99     # of every tensor's values kept inside its span at the start
    weight_rate: float = 2e-5
    step_rate: float = 1e-3       # of the logarithm of the steps
    warmup: int = 50
    ema: float = 0.995
    clip: float = 0.5
    # Squared error (45 dB) under which a crop's own error no longer makes rounding look worse.
    floor: float = 3e-5
    aim: float = 0.0              # see `counts`
    seed: int = 41
    save_seconds: int = 120


def decibels_lost(quantised, teacher, gt, floor: float):
    """How far PSNR against the truth falls when the rounding error is added to the teacher's own, crop by crop."""
    rounding = ((quantised - teacher) ** 2).mean((1, 2, 3))
    own = ((teacher - gt) ** 2).mean((1, 2, 3))
    return 10 / math.log(10) * torch.log1p(rounding / (own + floor))


def counts(lq, gt, aim: float):
    """Weights of crops, in the mean 1: those harmed by about `aim` levels count up to five times as much as others; 0: all alike."""
    if aim == 0:
        return torch.ones(len(lq))
    harm = 255 * ((lq - gt) ** 2).mean((1, 2, 3)).sqrt().clamp_min(1 / 255)
    weights = 0.25 + torch.exp(-(torch.log2(harm / aim)) ** 2)
    return weights / weights.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--init", type=Path, required=True, help="checkpoint of the network in full precision")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--from", dest="start", type=Path, help="8-bit checkpoint to start from, in the place of --init's weights")
    parser.add_argument("--before", type=Path, help="what --from was in full precision: what --init has learned since is added to it")
    parser.add_argument("--data-root", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--threads", type=int, default=1)
    for field in fields(QuantiseConfig):
        parser.add_argument("--" + field.name.replace("_", "-"), type=type(field.default), default=field.default)
    args = parser.parse_args()
    config = QuantiseConfig(**{field.name: getattr(args, field.name) for field in fields(QuantiseConfig)})
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    torch.set_num_threads(args.threads)

    teacher, state = load(args.init)
    known = {field.name for field in fields(TrainConfig)}
    trained = {key: value for key, value in state["config"].items() if key in known}
    crops = TrainConfig(**{**trained, "patch": config.patch, "batch": config.batch})
    network = QuantisedNet(teacher.config, config.fine, config.levels, config.joined)
    network.load_state_dict(teacher.state_dict(), strict=False)
    teacher, network = (n.to(memory_format=torch.channels_last) for n in (teacher, network))
    steps = [q.log_step for q in network.quantisers.values()]
    weights = [p for name, p in network.named_parameters() if not name.startswith("quantisers.")]
    optimiser = torch.optim.Adam([{"params": weights, "peak": config.weight_rate},
                                  {"params": steps, "peak": config.step_rate}], betas=(0.9, 0.99))
    iteration, checkpoint = 0, args.out / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        iteration = saved["iteration"]
    batches = stream(crops, args.data_root, config.seed + iteration, "cpu")
    if args.start and iteration == 0:
        start = torch.load(args.start, weights_only=True)["ema"]
        network.load_state_dict(carried(start, load(args.before)[0], load(args.init)[0]) if args.before else start)
    elif iteration == 0:
        seen = [(lq, condition) for lq, _, condition in islice(batches, config.calibration)]
        equalise(network, seen)
        calibrate(network, seen, config.percentile)
    ema = saved["ema"] if iteration else {k: v.clone() for k, v in network.state_dict().items()}

    log = open(args.out / "log.jsonl", "a", buffering=1)
    lost, saved_at, started = 0.0, time.time(), time.process_time()
    while iteration < config.iterations:
        lq, gt, condition = next(batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(config.half)):
            with torch.no_grad():
                target = teacher.residual(lq, condition)
            residual = network.residual(lq, condition)
        loss = (counts(lq, gt, config.aim) * decibels_lost(lq + residual.float(), lq + target.float(), gt, config.floor)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, config.clip)
        part = iteration / config.iterations
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * 0.5 * (1 + math.cos(math.pi * part)) * min(1.0, (iteration + 1) / config.warmup)
        optimiser.step()
        iteration += 1
        decay = min(config.ema, iteration / (iteration + 10))
        with torch.no_grad():
            for key, value in network.state_dict().items():
                ema[key].lerp_(value, 1 - decay)
        lost += loss.item()
        if iteration % 50 == 0:
            log.write(json.dumps({"iteration": iteration, "cpu": round(time.process_time() - started), "lost": round(lost / 50, 4)}) + "\n")
            lost = 0.0
        if time.time() - saved_at > config.save_seconds or iteration == config.iterations:
            save(checkpoint, network, ema, optimiser, iteration, state["busy"], {**state["config"], "quantise": asdict(config)})
            saved_at = time.time()


if __name__ == "__main__":
    main()
