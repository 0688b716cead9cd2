"""A face checkpoint to models/face/{face.onnx, manifest.json}: 512x512 uint8 NHWC in and out, EMA weights.

    python training/face_export.py --out models/face runs/face/checkpoint.pt
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from face_model import SIDE, FaceNet, macs

DATA_LICENCES = {
    "omi": "CC BY-NC-SA 4.0 (non-commercial: jcpeterson/omi)",
    "london": "CC BY 4.0 (Face Research Lab London Set, doi 10.6084/m9.figshare.5047666.v5)",
    "canada": "CC BY 4.0 (debruine/webmorphR.stim)",
    "general": "starts from the weights of models/general; its data in that manifest",
}


class Deployed(torch.nn.Module):
    """Normalisation, rounding and layout inside the graph (as in export.py)."""

    def __init__(self, network: FaceNet):
        super().__init__()
        self.network = network

    def forward(self, face, shown):
        def half(x):
            return x.reshape(1, SIDE // 2, 2, SIDE // 2, 2, 3).permute(0, 5, 2, 4, 1, 3).reshape(1, 12, SIDE // 2, SIDE // 2).float() / 255

        restored = torch.clamp(torch.round(self.network.half(half(face), half(shown)) * 255), 0, 255)
        planes = restored.to(torch.uint8).reshape(1, 3, 2, 2, SIDE // 2, SIDE // 2)
        return planes.permute(0, 4, 2, 5, 3, 1).reshape(1, SIDE, SIDE, 3)


def load(checkpoint: Path) -> tuple[FaceNet, dict]:
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    network = FaceNet()
    network.load_state_dict(state["ema"])
    return network.eval(), state


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="0.1.0")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    network, state = load(args.checkpoint)
    deployed, file = Deployed(network), args.out / "face.onnx"
    blank = torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8)
    torch.onnx.export(deployed, (blank, blank), str(file), opset_version=17, dynamo=False, input_names=["face", "shown"],
                      output_names=["restored"], do_constant_folding=True)
    onnx.checker.check_model(str(file))
    face, shown = np.random.default_rng(0).integers(0, 256, (2, 1, SIDE, SIDE, 3), np.uint8)
    got = onnxruntime.InferenceSession(str(file)).run(None, {"face": face, "shown": shown})[0]
    worst = int(np.abs(deployed(torch.from_numpy(face), torch.from_numpy(shown)).detach().numpy().astype(int) - got).max())
    if worst > 1:
        raise SystemExit(f"{file}: torch and onnxruntime differ by {worst}/255")
    config = state["config"]
    used = {k: v for k, v in DATA_LICENCES.items() if k not in config["exclude"]}
    commercial = "omi" not in used
    manifest = {
        "name": "face", "version": args.version, "task": "face",
        "networks": [{"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "when": "any", "conditions": []}],
        "description": "Faithful repair of one aligned face: blur, low resolution, noise, JPEG.",
        "input": {"layout": "NHWC", "type": "uint8", "channels": "RGB", "name": "face"},
        "beside": "shown", "scale": 1,
        "tile": {"multiple": 16, "halo": 0, "max": SIDE, "size": SIDE},
        "cost": {"parameters": sum(p.numel() for p in network.parameters()),
                 "gmacPerMegapixel": round(macs(network) / (SIDE * SIDE / 1e6), 1)},
        "licence": {"weights": "Apache-2.0" if commercial else "CC BY-NC-SA 4.0", "data": used},
        "training": {"iterations": state["iteration"], "hours": round(state["busy"] / 3600, 2), "seed": config["seed"],
                     "size": config["size"], "batch": config["batch"], "mixture": config["mixture"]},
    }
    (args.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{file}: {file.stat().st_size} bytes, torch and onnxruntime differ by at most {worst}/255")


if __name__ == "__main__":
    main()
