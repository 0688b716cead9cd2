"""Train the face network. Resumable at any moment, as train.py.

    python training/face_train.py --config training/configs/face.yaml --general models/general --out runs/face --init training/checkpoints/general-noise.pt
"""
import argparse
import json
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
import yaml
from torch.utils.data import DataLoader

from evaluate import Model
from face_data import KINDS, FaceCrops, faces
from face_model import FaceNet, grow_from, macs, second_view
from loop import one_thread, save, step
from similarity import fsim, luma, ssim

# Of `over`: a change of the logarithm by 1/SHARPNESS is far from a tie (3 %, or 0.13 dB); what is aimed at is MARGIN more than one.
SHARPNESS, MARGIN = 30.0, 0.02


@dataclass
class FaceConfig:
    name: str = "face"
    exclude: list = field(default_factory=list)   # file-name prefixes left out, e.g. [omi] for CC BY faces only
    hours: float = 1.2
    size: int = 256            # crop, multiple of 16
    batch: int = 4
    learning_rate: float = 6e-4
    final_rate: float = 1e-6
    warmup: int = 200
    ema: float = 0.998
    clip: float = 0.5
    gradient: float = 0.5      # weight of the gradient term
    loss: str = "charbonnier"  # or "decibel", or "measures", for the last phase
    floor: float = 3e-5        # of "decibel": squared error below which a crop hardly counts
    floors: list = field(default_factory=lambda: [2e-3, 4e-4])   # of "measures": the same for 1 - SSIM and 1 - FSIM
    over: float = 0.0          # of "measures": weight of every crop being better than the general network's, see `face_measures`
    over_floors: list = field(default_factory=lambda: [3e-5, 2e-3, 4e-4])   # the three floors (squares, SSIM, FSIM) of that
    over_weights: list = field(default_factory=lambda: [1.0, 1.0, 1.0])   # of the three measures in that
    rounded: bool = False      # of "measures": judged in 8 bits, as the product writes it, with the gradient of the unrounded
    mixture: dict = field(default_factory=lambda: dict(KINDS))
    oval: bool = False         # judged as the product shows it: in the face's oval, around it the general network's
    bent: float = 0.0          # share of faces whose proportions are changed, see `face_data.bent`
    told: list = field(default_factory=lambda: [0.0, 0.0, 0.1, 0.15])   # the start network's conditions, see grow_from
    seed: int = 41
    save_seconds: int = 120
    threads: int = 1
    half: bool = True          # bfloat16; twice as slow on processors without instructions for it


def face_loss(restored, gt, weight, gradient: float):
    """Charbonnier on pixels and on their horizontal and vertical differences, weighted towards the face."""
    def distance(a, b, w):
        return (torch.sqrt((a - b) ** 2 + 1e-6) * w).mean() / w.mean()

    return of_both(distance, restored, gt, weight, gradient)


def face_decibels(restored, gt, weight, gradient: float, floor: float):
    """The same in the logarithm of each crop's squared error: a lightly harmed face counts as a badly harmed one does."""
    def distance(a, b, w):
        squares = ((a - b) ** 2 * w).mean((1, 2, 3)) / w.mean()
        return 0.05 * torch.log(squares + floor).mean()

    return of_both(distance, restored, gt, weight, gradient)


def face_measures(restored, shown, gt, weight, config):
    """The decibels, and 1 - SSIM and 1 - FSIM of each crop's luma in the same logarithm: a tenth less of any of them counts alike.

    `over` adds how far each crop is from being better than the general network's by each measure for itself: a mean is made
    of the crops with much to gain; this counts those near a tie, and most those that lost. Second: the same of what is shown.
    A change of less than half a level is none once written: `rounded` lets it count as none.
    """
    def lost(x):
        seen, truth = luma(x), luma(gt)
        return torch.stack([((x - gt) ** 2).mean((1, 2, 3)), *(1 - measure(seen, truth) for measure in (ssim, fsim))])

    def log(lost, floors):
        return torch.log(lost + torch.tensor(floors, device=lost.device)[:, None])

    def total(x, lost):
        return face_decibels(x, gt, weight, config.gradient, config.floor) + 0.05 * log(lost[1:], config.floors).sum(0).mean()

    if config.rounded:
        restored = restored + (restored.clamp(0, 1).mul(255).round().div(255) - restored).detach()
    after = lost(restored)
    with torch.no_grad():
        before = lost(shown)
        general = total(shown, before)
    gain = log(after, config.over_floors) - log(before, config.over_floors)
    missed = F.softplus(SHARPNESS * (gain + MARGIN)) / SHARPNESS
    over = (missed * torch.tensor(config.over_weights, device=missed.device)[:, None]).sum(0).mean()
    return total(restored, after) + 0.05 * config.over * over, general


def of_both(distance, restored, gt, weight, gradient: float):
    across = distance(restored.diff(dim=3), gt.diff(dim=3), weight[..., 1:])
    down = distance(restored.diff(dim=2), gt.diff(dim=2), weight[..., 1:, :])
    return distance(restored, gt, weight) + gradient * (across + down)


def both(loss):
    """Of the restored crops, and without a gradient of those that are shown."""
    def of_both_pictures(restored, shown, gt, weight, config):
        with torch.no_grad():
            general = loss(shown, gt, weight, config)
        return loss(restored, gt, weight, config), general

    return of_both_pictures


LOSSES = {"charbonnier": both(lambda x, gt, weight, config: face_loss(x, gt, weight, config.gradient)),
          "decibel": both(lambda x, gt, weight, config: face_decibels(x, gt, weight, config.gradient, config.floor)),
          "measures": face_measures}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--general", type=Path, required=True, help="folder of the model that restores the picture before")
    parser.add_argument("--data-root", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--hours", type=float)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--init", type=Path, help="checkpoint of a general network (or of a face network) to start from")
    args = parser.parse_args()
    config = FaceConfig(**yaml.safe_load(open(args.config)))
    config.hours = args.hours or config.hours
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "config.json").write_text(json.dumps(asdict(config), indent=1))

    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    network = FaceNet()
    checkpoint = args.out / "checkpoint.pt"
    if args.init and not checkpoint.exists():
        start = torch.load(args.init, weights_only=True, map_location="cpu")["ema"]
        if "place" in start:
            second_view(network, start)
        else:
            grow_from(network, start, tuple(config.told))
    network = network.to(args.device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, betas=(0.9, 0.99), weight_decay=0)
    ema = {k: v.clone() for k, v in network.state_dict().items()}
    iteration, busy = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=args.device)
        network.load_state_dict(state["network"])
        if "optimiser" in state:
            optimiser.load_state_dict(state["optimiser"])
        ema, iteration, busy = state["ema"], state["iteration"], state["busy"]

    crops = FaceCrops(faces(args.data_root, config.exclude)[0], partial(Model, args.general, 1, "int8"), config.size, config.batch, config.seed + iteration, config.mixture, bent=config.bent)
    batches = iter(DataLoader(crops, None, num_workers=1, prefetch_factor=6, worker_init_fn=one_thread))
    log = open(args.out / "log.jsonl", "a", buffering=1)
    print(f"{sum(p.numel() for p in network.parameters())} parameters, {macs(network):.1f} GMAC a face", flush=True)
    loss_sum, general_sum, counted, saved_at, started = 0.0, 0.0, 0, time.time(), time.time()
    while busy < config.hours * 3600:
        began = time.time()
        lq, shown, gt, weight, mask, top, left = next(batches)
        lq, shown, gt = (x.to(args.device).float().div_(255).contiguous(memory_format=torch.channels_last) for x in (lq, shown, gt))
        weight, mask = weight.to(args.device), mask.to(args.device)
        with torch.autocast(args.device, torch.bfloat16, enabled=config.half):
            restored = network(lq, shown, top, left)
        restored = restored.float()
        if config.oval:
            restored = shown + mask * (restored - shown)
        loss, general = LOSSES[config.loss](restored, shown, gt, weight, config)
        if torch.isfinite(loss):
            rate = step(network, optimiser, ema, loss, config, busy, iteration)
            general_sum += general.item()
            loss_sum += loss.item()
            counted += 1
        iteration += 1
        # A stopped or starved process must not eat the schedule.
        busy += min(time.time() - began, 3.0)
        if iteration % 100 == 0:
            log.write(json.dumps({"iteration": iteration, "busy": round(busy), "wall": round(time.time() - started),
                                  "loss": loss_sum / max(counted, 1), "general": general_sum / max(counted, 1),
                                  "rate": rate}) + "\n")
            loss_sum, general_sum, counted = 0.0, 0.0, 0
        if time.time() - saved_at > config.save_seconds or busy >= config.hours * 3600:
            save(checkpoint, network, ema, optimiser, iteration, busy, asdict(config))
            saved_at = time.time()


if __name__ == "__main__":
    main()
