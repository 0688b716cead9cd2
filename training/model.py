"""The restoration network: a half-resolution U-Net of dense 3x3 convolutions.

Why this shape (measured on onnxruntime, see ../docs/engine.md): dense 3x3 convolutions with
channels in multiples of 16 are 3-8x cheaper per multiply-add than depthwise or LayerNorm blocks on
CPUs, so the network is pixel-unshuffle x2, plain residual blocks, depth at 1/4 and 1/8 scale, and
pixel-shuffle on the way up. Three 2x scales put every pixel of an 8x8 JPEG block on its own phase
of the up-sampling path, so a picture fed with its block grid at (0, 0) tells the network where the
block borders are.
"""
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

# What the network is told beside the pixels, unless a configuration names others (`analysis.py`).
CONDITIONS = ("luma_quantiser", "chroma_quantiser", "chroma_subsampling", "noise_sigma")


@dataclass(frozen=True)
class NetworkConfig:
    """Channels at 1/2, 1/4, 1/8 scale; residual blocks going down, at the bottom, going up; whether it ends as a plain
    network does, with a convolution and a ReLU before the last layer: cheaper than a block, and in 8-bit integers no tensor
    then reaches the last layer but through a ReLU, which is what loses least (LOG.md)."""

    channels: tuple[int, int, int] = (32, 64, 96)
    down: tuple[int, int] = (1, 2)
    bottom: int = 3
    up: tuple[int, int] = (1, 2)
    end: bool = False


def shape(options: dict) -> NetworkConfig:
    """From a configuration file's lists."""
    return NetworkConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})


class ResidualBlock(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)
        # A block starts as the identity: deep residual stacks then train without normalisation.
        nn.init.zeros_(self.second.bias)
        self.second.weight.data.mul_(0.1)

    def forward(self, x):
        return x + self.second(F.relu(self.first(x)))


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*[ResidualBlock(channels) for _ in range(count)])


class RestorationNet(nn.Module):
    """picture NCHW float [0,1] (H, W multiples of 8) + conditions Nx4 float [0,1] -> NCHW float."""

    def __init__(self, config: NetworkConfig = NetworkConfig()):
        super().__init__()
        self.config = config
        c = config.channels
        self.head = nn.Conv2d(12 + len(CONDITIONS), c[0], 3, 1, 1)
        self.down_blocks = nn.ModuleList([_blocks(c[i], config.down[i]) for i in range(2)])
        self.shrink = nn.ModuleList([nn.Conv2d(c[i], c[i + 1], 2, 2) for i in range(2)])
        self.bottom = _blocks(c[2], config.bottom)
        self.grow = nn.ModuleList([nn.Conv2d(c[i + 1], c[i] * 4, 1) for i in range(2)])
        self.up_blocks = nn.ModuleList([_blocks(c[i], config.up[i]) for i in range(2)])
        if config.end:
            self.before_tail = nn.Conv2d(c[0], c[0], 3, 1, 1)
        self.tail = nn.Conv2d(c[0], 12, 3, 1, 1)
        # Zero residual at the start: the untrained network is the identity (never worse).
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)

    def half_residual(self, half, conditions):
        """Nx12 pixel-unshuffled picture at half resolution -> its Nx12 residual."""
        maps = conditions[:, :, None, None].expand(-1, -1, half.shape[2], half.shape[3])
        # In full precision also under autocast: bfloat16 would round 8-bit input to 7-8 bits and hide
        # the small steps between blocks that this network is to find.
        with torch.autocast(half.device.type, enabled=False):
            x = self.head(torch.cat([half, maps], 1))
        skips = []
        for blocks, shrink in zip(self.down_blocks, self.shrink):
            x = blocks(x)
            skips.append(x)
            x = shrink(x)
        x = self.bottom(x)
        for i in (1, 0):
            x = self.up_blocks[i](F.pixel_shuffle(self.grow[i](x), 2) + skips[i])
        return self.tail(F.relu(self.before_tail(x)) if self.config.end else x)

    def residual(self, picture, conditions):
        return F.pixel_shuffle(self.half_residual(F.pixel_unshuffle(picture, 2), conditions), 2)

    def forward(self, picture, conditions):
        return picture + self.residual(picture, conditions)


def load(checkpoint: Path) -> tuple[RestorationNet, dict]:
    """The averaged weights of a checkpoint as a network that only runs, and the checkpoint."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    network = RestorationNet(shape(state["config"]["network"]))
    network.load_state_dict(state["ema"])
    return network.eval().requires_grad_(False), state


def macs_per_megapixel(config: NetworkConfig) -> float:
    """Multiply-adds of one forward pass per megapixel of input, in GMAC."""
    c = config.channels
    pixel = 9 * (12 + len(CONDITIONS)) * c[0] / 4 + 9 * c[0] * 12 / 4
    for i, scale in ((0, 4), (1, 16)):
        pixel += 2 * (config.down[i] + config.up[i]) * 9 * c[i] ** 2 / scale
        pixel += 4 * c[i] * c[i + 1] / (scale * 4) + 4 * c[i] * c[i + 1] / (scale * 4)
    pixel += 2 * config.bottom * 9 * c[2] ** 2 / 64 + config.end * 9 * c[0] ** 2 / 4
    return pixel / 1000
