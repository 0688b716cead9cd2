"""The face network: the general half-resolution U-Net with one deeper level that knows where it looks.

An aligned face (FFHQ template, 512x512) has its eyes, nose and mouth in known places, so the level at
1/16 scale adds a learned map of 32x32 positions: a prior of a face that costs one addition. It starts
from a general network (`grow_from`): denoising and JPEG repair are there from the first iteration and
training goes into blur and low resolution.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from model import NetworkConfig, RestorationNet, _blocks, macs_per_megapixel

SIDE = 512
STEP = 16


class FaceNet(nn.Module):
    """Aligned face NCHW float [0,1], 512x512 or a crop of one, -> NCHW float; no conditions."""

    def __init__(self, config: NetworkConfig = NetworkConfig(), deep: int = 128, blocks: int = 4):
        super().__init__()
        self.trunk = RestorationNet(config)
        c = config.channels
        old = self.trunk.head
        self.trunk.head = nn.Conv2d(12, c[0], 3, 1, 1)
        self.trunk.head.weight.data.copy_(old.weight.data[:, :12])
        self.shrink = nn.Conv2d(c[2], deep, 2, 2)
        self.place = nn.Parameter(torch.zeros(1, deep, SIDE // STEP, SIDE // STEP))
        self.deep = _blocks(deep, blocks)
        self.grow = nn.Conv2d(deep, c[2] * 4, 1)
        nn.init.zeros_(self.grow.weight)
        nn.init.zeros_(self.grow.bias)

    def half_residual(self, half, top: int = 0, left: int = 0):
        """Nx12 pixel-unshuffled face -> its Nx12 residual; `top`, `left`: where a crop begins, multiples of 16."""
        net = self.trunk
        with torch.autocast(half.device.type, enabled=False):
            x = net.head(half)
        skips = []
        for blocks, shrink in zip(net.down_blocks, net.shrink):
            x = blocks(x)
            skips.append(x)
            x = shrink(x)
        x = net.bottom(x)
        y, z = top // STEP, left // STEP
        deep = self.shrink(x)
        place = self.place[:, :, y:y + deep.shape[2], z:z + deep.shape[3]]
        x = x + F.pixel_shuffle(self.grow(self.deep(deep + place)), 2)
        for i in (1, 0):
            x = net.up_blocks[i](F.pixel_shuffle(net.grow[i](x), 2) + skips[i])
        return net.tail(x)

    def residual(self, picture, top: int = 0, left: int = 0):
        return F.pixel_shuffle(self.half_residual(F.pixel_unshuffle(picture, 2), top, left), 2)

    def forward(self, picture):
        return picture + self.residual(picture)


def grow_from(network: FaceNet, weights: dict, conditions: tuple[float, ...]):
    """Takes a general network's weights; what it was told by conditions becomes part of the head's bias."""
    weights = dict(weights)
    head = weights.pop("head.weight")
    bias = weights.pop("head.bias")
    network.trunk.load_state_dict(weights, strict=False)
    told = (head[:, 12:].sum((2, 3)) * torch.tensor(conditions)).sum(1)
    network.trunk.head.weight.data.copy_(head[:, :12])
    network.trunk.head.bias.data.copy_(bias + told)


def macs(network: FaceNet) -> float:
    """Multiply-adds of one 512x512 face, in GMAC."""
    deep, blocks = network.place.shape[1], len(network.deep)
    c = network.trunk.config.channels
    cells = (SIDE // STEP) ** 2
    extra = cells * (2 * blocks * 9 * deep ** 2 + 8 * c[2] * deep)
    return macs_per_megapixel(network.trunk.config) * SIDE * SIDE / 1e6 + extra / 1e9
