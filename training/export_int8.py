"""A quantised checkpoint to an ONNX file of integer operations (QDQ form), and its row in the manifest.

    python training/export_int8.py --out models/general compression=runs/general-jpeg-int8/checkpoint.pt noise=runs/general-noise-int8/checkpoint.pt

After `export.py`: the manifest must have the same network in full precision. The graph is written
by hand, because its form decides the speed: onnxruntime then runs QLinearConv and QLinearAdd only,
and all shuffles move bytes.
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from export import Deployed
from model import CONDITIONS, shape
from quantised import BYTE_ORDER, PICTURE_STEP, SHIFTS, QuantisedNet, as_read, terms_weights, walk, weight_steps

# The name of a term that lies beside the one before it, in the same tensor.
BESIDE = ""
# A tensor's quantisation: (size of one step, the byte that means 0).
PICTURE = (PICTURE_STEP, 0)
RESIDUAL = (PICTURE_STEP, 128)
# Both need their whole receptive field: integers either take no notice of what is far away or are off by a whole step.


class Tape:
    """Writes `walk` down as ONNX nodes. A tensor on the way: (its uint8 value's name, quantisation,
    channels, scale it lives at). All of them are NCHW to ONNX; onnxruntime keeps them NHWC."""

    def __init__(self, network: QuantisedNet):
        self.network, self.nodes, self.constants, self.joined = network, [], [], network.joined

    def emit(self, kind: str, *inputs: str, **attributes) -> str:
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def constant(self, value: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def whole(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def round(self, x: str, q) -> str:
        return self.emit("QuantizeLinear", x, self.constant(np.float32(q[0])), self.constant(np.uint8(q[1])))

    def real(self, x: str, q) -> str:
        return self.emit("DequantizeLinear", x, self.constant(np.float32(q[0])), self.constant(np.uint8(q[1])))

    def size(self, scale: int) -> list[str]:
        """Height and width at 1/scale of the picture."""
        return [self.emit("Div", side, self.whole(scale)) for side in (self.height, self.width)]

    def reshape(self, x: str, *dimensions: str) -> str:
        return self.emit("Reshape", x, self.emit("Concat", *dimensions, axis=0))

    def convolve(self, x: str, q, weight: torch.Tensor, bias: torch.Tensor, stride: int, padding: int, out, shifts=0.0) -> str:
        """int8 weights with one step per output channel, int32 bias in steps of the sum."""
        steps = weight_steps(weight)
        sums = (steps.double() * q[0]).numpy().astype(np.float32)
        whole = torch.round(weight / steps[:, None, None, None] + shifts).numpy().astype(np.int8)
        zero = np.zeros(len(sums))
        w = self.emit("DequantizeLinear", self.constant(whole), self.constant(steps.numpy()), self.constant(zero.astype(np.int8)), axis=0)
        offset = np.rint(bias.double().numpy() / sums.astype(np.float64)).astype(np.int32)
        b = self.emit("DequantizeLinear", self.constant(offset), self.constant(sums), self.constant(zero.astype(np.int32)), axis=0)
        side = weight.shape[2]
        return self.round(self.emit("Conv", self.real(x, q), w, b, kernel_shape=[side, side], strides=[stride] * 2, pads=[padding] * 4), out)

    def sum(self, a: str, qa, b: str, qb, out) -> str:
        return self.round(self.emit("Add", self.real(a, qa), self.real(b, qb)), out)

    def quantisation(self, name: str):
        quantiser = self.network.quantiser(name)
        return quantiser.step.item(), int(quantiser.zero.item())

    def layer(self, name: str):
        layer = self.network.get_submodule(name)
        return layer, self.quantisation(name), as_read(name, layer.weight.detach()), layer.bias.detach()

    def apart(self, x: str, axis: int, *sizes: int) -> list[str]:
        """Consecutive parts of a tensor; what lies behind them is left out."""
        ends = np.cumsum(sizes)
        return [self.emit("Slice", x, self.whole(end - size), self.whole(end), self.whole(axis)) for end, size in zip(ends, sizes)]

    # What `walk` calls.

    def conv(self, name: str, x):
        layer, out, weight, bias = self.layer(name)
        if name.startswith("grow."):
            # pixel_shuffle's order (channel, row, column) to (row, column, channel): whole runs of bytes move.
            rows = torch.arange(len(weight)).reshape(-1, 4).T.reshape(-1)
            weight, bias = weight[rows], bias[rows]
        y = self.convolve(x[0], x[1], weight, bias, layer.stride[0], layer.padding[0], out)
        return y, out, len(weight), x[3] * layer.stride[0]

    def conv_fine(self, name: str, x):
        if not self.network.is_fine(name):
            plain = self.conv(name, x)
            return plain, [plain]
        layer, out, weight, bias = self.layer(name)
        shifts = SHIFTS if self.network.fine == 2 else (*SHIFTS, 0.0)
        shifted = [bias + shift * out[0] for shift in shifts]
        y = self.convolve(x[0], x[1], torch.cat([weight] * len(shifts)), torch.cat(shifted), 1, layer.padding[0], out)
        # The other layers read the plain one, or the lower where there is none.
        pair, read = self.parts(y, len(weight), len(shifts))
        half = (out[0] / 2, out[1])
        return (read, out, len(weight), x[3]), [(pair, half, len(weight), x[3]), (BESIDE, half, len(weight), x[3])]

    def conv_terms(self, name: str, terms):
        layer, out, weight, bias = self.layer(name)
        weight, shifts = terms_weights(weight, [(None, term[1][0]) for term in terms])
        y = self.convolve(self.beside(terms), terms[0][1], weight, bias, layer.stride[0], layer.padding[0], out, shifts)
        return y, out, len(weight), terms[0][3]

    def beside(self, terms) -> str:
        """All terms as one tensor. Every piece is copied pixel by pixel: the fewer, the faster (5 for 8 took 5 % of the noise half's time)."""
        pieces = [term[0] for term in terms if term[0] != BESIDE]
        return self.emit("Concat", *pieces, axis=1) if len(pieces) > 1 else pieces[0]

    def parts(self, y: str, channels: int, count: int) -> tuple[str, str]:
        """Both bytes of a fine term as they lie side by side, and the one that other layers read: the third, or the first."""
        if count == 2:
            begin, end, axis = self.whole(0), self.whole(channels), self.whole(1)
            return y, self.emit("Slice", y, begin, end, axis)
        pair, plain = f"{y}_pair", f"{y}_plain"
        self.nodes.append(helper.make_node("Split", [y, self.whole(2 * channels, channels)], [pair, plain], axis=1))
        return pair, plain

    def add(self, name: str, a, b):
        out = self.quantisation(name)
        return self.sum(a[0], a[1], b[0], b[1], out), out, *a[2:]

    def shuffle(self, x):
        y, q, channels, scale = x
        (height, width), (tall, wide), depth = self.size(scale), self.size(scale // 2), self.whole(channels // 4)
        one, two = self.whole(1), self.whole(2)
        y = self.reshape(self.emit("Transpose", y, perm=[0, 2, 3, 1]), one, height, width, two, two, depth)
        y = self.reshape(self.emit("Transpose", y, perm=[0, 1, 3, 2, 4, 5]), one, tall, wide, depth)
        return self.emit("Transpose", y, perm=[0, 3, 1, 2]), q, channels // 4, scale // 2

    def last(self, name: str, terms):
        """The residual in steps of `levels`, or in whole levels as two halves that are added one after the other: 8 bits
        hold ±127 levels and strong noise needs more. round(r) = round(r/2 - 1/4) + round(r/2 + 1/4)."""
        layer = self.network.get_submodule(name)
        weight, shifts = (x[BYTE_ORDER] for x in terms_weights(layer.weight.detach(), [(None, term[1][0]) for term in terms]))
        bias, quarter = layer.bias.detach()[BYTE_ORDER], PICTURE_STEP / 4
        x = self.beside(terms)
        if self.network.levels:
            # Four channels of nothing, beside the conditions: onnxruntime takes four times as long for 12 as for 16.
            residual = (self.network.levels * PICTURE_STEP, 128)
            weight, shifts, bias = (F.pad(x, (0, 0) * (x.dim() - 1) + (0, len(CONDITIONS))) for x in (weight, shifts, bias))
            y = self.convolve(x, terms[0][1], weight, bias, 1, 1, residual, shifts)
            return self.sum(self.input, PICTURE, self.emit("Transpose", y, perm=[0, 2, 3, 1]), residual, PICTURE)
        both = torch.cat([weight / 2] * 2), torch.cat([bias / 2 - quarter, bias / 2 + quarter])
        apart = torch.cat([shifts + SHIFTS[0], shifts + SHIFTS[1]])
        y = self.convolve(x, terms[0][1], *both, 1, 1, RESIDUAL, apart)
        y = self.emit("Transpose", y, perm=[0, 2, 3, 1])
        halves = [f"{y}_low", f"{y}_high"]
        self.nodes.append(helper.make_node("Split", [y, self.whole(12, 12)], halves, axis=3))
        restored = self.emit("Concat", *self.rows, axis=3)
        for half in halves:
            restored = self.sum(restored, PICTURE, half, RESIDUAL, PICTURE)
        return restored

    def write(self) -> onnx.ModelProto:
        shape = self.emit("Shape", "picture")
        self.height, self.width = (self.emit("Gather", shape, self.whole(axis)) for axis in (1, 2))
        (height, width), one, two, three = self.size(2), self.whole(1), self.whole(2), self.whole(3)
        # Rows in pairs, two pixels of each side by side. Cut and put together, because that copies a run of six bytes in a
        # third of the time in which Transpose does (LOG.md).
        size, pair = self.emit("Concat", one, height, width, self.whole(6), axis=0), self.emit("Mul", width, self.whole(6))
        rows = self.apart(self.reshape("picture", one, height, two, pair), 2, 1, 1)
        rows = [self.emit("Reshape", row, size) for row in rows]
        told = self.round(self.reshape("conditions", one, one, one, self.whole(len(CONDITIONS))), PICTURE)
        maps = self.emit("Expand", told, self.emit("Concat", one, height, width, self.whole(len(CONDITIONS)), axis=0))
        self.rows, self.input = rows, self.emit("Concat", *rows, maps, axis=3)
        x = self.emit("Transpose", self.input, perm=[0, 3, 1, 2])
        y = walk(self.network.config, self, (x, PICTURE, 12 + len(CONDITIONS), 2))
        rows = [self.reshape(row, one, height, one, pair) for row in self.apart(y, 3, 6, 6)]
        y = self.emit("Concat", *rows, axis=2)
        whole = self.emit("Concat", one, self.height, self.width, three, axis=0)
        self.nodes.append(helper.make_node("Reshape", [y, whole], ["restored"]))
        pixels = [1, "height", "width", 3]
        graph = helper.make_graph(
            self.nodes, "restore",
            [helper.make_tensor_value_info("picture", TensorProto.UINT8, pixels),
             helper.make_tensor_value_info("conditions", TensorProto.FLOAT, [1, len(CONDITIONS)])],
            [helper.make_tensor_value_info("restored", TensorProto.UINT8, pixels)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model


def load(checkpoint: Path) -> tuple[QuantisedNet, dict]:
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    how = state["config"]["quantise"]
    network = QuantisedNet(shape(state["config"]["network"]), int(how.get("fine", 0)), how.get("levels", 0.0), int(how.get("joined", 0)))
    network.load_state_dict(state["ema"])
    return network.eval(), state


def disagreement(network: QuantisedNet, file: Path) -> float:
    """Root mean square difference in 8-bit levels between torch and onnxruntime on a smooth random picture."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((1, 3, 24, 32), np.float32))
    picture = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bicubic").clamp(0, 1)[0].permute(1, 2, 0)
    picture = torch.round(picture * 255 + torch.from_numpy(rng.normal(0, 8, picture.shape))).clamp(0, 255).to(torch.uint8)[None]
    condition = torch.tensor([[0.4] * len(CONDITIONS)])
    with torch.no_grad():
        expected = Deployed(network)(picture, condition).numpy().astype(float)
    got = onnxruntime.InferenceSession(str(file)).run(None, {"picture": picture.numpy(), "conditions": condition.numpy()})[0]
    return float(np.sqrt(np.mean((expected - got) ** 2)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="+", metavar="WHEN=CHECKPOINT")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    manifest_file = args.out / "manifest.json"
    manifest = json.loads(manifest_file.read_text())
    for pair in args.networks:
        when, _, checkpoint = pair.partition("=")
        network, state = load(Path(checkpoint))
        file = args.out / f"{when}-int8.onnx"
        onnx.save(Tape(network).write(), str(file))
        difference = disagreement(network, file)
        if difference > 1:  # one flipped rounding spreads: a wrong graph is many levels off
            raise SystemExit(f"{file}: torch and onnxruntime differ by {difference:.2f} levels (root mean square)")
        print(f"{file}: {file.stat().st_size} bytes, torch and onnxruntime differ by {difference:.3f} levels (root mean square)")
        kept = [n for n in manifest["networks"] if n["file"] != file.name]
        full = next(n for n in kept if n["when"] == when)
        row = {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "when": when, "precision": "int8",
               "conditions": full["conditions"]}
        kept.insert(kept.index(full) + 1, row)
        manifest["networks"] = kept
        manifest["training"][f"{when}-int8"] = {"iterations": state["iteration"], **state["config"]["quantise"]}
    manifest_file.write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
