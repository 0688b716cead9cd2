"""One run of training for both networks of this folder: arguments, optimiser, resuming, the loop and its log."""
import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
import yaml
from torch.utils.data import DataLoader, IterableDataset

from data import Sources, load

# Last on the path: this folder has its own `model` and `data`.
sys.path.append(str(Path(__file__).resolve().parents[1]))
from loop import one_thread, save, step  # noqa: E402


def arguments(doc: str, configured: bool) -> argparse.ArgumentParser:
    """`configured`: nothing runs without a configuration file."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--config", required=configured, help="YAML of values other than the defaults")
    parser.add_argument("--labels", type=Path, required=True, help="what label.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-root", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    parser.add_argument("--hours", type=float, help="overrides the configuration's time budget")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--init", type=Path, help="checkpoint whose weights a new run starts from")
    return parser


def train(args, defaults: type, network_of: Callable, drawn: Callable[[Sources, object, int], IterableDataset], losses: Callable):
    """`defaults`: the class of the configuration. `network_of(config)`; `drawn(sources, config, seed)` yields (bytes CHW,
    what is wanted there); `losses(output, wanted, config)` gives (total, parts by name)."""
    config = defaults(**(yaml.safe_load(open(args.config)) if args.config else {}))
    config.hours = args.hours or config.hours
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "config.json").write_text(json.dumps(asdict(config), indent=1))

    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    network = network_of(config).to(args.device, memory_format=torch.channels_last)
    # Decay would pull the few weights of a normalisation and the prior of the score to zero.
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": config.weight_decay}, {"params": free, "weight_decay": 0.0}],
                                  config.learning_rate, betas=(0.9, 0.99))
    ema = {k: v.clone() for k, v in network.state_dict().items()}
    iteration, busy = 0, 0.0
    checkpoint = args.out / "checkpoint.pt"
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
    batches = iter(DataLoader(drawn(sources, config, config.seed + iteration), config.batch, num_workers=1,
                              prefetch_factor=3, worker_init_fn=one_thread))
    log = open(args.out / "log.jsonl", "a", buffering=1)
    sums, counted, saved_at, started = {}, 0, time.time(), time.time()
    network.train()
    while busy < config.hours * 3600:
        began = time.time()
        pixels, wanted = next(batches)
        pixels = pixels.to(args.device).float().div_(255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(args.device, torch.bfloat16):
            output = network(pixels)
        loss, parts = losses(output, wanted, config)
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
            save(checkpoint, network, ema, optimiser, iteration, busy, asdict(config))
            saved_at = time.time()
