"""The refiner: looks again at every candidate of the detector, closely and upright.

One crop of 80x80 px in, fifteen numbers out: the logit of "this is a face", its box and its five
landmarks. A cascade of a dense detector and a closer look is an old idea (Viola and Jones 2001;
MTCNN, Zhang et al. 2016); what it buys here is in LOG.md. Dense 3x3 convolutions and ReLU as in the
detector; the last map is read whole, since where a feature lies is the answer.
"""
import torch
import torch.nn as nn

from model import Unit

SIDE = 80        # of the crop, px
CONTEXT = 1.5    # the crop's side in sides of the candidate's box
CHANNELS = (24, 48, 80, 112)
HIDDEN = 128
OUTPUTS = 15


class Residual(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.unit = Unit(channels, channels)

    def forward(self, x):
        return x + self.unit(x)


class Refiner(nn.Module):
    """Crops NCHW float [0, 1] -> n x 15: logit; box centre and log of its sides; landmarks. In half crops from the middle."""

    def __init__(self):
        super().__init__()
        a, b, c, d = CHANNELS
        self.body = nn.Sequential(
            Unit(3, a, stride=2), Unit(a, b, stride=2), Residual(b),
            Unit(b, c, stride=2), Residual(c), Residual(c),
            Unit(c, d, stride=2), Residual(d), Residual(d))
        self.hidden = nn.Linear(d * (SIDE // 16) ** 2, HIDDEN)
        self.answer = nn.Linear(HIDDEN, OUTPUTS)
        nn.init.normal_(self.answer.weight, std=0.01)
        nn.init.zeros_(self.answer.bias)

    def forward(self, crops):
        return self.answer(torch.relu(self.hidden(self.body(crops).flatten(1))))


class DeployedRefiner(nn.Module):
    """n x 80 x 80 x 3 bytes -> n x 15: score 0..1; centre, width and height of the box and the landmarks in px of the crop."""

    def __init__(self, network: Refiner):
        super().__init__()
        self.network = network

    def forward(self, crops):
        raw = self.network(crops.permute(0, 3, 1, 2).float() * (1 / 255))
        half = SIDE / 2
        return torch.cat([raw[:, :1].sigmoid(), raw[:, 1:3] * half + half, raw[:, 3:5].exp() * half, raw[:, 5:] * half + half], 1)


def macs() -> float:
    """Multiply-adds of one crop, in MMAC."""
    network, total = Refiner().eval(), []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda m, _, out: total.append(out[0].numel() * m.weight[0].numel()))
        elif isinstance(layer, nn.Linear):
            layer.register_forward_hook(lambda m, *_: total.append(m.weight.numel()))
    with torch.no_grad():
        network(torch.zeros(1, 3, SIDE, SIDE))
    return sum(total) / 1e6
