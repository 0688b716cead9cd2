"""A checkpoint to models/NAME/{*.onnx, manifest.json}: uint8 NHWC in and out, EMA weights.

    python training/export.py --out models/general compression=runs/general-jpeg/checkpoint.pt noise=runs/general-noise/checkpoint.pt
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from model import CONDITIONS, RestorationNet, load, macs_per_megapixel

DATA_LICENCES = {
    "cid22": "CC BY-SA 4.0", "drewnoakes": "free use (as its repository states)",
    "deepin": "CC BY 4.0 or Unsplash License", "matheustt": "Unsplash, Pexels and Pixabay licences",
    "pixls": "CC BY-SA 4.0", "budgie": "CC0 1.0", "oceanic": "CC0 (Pexels, as stated)",
    "clic2025": "Unsplash License", "popos": "public domain (Unsplash, as stated)", "paperkit": "MIT",
}


# Context that a network needs for tiled to equal untiled within 1/255, where it is less than --halo: seen
# on LIVE1 and McMaster at quality 5-85, 24-32 would do (`test/pipeline/tiled-equals-untiled.test.ts` holds it).
HALO = {"compression": 40, "noise": 64, "blur": 24}


class Deployed(torch.nn.Module):
    """Normalisation, rounding and layout inside the graph, so that every runtime does them alike."""

    def __init__(self, network: RestorationNet):
        super().__init__()
        self.network = network

    def forward(self, picture, conditions):
        # Shuffles run on bytes and arithmetic on half-resolution planes: a quarter of the memory traffic
        # of float NHWC <-> NCHW. And in two moves each, one that turns pixels into planes and one that
        # moves whole rows, both of which onnxruntime does 15 times as fast as the one move with six axes.
        _, height, width, _ = picture.shape
        rows, columns = height // 2, width // 2
        planes = picture.reshape(1, height, columns, 6).permute(0, 3, 1, 2).reshape(2, 3, rows, 2, columns)
        half = planes.permute(1, 3, 0, 2, 4).reshape(1, 12, rows, columns).float() / 255
        restored = torch.clamp(torch.round((half + self.network.half_residual(half, conditions)) * 255), 0, 255)
        planes = restored.to(torch.uint8).reshape(3, 2, 2, rows, columns).permute(2, 0, 3, 1, 4)
        return planes.reshape(1, 6, height, columns).permute(0, 2, 3, 1).reshape(1, height, width, 3)


def export(network: RestorationNet, file: Path):
    example = (torch.zeros(1, 64, 96, 3, dtype=torch.uint8), torch.zeros(1, len(CONDITIONS)))
    size = {1: "height", 2: "width"}
    torch.onnx.export(Deployed(network), example, str(file), opset_version=17, dynamo=False,
                      input_names=["picture", "conditions"], output_names=["restored"],
                      dynamic_axes={"picture": size, "restored": size}, do_constant_folding=True)
    onnx.checker.check_model(str(file))


def agree(network: RestorationNet, file: Path) -> int:
    """Largest difference in 8-bit steps between torch and onnxruntime on random pictures."""
    rng = np.random.default_rng(0)
    session = onnxruntime.InferenceSession(str(file))
    worst = 0
    for height, width in ((64, 64), (136, 200)):
        picture = rng.integers(0, 256, (1, height, width, 3), np.uint8)
        condition = rng.random((1, len(CONDITIONS)), np.float32)
        with torch.no_grad():
            expected = Deployed(network)(torch.from_numpy(picture), torch.from_numpy(condition)).numpy()
        got = session.run(None, {"picture": picture, "conditions": condition})[0]
        worst = max(worst, int(np.abs(expected.astype(int) - got.astype(int)).max()))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="+", metavar="WHEN=CHECKPOINT", help="WHEN: compression, noise, blur or any")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="0.1.0")
    parser.add_argument("--halo", type=int, default=88, help="the receptive field is 86 px (22 px of the fast tier): tiles are exact")
    parser.add_argument("--tile", type=int, default=1024)
    parser.add_argument("--tier", metavar="LEVEL=MODEL", help="fast=general: the fast tier of general")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    files, training, costs = [], {}, []
    for pair in args.networks:
        when, _, checkpoint = pair.partition("=")
        network, state = load(Path(checkpoint))
        file = args.out / f"{when}.onnx"
        export(network, file)
        worst = agree(network, file)
        if worst > 1:
            raise SystemExit(f"{file}: torch and onnxruntime differ by {worst}/255")
        print(f"{file}: {file.stat().st_size} bytes, torch and onnxruntime differ by at most {worst}/255")
        costs.append((round(macs_per_megapixel(network.config), 1), sum(p.numel() for p in network.parameters())))
        config = state["config"]
        files.append({"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "when": when,
                      "conditions": config.get("conditions", list(CONDITIONS)), **({"halo": HALO[when]} if HALO.get(when, args.halo) < args.halo else {})})
        training[when] = {"iterations": state["iteration"], "hours": round(state["busy"] / 3600, 2), "seed": config["seed"],
                          "patch": config["patch"], "batch": config["batch"], "mixture": config["mixture"]}
    used = {k: v for k, v in DATA_LICENCES.items() if not k.startswith(tuple(config["exclude"]) or ("\0",))}
    manifest = {
        "name": args.out.name, "version": args.version, "task": "restore", "networks": files,
        "description": "Blind same-size repair: JPEG, noise, their mixtures, and slight blur.",
        "input": {"layout": "NHWC", "type": "uint8", "channels": "RGB"},
        "scale": 1,
        **({"tier": {"of": args.tier.split("=")[1], "level": args.tier.split("=")[0]}} if args.tier else {}),
        "tile": {"multiple": 8, "halo": args.halo, "max": args.tile},
        "cost": {"parameters": max(costs)[1], "gmacPerMegapixel": max(costs)[0]},  # of the dearest
        "licence": {"weights": "Apache-2.0", "data": used},
        "training": training,
    }
    (args.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
