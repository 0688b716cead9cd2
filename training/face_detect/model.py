"""The detector: dense 3x3 convolutions with ReLU, maps at strides 8, 16 and 32, one light way back up.

Channels are multiples of 16 and there is nothing but Conv, ReLU, Add and nearest enlargement: the
cheapest shape per multiply-add on CPUs (../README.md). Batch normalisation exists in training only;
`fold` puts it into the convolutions.

Per cell of a map, cell centre at ((x + 0.5) * stride, (y + 0.5) * stride): the score's logit; box
centre minus cell centre and log of width and height, in strides; five landmarks minus cell centre,
in strides.
"""
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

STRIDES = (8, 16, 32)
OUTPUTS = 15


@dataclass(frozen=True)
class NetworkConfig:
    """Channels at strides 2, 4, 8, 16, 32; further 3x3 convolutions at 8, 16, 32 before the way up."""

    channels: tuple[int, ...] = (16, 32, 48, 64, 96)
    depth: tuple[int, int, int] = (1, 2, 2)


class Unit(nn.Sequential):
    """Convolution, normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1):
        super().__init__(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
                         nn.BatchNorm2d(outputs, momentum=0.03), nn.ReLU(inplace=True))


class FaceDetector(nn.Module):
    """NCHW float [0, 1], sides multiples of 32 -> three NCHW maps of 15 channels."""

    def __init__(self, config: NetworkConfig = NetworkConfig()):
        super().__init__()
        self.config = config
        half, quarter, *maps = config.channels
        self.stem = nn.Sequential(Unit(3, half, stride=2), Unit(half, quarter, stride=2))
        self.down = nn.ModuleList(Unit(before, after, stride=2) for before, after in zip([quarter, *maps], maps))
        self.deep = nn.ModuleList(nn.Sequential(*[Unit(c, c) for _ in range(d)]) for c, d in zip(maps, config.depth))
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in zip(maps, maps[1:]))
        self.join = nn.ModuleList(Unit(c, c) for c in maps[:2])
        self.heads = nn.ModuleList(nn.Conv2d(c, OUTPUTS, 1) for c in maps)
        for head in self.heads:
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            head.bias.data[0] = -4.6  # a cell is a face one time in a hundred
            head.bias.data[3:5] = 1.0

    def forward(self, picture):
        x, maps = self.stem(picture), []
        for down, deep in zip(self.down, self.deep):
            x = down(x)
            for unit in deep:
                x = x + unit(x)
            maps.append(x)
        for i in (1, 0):
            maps[i] = self.join[i](maps[i] + F.interpolate(self.up[i](maps[i + 1]), scale_factor=2, mode="nearest"))
        return [head(x) for head, x in zip(self.heads, maps)]


@torch.no_grad()
def fold(network: FaceDetector) -> FaceDetector:
    """Each normalisation into its convolution, in place; for evaluation and export."""
    for unit in [m for m in network.modules() if isinstance(m, Unit)]:
        convolution, norm = unit[0], unit[1]
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        convolution.weight.mul_(gain[:, None, None, None])
        convolution.bias = nn.Parameter(norm.bias - norm.running_mean * gain)
        unit[1] = nn.Identity()
    return network.eval()


def macs(config: NetworkConfig, height: int = 640, width: int = 640) -> float:
    """Multiply-adds of one picture, in GMAC, counted on the convolutions as they run."""
    network, total = FaceDetector(config).eval(), []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda m, _, out: total.append(out[0].numel() * m.weight[0].numel()))
    with torch.no_grad():
        network(torch.zeros(1, 3, height, width))
    return sum(total) / 1e9
