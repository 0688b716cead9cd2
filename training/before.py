"""What the product's other networks make of a crop before the one in training sees it: blur is repaired after them."""
from pathlib import Path

import numpy as np
import torch

from analysis import noise_sigma, suffering, trust
from model import load

NOTHING, COMPRESSION, NOISE = 0, 1, 2
PLACES = {"compression": COMPRESSION, "noise": NOISE}
# What they all are told together; each takes what it knows.
TOLD = ("luma_quantiser", "chroma_quantiser", "chroma_subsampling", "coarse_noise_sigma", "noise_sigma")
# How often the product blends the source in, as where some grain is left.
BLENDED, LEAST_SHARE = 0.25, 0.5


def needed(lq: np.ndarray, known: tuple[float, float, float]) -> int:
    """Which network the product's gate would ask first; none for what it copies."""
    told = known[0] > 0
    if trust(lq, known[0], told) == 0:
        return NOTHING
    return PLACES[suffering(lq, told, noise_sigma(lq))]


class Before:
    """Networks of several tiers, one of each kind drawn for every batch, so that what stands behind them fits them all."""

    def __init__(self, checkpoints: dict[str, list[str]], root: Path, device: str, seed: int):
        self.rng = np.random.default_rng(seed)
        self.networks = {}
        for kind, files in checkpoints.items():
            loaded = [load(root / file) for file in files]
            self.networks[PLACES[kind]] = [(n.to(device, memory_format=torch.channels_last), [TOLD.index(c) for c in s["config"]["conditions"]])
                                           for n, s in loaded]

    @torch.no_grad()
    def __call__(self, lq, told, place):
        """NCHW [0,1] as the next network sees it: restored, rounded to levels, at times blended with the source."""
        if not self.networks:
            return lq
        shown = lq.clone()
        for kind, several in self.networks.items():
            chosen = (place == kind).nonzero()[:, 0]
            if len(chosen) == 0:
                continue
            network, names = several[self.rng.integers(len(several))]
            source = lq[chosen].contiguous(memory_format=torch.channels_last)
            share = self.rng.uniform(LEAST_SHARE, 1, len(chosen)) if self.rng.random() < BLENDED else np.ones(len(chosen))
            share = torch.from_numpy(share).to(lq)[:, None, None, None]
            restored = (source + share * network.residual(source, told[chosen][:, names])).clamp(0, 1)
            shown[chosen] = (restored * 255).round() / 255
        return shown
