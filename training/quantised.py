"""The network in 8-bit integers, as onnxruntime will compute it, trainable through its roundings.

Every tensor between two layers is uint8 with one step and one zero point; weights are int8 with one
step per output channel; sums are exact. What decides speed on our engine (../docs/guide/engine.md):
after a ReLU the zero point is 0, so that clipping at 0 *is* the ReLU; the two terms of a residual
sum are rounded on their own, so that the sum is one integer kernel; the picture's own bytes are the
first tensor (step 1/255, nothing is lost), and the residual leaves with the same step. A whole-level
residual costs nothing: the picture is whole levels too, and the result is rounded to them anyway.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from model import NetworkConfig, RestorationNet

PICTURE_STEP = 1 / 255


def walk(config: NetworkConfig, ops, x):
    """The network as a list of named operations, in order. `ops` computes them (`QuantisedNet`) or
    writes them down (`export_int8.py`)."""

    def blocks(prefix: str, count: int, x):
        for i in range(count):
            name = f"{prefix}.{i}"
            x = ops.add(name, x, ops.conv(f"{name}.second", ops.conv(f"{name}.first", x)))
        return x

    x = ops.conv("head", x)
    skips = []
    for i in (0, 1):
        x = blocks(f"down_blocks.{i}", config.down[i], x)
        skips.append(x)
        x = ops.conv(f"shrink.{i}", x)
    x = blocks("bottom", config.bottom, x)
    for i in (1, 0):
        x = ops.add(f"join.{i}", ops.shuffle(ops.conv(f"grow.{i}", x)), skips[i])
        x = blocks(f"up_blocks.{i}", config.up[i], x)
    return ops.last("tail", x)


class _Round(torch.autograd.Function):
    """Real numbers to whole steps, clipped. Straight-through for the numbers; for the step size the
    gradient of Esser et al., Learned Step Size Quantization (ICLR 2020), here of its logarithm."""

    @staticmethod
    def forward(ctx, x, log_step, low, high):
        step = log_step.exp()
        scaled = x / step
        whole = scaled.round().clamp_(low, high)
        inside = (scaled >= low - 0.5) & (scaled <= high + 0.5)
        ctx.save_for_backward(inside, torch.where(inside, whole - scaled, whole).bfloat16(), step)
        return whole

    @staticmethod
    def backward(ctx, gradient):
        inside, slope, step = ctx.saved_tensors
        return gradient * inside / step, (gradient * slope).sum(), None, None


class Quantiser(nn.Module):
    """One tensor's uint8 form: value = step * (byte - zero)."""

    def __init__(self, after_relu: bool):
        super().__init__()
        self.after_relu = after_relu
        self.log_step = nn.Parameter(torch.zeros(()))
        self.register_buffer("zero", torch.zeros(()))

    @property
    def step(self) -> torch.Tensor:
        return self.log_step.exp()

    def forward(self, x):
        """Returns whole steps from zero. They and the weights' are exact in bfloat16, so autocast rounds only sums."""
        zero = self.zero.item()
        return _Round.apply(x.float(), self.log_step, -zero, 255 - zero)

    def span(self, low: float, high: float):
        low, high = (0.0 if self.after_relu else min(low, 0.0)), max(high, 1e-3)
        step = (high - low) / 255
        self.log_step.data.fill_(step).log_()
        self.zero.fill_(round(-low / step))


def _nearest(x: torch.Tensor) -> torch.Tensor:
    """Whole numbers, with the gradient of the numbers."""
    return x + (x.round() - x).detach()


def weight_steps(weight: torch.Tensor) -> torch.Tensor:
    """int8 step of every output channel."""
    return weight.detach().abs().flatten(1).amax(1).clamp_min(1e-8) / 127


class QuantisedNet(RestorationNet):
    """A RestorationNet (same parameter names) with a quantiser at every tensor of `walk`.

    A tensor on the way is a pair: whole steps, and the step's size without gradient (`_Round` has
    already given the quantiser its own).
    """

    def __init__(self, config: NetworkConfig = NetworkConfig()):
        super().__init__(config)
        self.quantisers = nn.ModuleDict()
        self.watched: dict[str, list] | None = None
        walk(config, _Namer(self.quantisers), None)

    def quantiser(self, name: str) -> Quantiser:
        return self.quantisers[name.replace(".", "/")]

    def _at(self, name: str, x):
        quantiser = self.quantiser(name)
        if self.watched is not None:
            self.watched.setdefault(name, []).append(x.detach())
            return (F.relu(x) if quantiser.after_relu else x), 1.0
        return quantiser(x), quantiser.step.detach()

    def _sum(self, name: str, pair):
        """A convolution of whole steps, as a real number."""
        whole, step = pair
        conv = self.get_submodule(name)
        if self.watched is not None:
            return F.conv2d(whole, conv.weight, conv.bias, conv.stride, conv.padding)
        steps = weight_steps(conv.weight)
        weight = _nearest(conv.weight / steps[:, None, None, None])
        sums = F.conv2d(whole, weight, None, conv.stride, conv.padding).float()
        bias = _nearest(conv.bias / (steps * step))
        return (sums + bias[None, :, None, None]) * (steps * step)[None, :, None, None]

    def conv(self, name: str, pair):
        return self._at(name, self._sum(name, pair))

    def add(self, name: str, a, b):
        return self._at(name, a[0] * a[1] + b[0] * b[1])

    def shuffle(self, pair):
        return F.pixel_shuffle(pair[0], 2), pair[1]

    def last(self, name: str, pair):
        return self._sum(name, pair)

    def half_residual(self, half, conditions):
        """As the parent's, in picture units; the whole-level rounding of the result is left to `deployed`."""
        maps = conditions[:, :, None, None].expand(-1, -1, half.shape[2], half.shape[3])
        x = torch.cat([half, maps], 1)
        if self.watched is not None:
            return walk(self.config, self, (x, 1.0))
        return walk(self.config, self, (torch.round(x / PICTURE_STEP), PICTURE_STEP))


class _Namer:
    """Walks the network once to make its quantisers."""

    def __init__(self, quantisers: nn.ModuleDict):
        self.quantisers = quantisers

    def conv(self, name: str, _):
        self.quantisers[name.replace(".", "/")] = Quantiser(name.endswith(".first"))

    def add(self, name: str, *_):
        self.quantisers[name.replace(".", "/")] = Quantiser(False)

    def shuffle(self, _):
        pass

    def last(self, *_):
        pass


@torch.no_grad()
def calibrate(network: QuantisedNet, batches, percentile: float = 99.99):
    """Spans from what the tensors really hold on training crops, rare extremes cut off (`LOG.md`: against
    the full range worth 0.45 dB on noise of 15)."""
    network.watched = {}
    for lq, conditions in batches:
        network.residual(lq, conditions)
    for name, parts in network.watched.items():
        values = torch.cat([part.flatten()[::31] for part in parts])
        if network.quantiser(name).after_relu:
            values = values[values > 0]
        ordered = values.sort().values
        cut = int((1 - percentile / 100) * (len(ordered) - 1))
        network.quantiser(name).span(ordered[cut].item(), ordered[-1 - cut].item())
    network.watched = None
