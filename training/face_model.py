"""The face network: the general half-resolution U-Net with one deeper level that knows where it looks.

An aligned face (FFHQ template, 512x512) has its eyes, nose and mouth in known places, so the level at
1/16 scale adds a learned map of 32x32 positions: a prior of a face that costs one addition. It starts
from a general network (`grow_from`): denoising and JPEG repair are there from the first iteration and
training goes into blur and low resolution.

It sees the face twice: as it came and as the general network left it. The general network knows the
quantisers and the block grid, which an aligned face no longer shows; so the answer is a mixture of the
two, with a weight for every pixel (LOG.md: alone, the face network lost 0.3 dB to it on lightly
compressed faces).
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from model import NetworkConfig, RestorationNet, _blocks, macs_per_megapixel

SIDE = 512
STEP = 16


class FaceNet(nn.Module):
    """Aligned face as it came and as the general network left it, NCHW float [0,1], 512x512 or a crop of one, -> NCHW float."""

    def __init__(self, config: NetworkConfig = NetworkConfig(), deep: int = 128, blocks: int = 4):
        super().__init__()
        self.trunk = RestorationNet(config)
        c = config.channels
        old = self.trunk.head
        self.trunk.head = nn.Conv2d(24, c[0], 3, 1, 1)
        nn.init.zeros_(self.trunk.head.weight)
        self.trunk.head.weight.data[:, :12].copy_(old.weight.data[:, :12])
        self.shrink = nn.Conv2d(c[2], deep, 2, 2)
        self.place = nn.Parameter(torch.zeros(1, deep, SIDE // STEP, SIDE // STEP))
        self.deep = _blocks(deep, blocks)
        self.grow = nn.Conv2d(deep, c[2] * 4, 1)
        nn.init.zeros_(self.grow.weight)
        nn.init.zeros_(self.grow.bias)
        # One weight a pixel, for its three colours; even at the start.
        self.share = nn.Conv2d(c[0], 4, 3, 1, 1)
        nn.init.zeros_(self.share.weight)
        nn.init.zeros_(self.share.bias)

    def half(self, source, shown, top: int = 0, left: int = 0):
        """Nx12 pixel-unshuffled faces -> the Nx12 restored one; `top`, `left`: where a crop begins, multiples of 16."""
        net = self.trunk
        with torch.autocast(source.device.type, enabled=False):
            x = net.head(torch.cat([source, shown], 1))
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
        own = source + net.tail(x).float()
        share = torch.sigmoid(self.share(x).float()).repeat(1, 3, 1, 1)
        return shown + share * (own - shown)

    def forward(self, source, shown, top: int = 0, left: int = 0):
        return F.pixel_shuffle(self.half(F.pixel_unshuffle(source, 2), F.pixel_unshuffle(shown, 2), top, left), 2)


def grow_from(network: FaceNet, weights: dict, conditions: tuple[float, ...]):
    """Takes a general network's weights; what it was told by conditions becomes part of the head's bias."""
    weights = dict(weights)
    head = weights.pop("head.weight")
    bias = weights.pop("head.bias")
    network.trunk.load_state_dict(weights, strict=False)
    told = (head[:, 12:].sum((2, 3)) * torch.tensor(conditions)).sum(1)
    network.trunk.head.weight.data[:, :12].copy_(head[:, :12])
    network.trunk.head.bias.data.copy_(bias + told)


def second_view(network: FaceNet, weights: dict):
    """Takes the weights of a face network that saw the source alone."""
    head = weights["trunk.head.weight"]
    if head.shape[1] == 12:
        weights = {**weights, "trunk.head.weight": torch.cat([head, torch.zeros_like(head)], 1),
                   "share.weight": network.share.weight.detach(), "share.bias": network.share.bias.detach()}
    network.load_state_dict(weights)


def macs(network: FaceNet) -> float:
    """Multiply-adds of one 512x512 face, in GMAC."""
    deep, blocks = network.place.shape[1], len(network.deep)
    c = network.trunk.config.channels
    cells = (SIDE // STEP) ** 2
    extra = cells * (2 * blocks * 9 * deep ** 2 + 8 * c[2] * deep)
    return macs_per_megapixel(network.trunk.config) * SIDE * SIDE / 1e6 + extra / 1e9
