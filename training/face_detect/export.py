"""Checkpoints to models/face-detect/{face-detect.onnx, face-refine.onnx, manifest.json}: EMA weights, normalisation folded away.

    python training/face_detect/export.py --out models/face-detect --threshold 0.5 --hint 0.15 runs/face-detect/checkpoint.pt --refiner runs/face-refine/checkpoint.pt
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from detect import Deployed, from_checkpoint
from model import macs
from refine_model import SIDE, DeployedRefiner, Refiner
from refine_model import macs as refiner_macs

LICENCES = {
    "omi": "CC BY-NC-SA 4.0 (StyleGAN2 faces, train-face)", "london": "CC BY 4.0 (Face Research Lab London Set)",
    "canada": "CC BY 4.0 (webmorphR.stim)", "bsds500": "not stated (Berkeley: research use)",
    "linzaer": "MIT repository, the pictures' own rights not stated", "cid22": "CC BY-SA 4.0",
    "drewnoakes": "free use (as its repository states)", "deepin": "CC BY 4.0 or Unsplash License",
    "matheustt": "Unsplash, Pexels and Pixabay licences", "pixls": "CC BY-SA 4.0", "budgie": "CC0 1.0",
    "oceanic": "CC0 (Pexels, as stated)", "clic2025": "Unsplash License", "popos": "public domain (Unsplash, as stated)",
    "paperkit": "MIT", "labels": "pseudo-labels by YuNet (Apache-2.0) and RFB-640 (MIT), both trained on WIDER FACE",
}


def export(deployed: Deployed, file: Path):
    names = ["stride8", "stride16", "stride32"]
    axes = {"picture": {1: "height", 2: "width"}, **{n: {1: f"rows{n[6:]}", 2: f"columns{n[6:]}"} for n in names}}
    torch.onnx.export(deployed, (torch.zeros(1, 64, 96, 3, dtype=torch.uint8),), str(file), opset_version=17, dynamo=False,
                      input_names=["picture"], output_names=names, dynamic_axes=axes, do_constant_folding=True)
    onnx.checker.check_model(str(file))


def disagreement(deployed: Deployed, file: Path) -> float:
    """Largest difference between torch and onnxruntime in any output, on pictures of several shapes."""
    rng, session, worst = np.random.default_rng(0), onnxruntime.InferenceSession(str(file)), 0.0
    for height, width in ((64, 64), (96, 160), (320, 224)):
        picture = rng.integers(0, 256, (1, height, width, 3), np.uint8)
        with torch.no_grad():
            expected = deployed(torch.from_numpy(picture))
        for a, b in zip(expected, session.run(None, {"picture": picture})):
            worst = max(worst, float(np.abs(a.numpy() - b).max()))
    return worst


def refiner_from(checkpoint: Path) -> tuple[DeployedRefiner, dict]:
    state, network = torch.load(checkpoint, weights_only=True, map_location="cpu"), Refiner()
    network.load_state_dict(state["ema"])
    return DeployedRefiner(network).eval(), state


def export_refiner(deployed: DeployedRefiner, file: Path) -> float:
    """Writes it; the largest difference between torch and onnxruntime, on one and on several crops."""
    torch.onnx.export(deployed, (torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8),), str(file), opset_version=17, dynamo=False,
                      input_names=["faces"], output_names=["seen"], dynamic_axes={"faces": {0: "n"}, "seen": {0: "n"}})
    onnx.checker.check_model(str(file))
    rng, session, worst = np.random.default_rng(0), onnxruntime.InferenceSession(str(file)), 0.0
    for count in (1, 5):
        crops = rng.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)
        with torch.no_grad():
            worst = max(worst, float(np.abs(deployed(torch.from_numpy(crops)).numpy() - session.run(None, {"faces": crops})[0]).max()))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--refiner", type=Path, required=True, help="checkpoint of refine_train.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threshold", type=float, required=True, help="operating point, as evaluate.py chose it")
    parser.add_argument("--hint", type=float, required=True, help="what a lying face scores before the picture is turned (LOG.md)")
    parser.add_argument("--version", default="0.1.0")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    network, state = from_checkpoint(args.checkpoint)
    file, config = args.out / "face-detect.onnx", state["config"]
    export(Deployed(network), file)
    worst = disagreement(Deployed(network), file)
    if worst > 1e-3:
        raise SystemExit(f"{file}: torch and onnxruntime differ by {worst}")
    refiner, seen = refiner_from(args.refiner)
    second = args.out / "face-refine.onnx"
    apart = export_refiner(refiner, second)
    # Scores and crop px.
    if apart > 2e-2:
        raise SystemExit(f"{second}: torch and onnxruntime differ by {apart}")
    print(f"{second}: {second.stat().st_size} bytes, {refiner_macs():.0f} MMAC a candidate, torch and onnxruntime differ by at most {apart:.1e}")
    cost = macs(network.config)
    print(f"{file}: {file.stat().st_size} bytes, {cost:.3f} GMAC at 640x640, torch and onnxruntime differ by at most {worst:.1e}")
    manifest = {
        "name": config["name"], "version": args.version, "task": "face-detect",
        "networks": [{"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "when": "any", "conditions": []}],
        "description": "Faces with a score, a box and five landmarks, turned by up to 45 degrees, from 13 px.",
        "input": {"layout": "NHWC", "type": "uint8", "channels": "RGB"},
        "detector": "mingxi", "refiner": {"file": second.name, "sha256": hashlib.sha256(second.read_bytes()).hexdigest()},
        "hint": args.hint, "scale": 1,
        "tile": {"multiple": 32, "halo": 0, "max": 4096},
        "cost": {"parameters": sum(p.numel() for n in (network, refiner) for p in n.parameters()), "gmacPerMegapixel": round(cost / 0.4096, 2)},
        "licence": {"weights": "CC BY-NC-SA 4.0" if "omi" not in config["exclude"] else "Apache-2.0",
                    "data": {k: v for k, v in LICENCES.items() if not k.startswith(tuple(config["exclude"]) or ("\0",))}},
        "training": {"threshold": args.threshold, "iterations": state["iteration"], "hours": round(state["busy"] / 3600, 2),
                     "seed": config["seed"], "patch": config["patch"], "batch": config["batch"], "mixture": config["mixture"],
                     "refiner": {"iterations": seen["iteration"], "hours": round(seen["busy"] / 3600, 2), "seed": seen["config"]["seed"],
                                 "batch": seen["config"]["batch"], "mixture": seen["config"]["mixture"]}},
    }
    (args.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
