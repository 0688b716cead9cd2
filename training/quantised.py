"""The network in 8-bit integers, as onnxruntime will compute it, trainable through its roundings.

Every tensor between two layers is uint8 with one step and one zero point; weights are int8 with one
step per output channel; sums are exact. What decides speed on our engine (LOG.md): after a ReLU the
zero point is 0, so that clipping at 0 *is* the ReLU; the two terms of a residual sum are rounded on
their own, so that the sum is one integer kernel; the picture's own bytes are the first tensor (step
1/255, nothing is lost), and the residual leaves with the same step. A whole-level residual costs
nothing: the picture is whole levels too, and the result is rounded to them anyway.

What decides quality: nearly all of the loss comes from the half-resolution tensors that reach the
last layer by sums alone, not through a convolution with a ReLU. So that layer reads their terms, each
with its own step (`fine`: the largest with half of it), instead of their rounded sum, and their channels
are scaled to equal spans. With a plain end (`NetworkConfig.end`) the layer before the last one reads them.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from model import NetworkConfig, RestorationNet

PICTURE_STEP = 1 / 255


def walk(config: NetworkConfig, ops, x):
    """The network as a list of named operations, in order. `ops` computes them (`QuantisedNet`) or
    writes them down (`export_int8.py`)."""

    def blocks(prefix: str, count: int, x, terms: list):
        for i in range(count):
            name = f"{prefix}.{i}"
            change, fine = ops.conv_fine(f"{name}.second", ops.conv(f"{name}.first", x))
            terms.extend(fine)
            if name != f"up_blocks.0.{config.up[0] - 1}" or ops.joined == 2:  # its sum is left to the layer that reads its terms
                x = ops.add(name, x, change)
        return x

    x, half = ops.conv_fine("head", x)
    skips = []
    for i in (0, 1):
        x = blocks(f"down_blocks.{i}", config.down[i], x, half if i == 0 else [])
        skips.append(x)
        x = ops.conv(f"shrink.{i}", x)
    x = blocks("bottom", config.bottom, x, [])
    for i in (1, 0):
        grown = ops.shuffle(ops.conv(f"grow.{i}", x))
        x = ops.add(f"join.{i}", grown, skips[i])
        if i == 0:
            half = [x] if ops.joined else [*half, grown]
        x = blocks(f"up_blocks.{i}", config.up[i], x, half if i == 0 else [])
    terms = [x] if ops.joined == 2 else half
    return ops.last("tail", [ops.conv_terms("before_tail", terms)] if config.end else terms)


# Two roundings of one number, a quarter step below and above: their mean has half the step.
SHIFTS = (-0.25, 0.25)


def half_terms(config: NetworkConfig) -> list[str]:
    """The layers whose results the last layer, or the one before it (`end`), reads, or some of them as their sum (`joined`)."""
    seconds = [f"{side}_blocks.0.{i}.second" for side, count in (("down", config.down[0]), ("up", config.up[0])) for i in range(count)]
    return ["head", "grow.0", *seconds]


def is_rectified(name: str) -> bool:
    """Whether a ReLU follows the layer."""
    return name.endswith(".first") or name == "before_tail"


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

    def __init__(self, after_relu: bool, centred: bool):
        super().__init__()
        self.after_relu, self.centred = after_relu, centred
        self.log_step = nn.Parameter(torch.zeros(()))
        self.register_buffer("zero", torch.zeros(()))

    @property
    def step(self) -> torch.Tensor:
        return self.log_step.exp()

    def forward(self, x, shift: float = 0.0):
        """Returns whole steps from zero. They and the weights' are exact in bfloat16, so autocast rounds only sums."""
        zero = self.zero.item()
        return _Round.apply(x.float() + shift * self.step.detach(), self.log_step, -zero, 255 - zero)

    def span(self, low: float, high: float):
        low, high = (0.0 if self.after_relu else min(low, 0.0)), max(high, 1e-3)
        if self.centred:
            high = max(high, -low)
            low = -high
        step = (high - low) / 255
        self.log_step.data.fill_(step).log_()
        self.zero.fill_(round(-low / step))


def _nearest(x: torch.Tensor) -> torch.Tensor:
    """Whole numbers, with the gradient of the numbers."""
    return x + (x.round() - x).detach()


def terms_weights(weight: torch.Tensor, terms):
    """A layer's weights for all terms side by side, the ratio of their steps included, and by how much
    of a step each is shifted before it is rounded: the two bytes of a fine term carry two halves of one
    weight, which are rounded apart so that their sum is finer."""
    parts = [weight * (step / terms[0][1]) for _, step in terms]
    shifts, i = [], 0
    while i < len(terms):
        # The two bytes of a fine term stand side by side and have one step.
        pair = i + 1 < len(terms) and float(terms[i][1]) == float(terms[i + 1][1])
        shifts += [torch.full_like(parts[i], shift / 2) for shift in SHIFTS] if pair else [torch.zeros_like(parts[i])]
        i += 2 if pair else 1
    return torch.cat(parts, 1), torch.cat(shifts, 1)


# (colour, row, column) of pixel_unshuffle, listed in the order (row, column, colour), in which the picture's bytes come.
BYTE_ORDER = [colour * 4 + row * 2 + column for row in range(2) for column in range(2) for colour in range(3)]


def as_read(name: str, weight: torch.Tensor) -> torch.Tensor:
    """A layer's weights with their input channels in the order in which the exported graph has them."""
    return torch.cat([weight[:, BYTE_ORDER], weight[:, 12:]], 1) if name == "head" else weight


def _integer_conv(whole, step, weight, layer: nn.Conv2d, steps, shifts=0.0):
    """Whole steps in, a real number out; weights and bias are rounded as they will be stored."""
    sums = F.conv2d(whole, _nearest(weight / steps[:, None, None, None] + shifts), None, layer.stride, layer.padding).float()
    bias = _nearest(layer.bias / (steps * step))
    return (sums + bias[None, :, None, None]) * (steps * step)[None, :, None, None]


# Before VNNI, x86 adds two neighbouring products of a uint8 and an int8 to 16 bits, which overflow without a word
# (`vpmaddubsw`; LOG.md: 2.4 dB). 128 * 255 is the most they hold; rounding may add one step to two weights, and shifts another.
PAIR = 126


def weight_steps(weight: torch.Tensor) -> torch.Tensor:
    """int8 step of every output channel: no weight is more than 127 of them, and no two that are added first (of neighbouring
    input channels, as read, at one place of the kernel) more than 126 in one direction, so that sums are exact everywhere."""
    rows = weight.detach().permute(0, 2, 3, 1).flatten(1)
    pairs = F.pad(rows, (0, rows.shape[1] % 2)).unflatten(1, (-1, 2))
    together = torch.maximum(pairs.clamp_min(0).sum(2), pairs.neg().clamp_min(0).sum(2)).amax(1)
    return torch.maximum(rows.abs().amax(1) / 127, together / PAIR).clamp_min(1e-8)


class QuantisedNet(RestorationNet):
    """A RestorationNet (same parameter names) with a quantiser at every tensor of `walk`.

    A tensor on the way is a pair: whole steps, and the step's size without gradient (`_Round` has
    already given the quantiser its own).
    """

    def __init__(self, config: NetworkConfig = NetworkConfig(), fine: int = 0, levels: float = 0.0, joined: int = 0):
        """`fine`: 0 none; 1: the two largest terms of the last layer have half the step, as two bytes beside the plain one
        that the other layers read, for a fifth of the speed; 2: the three largest, and the other layers read the lower of
        the two bytes, a quarter step off, which they learn to expect: 4 % slower than 1.
        `levels`: of the picture in one step of the residual, which then leaves as one byte (1: ±127 levels, 1.5: ±190); 0:
        as two bytes, to a whole level, which takes a twelfth longer. `joined`: 0: the last layer, or the one before it (`end`),
        reads each term with its own step; 1: what came down and up as their rounded sum, for an eighth of the time; 2: the
        sum of all, another 6 %. Free in the JPEG half, dear in the noise half (LOG.md)."""
        super().__init__(config)
        self.fine, self.levels, self.joined = fine, levels, joined
        self.quantisers = nn.ModuleDict()
        self.watched: dict[str, list] | None = None
        walk(config, _Namer(self.quantisers, half_terms(config), joined), None)

    def is_fine(self, name: str) -> bool:
        sides = ("down_blocks.0.", "up_blocks.0.0.")[:self.fine]
        return self.fine > 0 and (name == "head" or (name.startswith(sides) and name.endswith("second")))

    def quantiser(self, name: str) -> Quantiser:
        return self.quantisers[name.replace(".", "/")]

    def _at(self, name: str, x):
        quantiser = self.quantiser(name)
        if self.watched is not None:
            self.watched.setdefault(name, []).append(x.detach())
            return (F.relu(x) if quantiser.after_relu else x), 1.0
        return quantiser(x), quantiser.step.detach()

    def _real(self, name: str, pair):
        layer = self.get_submodule(name)
        if self.watched is not None:
            return layer(pair[0])
        return _integer_conv(pair[0], pair[1], layer.weight, layer, weight_steps(as_read(name, layer.weight)))

    def conv(self, name: str, pair):
        return self._at(name, self._real(name, pair))

    def conv_fine(self, name: str, pair):
        """The layer's result, and the terms as which the last layer reads it."""
        x = self._real(name, pair)
        if self.watched is not None or not self.is_fine(name):
            plain = self._at(name, x)
            return plain, [plain]
        quantiser, step = self.quantiser(name), self.quantiser(name).step.detach()
        halves = [(quantiser(x, shift), step / 2) for shift in SHIFTS]
        return ((halves[0][0], step) if self.fine == 2 else self._at(name, x)), halves

    def conv_terms(self, name: str, terms):
        """The layer's result, of terms whose sum it is to read."""
        layer = self.get_submodule(name)
        if self.watched is not None:
            return self._at(name, layer(sum(whole for whole, _ in terms)))
        weight, shifts = terms_weights(layer.weight, terms)
        together = torch.cat([whole for whole, _ in terms], 1)
        return self._at(name, _integer_conv(together, terms[0][1], weight, layer, weight_steps(weight), shifts))

    def add(self, name: str, a, b):
        return self._at(name, a[0] * a[1] + b[0] * b[1])

    def shuffle(self, pair):
        return F.pixel_shuffle(pair[0], 2), pair[1]

    def last(self, name: str, terms):
        layer = self.get_submodule(name)
        if self.watched is not None:
            return layer(sum(whole for whole, _ in terms))
        weight, shifts = terms_weights(layer.weight, terms)
        steps = weight_steps(weight)
        scaled = weight / steps[:, None, None, None]
        # Each residual is the sum of two, see `export_int8.py`.
        both = _nearest(scaled + shifts) if self.levels else sum(_nearest(scaled + shifts + quarter) for quarter in SHIFTS) / 2
        whole = F.conv2d(torch.cat([whole for whole, _ in terms], 1), both, None, layer.stride, layer.padding).float()
        residual = whole * (steps * terms[0][1])[None, :, None, None] + layer.bias[None, :, None, None]
        if not self.levels:
            return residual
        return _nearest(residual / (self.levels * PICTURE_STEP)).clamp(-128, 127) * (self.levels * PICTURE_STEP)

    def half_residual(self, half, conditions):
        """As the parent's, in picture units; the whole-level rounding of the result is left to `deployed`."""
        maps = conditions[:, :, None, None].expand(-1, -1, half.shape[2], half.shape[3])
        x = torch.cat([half, maps], 1)
        if self.watched is not None:
            return walk(self.config, self, (x, 1.0))
        return walk(self.config, self, (torch.round(x / PICTURE_STEP), PICTURE_STEP))


class _Namer:
    """Walks the network once to make its quantisers. Terms that lie side by side have one zero point, the middle."""

    def __init__(self, quantisers: nn.ModuleDict, terms: list[str], joined: int):
        self.quantisers, self.terms, self.joined = quantisers, terms, joined

    def conv(self, name: str, _):
        self.quantisers[name.replace(".", "/")] = Quantiser(is_rectified(name), name in self.terms)

    def conv_fine(self, name: str, _):
        self.conv(name, _)
        return None, []

    def conv_terms(self, name: str, _):
        self.conv(name, _)

    def add(self, name: str, *_):
        self.quantisers[name.replace(".", "/")] = Quantiser(False, self.joined == 1 and name == "join.0")

    def shuffle(self, _):
        pass

    def last(self, *_):
        pass


@torch.no_grad()
def watch(network: QuantisedNet, batches) -> dict[str, torch.Tensor]:
    """What every tensor holds on these batches, in full precision."""
    network.watched = {}
    for lq, conditions in batches:
        network.residual(lq, conditions)
    seen, network.watched = network.watched, None
    return {name: torch.cat(parts) for name, parts in seen.items()}


@torch.no_grad()
def equalise(network: QuantisedNet, batches):
    """Scales the channels of the half-resolution tensors to equal spans, and the layers that read them
    back: the network computes the same, and no channel is rounded with the step of a wider one."""
    seen, spans = watch(network, batches), []
    for name in half_terms(network.config):
        values = F.pixel_shuffle(seen[name], 2) if name == "grow.0" else seen[name]
        spans.append(values.transpose(0, 1).flatten(1)[:, ::7].abs().sort(1).values[:, -max(1, values[:, 0].numel() // 7000)])
    factor = 1 / torch.stack(spans).amax(0)
    factor /= factor.mean()
    scale(network, factor)


@torch.no_grad()
def scale(network: RestorationNet, factor: torch.Tensor):
    """Multiplies the channels of the half-resolution tensors; what reads them divides."""
    for name in half_terms(network.config):
        layer, each = network.get_submodule(name), factor.repeat_interleave(4) if name == "grow.0" else factor
        layer.weight.mul_(each[:, None, None, None])
        layer.bias.mul_(each)
    readers = [name.replace("second", "first") for name in half_terms(network.config) if name.endswith("second")]
    for name in ["shrink.0", "before_tail" if network.config.end else "tail", *readers]:
        network.get_submodule(name).weight.div_(factor[None, :, None, None])


@torch.no_grad()
def carried(state: dict, before: RestorationNet, after: RestorationNet) -> dict:
    """An 8-bit network's state, fine-tuned from `before`, with what has changed in full precision since: its weights have
    learned what rounding asks of them, and that differs little from one stage of training to the next."""
    channels = before.head.weight.flatten(1)
    factor = (state["head.weight"].flatten(1) * channels).sum(1) / (channels ** 2).sum(1)
    for network in (before, after):
        scale(network, factor)
    old, new = before.state_dict(), after.state_dict()
    return {key: value + new[key] - old[key] if key in old else value for key, value in state.items()}


@torch.no_grad()
def calibrate(network: QuantisedNet, batches, percentile: float = 99.99):
    """Spans from what the tensors really hold on training crops, rare extremes cut off (LOG.md: against
    the full range worth 0.45 dB on noise of 15)."""
    for name, values in watch(network, batches).items():
        values = values.flatten()[::31]
        if network.quantiser(name).after_relu:
            values = values[values > 0]
        ordered = values.sort().values
        cut = int((1 - percentile / 100) * (len(ordered) - 1))
        network.quantiser(name).span(ordered[cut].item(), ordered[-1 - cut].item())
