"""What every training loop here does alike: the rate of a moment, one step, a checkpoint."""
import math
import os
from pathlib import Path

import torch


def rate_at(config, busy: float, iteration: int) -> float:
    """Warm-up by iterations, then a cosine over the busy time: it ends when the time budget ends."""
    part = min(busy / (config.hours * 3600), 1.0)
    cosine = config.final_rate + (config.learning_rate - config.final_rate) * 0.5 * (1 + math.cos(math.pi * part))
    return cosine * min(1.0, (iteration + 1) / config.warmup)


def step(network, optimiser, ema: dict, loss, config, busy: float, iteration: int) -> float:
    """One step down a finite loss, with clipped gradients; moves the averaged weights along. The rate it took."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
    rate = rate_at(config, busy, iteration)
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    decay = min(config.ema, (iteration + 1) / (iteration + 10))
    with torch.no_grad():
        for key, value in network.state_dict().items():
            # Counters of a normalisation have no average.
            ema[key].lerp_(value, 1 - decay) if value.is_floating_point() else ema[key].copy_(value)
    return rate


def save(path: Path, network, ema: dict, optimiser, iteration: int, busy: float, config: dict):
    """Everything a run goes on from. Complete or absent, never half-written."""
    partial = path.with_suffix(".partial")
    torch.save({"network": network.state_dict(), "ema": ema, "optimiser": optimiser.state_dict(),
                "iteration": iteration, "busy": busy, "config": config}, partial)
    os.replace(partial, path)


def one_thread(_):
    """For a data worker beside the training process."""
    torch.set_num_threads(1)
