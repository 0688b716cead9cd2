"""Train a restoration network. Resumable at any moment; the learning rate follows the time budget.

    python training/train.py --config training/configs/general.yaml --out runs/general
    python training/train.py --config training/configs/general.yaml --out runs/general   # goes on
    python training/train.py --config training/configs/general-jpeg.yaml --out runs/general-jpeg --init runs/general/checkpoint.pt
    python training/train.py --config training/configs/fast-jpeg.yaml --out runs/fast-jpeg --init training/checkpoints/general-jpeg.pt --teacher training/checkpoints/general-jpeg.pt

Writes OUT/checkpoint.pt (weights, EMA, optimiser, position), OUT/log.jsonl, OUT/config.json.
"""
import argparse
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import yaml
from torch.utils.data import DataLoader

from before import TOLD, Before
from data import Crops, load, split
from degrade import MIXTURE
from loop import one_thread, save, step
from model import CONDITIONS, RestorationNet, load as load_network, shape


@dataclass
class TrainConfig:
    name: str = "general"
    network: dict = field(default_factory=dict)
    keep: dict = field(default_factory=dict)      # another shape than --init's: which of its blocks stay, in order
    taught: float = 0.0        # share of the loss that is taken against --teacher instead of the truth
    before: dict = field(default_factory=dict)    # checkpoints of the networks that it stands behind, by what they repair
    conditions: list = field(default_factory=lambda: list(CONDITIONS))
    data: list = field(default_factory=lambda: ["train-photo"])
    exclude: list = field(default_factory=list)   # file-name prefixes left out (licence choice)
    hours: float = 2.0         # busy training time; the schedule ends there
    patch: int = 96            # multiple of 16: keeps chroma blocks on the grid
    batch: int = 8
    learning_rate: float = 1e-3
    final_rate: float = 1e-6
    warmup: int = 300          # iterations
    ema: float = 0.999
    clip: float = 0.5
    grey: float = 0.2
    drawn: float = 0.03        # share of the crops that are drawings
    mixture: dict = field(default_factory=lambda: dict(MIXTURE))
    loss: str = "charbonnier"  # or "decibel", for the last phase
    floor: float = 3e-4        # of "decibel": squared error below which a crop hardly counts
    seed: int = 1
    reload: int = 6000         # iterations after which the photographs are scaled anew
    save_seconds: int = 180
    threads: int = 2
    half: bool = True          # bfloat16; twice as slow on processors without instructions for it


def charbonnier(a, b, epsilon=1e-3):
    return torch.sqrt((a - b) ** 2 + epsilon ** 2).mean()


def decibel(restored, gt, floor):
    """Mean log squared error of each crop: every crop counts by its own ratio, as PSNR does.

    The floor keeps clean crops, whose error goes to zero, from taking over the gradient.
    NAFNet (Chen et al., ECCV 2022) trains with the same term without the floor.
    """
    return torch.log(((restored - gt) ** 2).mean((1, 2, 3)) + floor).mean()


LOSSES = {"charbonnier": lambda restored, gt, _: charbonnier(restored, gt),
          "decibel": lambda restored, gt, floor: 0.05 * decibel(restored, gt, floor)}


def reshaped(state: dict, keep: dict, network: RestorationNet) -> dict:
    """Weights of another network as a start for this one. `keep`: of a stack of blocks (`bottom`, `up_blocks.1`), those
    that stay; the blocks that this network has beyond them begin by changing nothing (Net2Net, Chen et al., ICLR 2016)."""
    for stack, places in keep.items():
        blocks = {k: v for k, v in state.items() if k.startswith(f"{stack}.")}
        kept = {k.replace(f"{stack}.{old}.", f"{stack}.{new}.", 1): v
                for new, old in enumerate(places) for k, v in blocks.items() if k.startswith(f"{stack}.{old}.")}
        state = {k: v for k, v in state.items() if k not in blocks} | kept
    own = network.state_dict()
    if "before_tail.weight" in own.keys() - state.keys():
        state = plainly_ended(state, f"up_blocks.0.{network.config.up[0]}")
    begun = {k: torch.zeros_like(own[k]) if ".second." in k else own[k] for k in own.keys() - state.keys() if "blocks" in k or "bottom" in k}
    return state | begun


def plainly_ended(state: dict, block: str) -> dict:
    """A network's last block and last layer as the plain end that comes nearest: without the block's way around, and of
    its second convolution and the last layer, together one of 5x5, the middle 3x3."""
    second, tail = state[f"{block}.second.weight"], state["tail.weight"]
    both = F.conv2d(second.transpose(0, 1), tail.flip(2, 3), padding=2).transpose(0, 1)
    ended = {"tail.weight": both[:, :, 1:4, 1:4].contiguous(), "tail.bias": tail.sum((2, 3)) @ state[f"{block}.second.bias"] + state["tail.bias"]}
    ended |= {f"before_tail.{part}": state[f"{block}.first.{part}"] for part in ("weight", "bias")}
    return {k: v for k, v in state.items() if not k.startswith(f"{block}.")} | ended


def photographs(config: TrainConfig, root: Path, seed: int) -> list[np.ndarray]:
    files = [f for folder in config.data for f in (root / folder).glob("*.webp")
             if not f.name.startswith(tuple(config.exclude) or ("\0",))]
    rng = np.random.default_rng(seed)
    return [p for p in (load(f, rng) for f in split(files)[0]) if min(p.shape[:2]) >= config.patch + 8]


def stream(config: TrainConfig, root: Path, seed: int, device: str):
    """Endless (LQ as this network is shown it, GT, what it is told), NCHW [0,1] and Nx4 [0,1]."""
    crops = Crops(photographs(config, root, seed), config.patch, seed, TOLD, list(config.mixture.items()), config.grey, config.drawn, bool(config.before))
    before = Before(config.before, Path(__file__).resolve().parents[1], device, seed)
    own = [TOLD.index(name) for name in config.conditions]
    for lq, gt, told, place in DataLoader(crops, config.batch, num_workers=1, prefetch_factor=8, worker_init_fn=one_thread):
        lq, gt = (x.to(device).float().div_(255).contiguous(memory_format=torch.channels_last) for x in (lq, gt))
        told = told.to(device)
        yield before(lq, told, place), gt, told[:, own]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--data-root", default=str(Path(__file__).resolve().parents[2] / "shared" / "data"))
    parser.add_argument("--hours", type=float, help="overrides the configuration's time budget")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, help="one on a busy machine: two threads wait for each other")
    parser.add_argument("--init", type=Path, help="checkpoint whose weights a new run starts from")
    parser.add_argument("--teacher", type=Path, help="checkpoint of a network that this one is to imitate")
    args = parser.parse_args()
    config = TrainConfig(**yaml.safe_load(open(args.config)))
    config.hours, config.threads = args.hours or config.hours, args.threads or config.threads
    out, root = Path(args.out), Path(args.data_root)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(asdict(config), indent=1))

    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    network = RestorationNet(shape(config.network))
    network = network.to(args.device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, betas=(0.9, 0.99), weight_decay=0)
    ema = {k: v.clone() for k, v in network.state_dict().items()}
    iteration, busy = 0, 0.0
    checkpoint = out / "checkpoint.pt"
    if args.init and not checkpoint.exists():
        start = torch.load(args.init, weights_only=True, map_location=args.device)
        network.load_state_dict(reshaped(start["ema"], config.keep, network))
        ema = {k: v.clone() for k, v in network.state_dict().items()}
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=args.device)
        network.load_state_dict(state["network"])
        if "optimiser" in state:
            optimiser.load_state_dict(state["optimiser"])
        ema, iteration, busy = state["ema"], state["iteration"], state["busy"]

    teacher = load_network(args.teacher)[0].to(args.device, memory_format=torch.channels_last) if args.teacher else None
    batches = stream(config, root, config.seed + iteration, args.device)
    log = open(out / "log.jsonl", "a", buffering=1)
    loss_sum, identity_sum, counted, saved_at, started = 0.0, 0.0, 0, time.time(), time.time()
    while busy < config.hours * 3600:
        began = time.time()
        lq, gt, condition = next(batches)
        with torch.autocast(args.device, torch.bfloat16, enabled=config.half):
            residual = network.residual(lq, condition)
        restored = lq + residual.float()
        loss = LOSSES[config.loss](restored, gt, config.floor)
        if teacher and config.taught:
            # What no network can know is left out of its teacher's result, and with it most of the gradient's noise.
            with torch.no_grad(), torch.autocast(args.device, torch.bfloat16, enabled=config.half):
                shown = lq + teacher.residual(lq, condition).float()
            loss = config.taught * LOSSES[config.loss](restored, shown, config.floor) + (1 - config.taught) * loss
        if torch.isfinite(loss):
            rate = step(network, optimiser, ema, loss, config, busy, iteration)
            loss_sum += charbonnier(restored.detach(), gt).item()
            identity_sum += charbonnier(lq, gt).item()
            counted += 1
        iteration += 1
        # A stopped or starved process must not eat the schedule: a step counts two seconds at most.
        busy += min(time.time() - began, 2.0)
        if iteration % 200 == 0:
            log.write(json.dumps({"iteration": iteration, "busy": round(busy), "wall": round(time.time() - started),
                                  "loss": loss_sum / max(counted, 1), "identity": identity_sum / max(counted, 1),
                                  "rate": rate}) + "\n")
            loss_sum, identity_sum, counted = 0.0, 0.0, 0
        if iteration % config.reload == 0:
            batches = stream(config, root, config.seed + iteration, args.device)
        if time.time() - saved_at > config.save_seconds or busy >= config.hours * 3600:
            save(checkpoint, network, ema, optimiser, iteration, busy, asdict(config))
            saved_at = time.time()


if __name__ == "__main__":
    main()
