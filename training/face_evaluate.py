"""The face network against the input and the general network, on aligned faces it never saw.

    python training/face_evaluate.py --face models/face/face.onnx --general models/general [--split test] [--json F]
    python training/face_evaluate.py --face runs/face/checkpoint.pt --general models/general --split validation

Test faces: ../shared/data/test/faces-hq, three mixed degradations each with fixed seeds. Identity: distance
of dlib's face descriptors when dlib and face_recognition_models are installed (evaluation only).
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from degrade import to_bytes
from evaluate import UNKNOWN, Model
from face_data import faces, light, oval, portrait
from metrics import fsim, luma, psnr, ssim

# What a row of the table is made of; the kind of degradation is told apart in the report.
DRAWS = ("light", "portrait", "portrait")


def degraded(gt: np.ndarray, kind: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return to_bytes((light if kind == "light" else portrait)(gt.astype(np.float32), rng)[0])


def within(mask, restored: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """What the product takes of a restored face, over what the general network shows."""
    return to_bytes(shown + mask * (restored.astype(np.float32) - shown))


class Face:
    """An exported network or a checkpoint: the face as it came and as the general network shows it, HWC uint8 512x512 -> the same."""

    def __init__(self, file: Path):
        if file.suffix == ".onnx":
            import onnxruntime
            session = onnxruntime.InferenceSession(str(file))
            names = [i.name for i in session.get_inputs()]
            self.run = lambda *views: session.run(None, {name: x[None] for name, x in zip(names, views)})[0][0]
        else:
            import torch
            from face_export import Deployed, load
            network = Deployed(load(file)[0])
            self.run = lambda *views: network(*[torch.from_numpy(x[None]) for x in views]).detach().numpy()[0]

    def __call__(self, source: np.ndarray, shown: np.ndarray) -> np.ndarray:
        return self.run(source, shown)


class Identity:
    """128-d descriptors; None where dlib is absent. Landmarks by dlib's 68-point predictor in the aligned frame."""

    def __init__(self):
        import dlib
        import face_recognition_models as weights
        self.dlib = dlib
        self.predictor = dlib.shape_predictor(weights.pose_predictor_model_location())
        self.embedder = dlib.face_recognition_model_v1(weights.face_recognition_model_location())
        self.box = dlib.rectangle(100, 130, 412, 442)

    def describe(self, x: np.ndarray):
        shape = self.predictor(np.ascontiguousarray(x), self.box)
        points = np.array([(p.x, p.y) for p in shape.parts()], np.float64)
        return np.array(self.embedder.compute_face_descriptor(np.ascontiguousarray(x), shape)), points


CARD = """# face {version}

{description}

Licence of the weights: {weights}. {parameters} parameters, 11.6 GMAC for one face of 512x512.

Trained on aligned faces of: {data}. {iterations} iterations in {hours} h of one shared core, from the weights of earlier turns (`training/LOG.md`); mixture {mixture}.

Most training faces are synthetic (StyleGAN2) and under a non-commercial licence, so these weights are, too. `exclude`
in `training/configs/face.yaml` (`[omi]`) trains on the 188 photographs under CC BY alone.

## Figures

Test faces never seen in training (24 synthetic, 8 photographs), three degradations each with fixed seeds: one light (noise,
compression or a little softness at full size), two of a small or blurred face (down to an eighth of the size). Every face, in
full within the oval that the product takes, around it the general network's, and measured over the whole square; without the
product's guard and amounts, which leave clear faces untouched. In the last rows the network's answer is taken in the whole
square, with hair and background, too. Identity: distance of dlib's face descriptors to the original's (0.6 is its threshold
for another person); landmarks: mean distance of 68 points in eye distances; lower is better for both.

    python training/face_evaluate.py --face models/face/face.onnx --general models/general --card models/face/CARD.md

| degradation (faces) | measure | input | general | face | better than input | than general | worst decile |
| --- | --- | --- | --- | --- | --- | --- | --- |
{lines}
"""


def card(folder: Path, lines: list[str]) -> str:
    manifest = json.loads((folder / "manifest.json").read_text())
    training, licence = manifest["training"], manifest["licence"]
    return CARD.format(version=manifest["version"], description=manifest["description"], weights=licence["weights"],
                       parameters=manifest["cost"]["parameters"], iterations=training["iterations"], hours=training["hours"],
                       mixture=", ".join(f"{k} {v}" for k, v in training["mixture"].items()),
                       data="; ".join(f"{k}: {v}" for k, v in licence["data"].items()), lines="\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--face", type=Path, required=True)
    parser.add_argument("--general", type=Path, required=True)
    parser.add_argument("--data-root", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--card", type=Path, help="writes the model card with these figures")
    parser.add_argument("--sheet", type=Path, help="picture of input, general, face, truth for the first rows")
    args = parser.parse_args()
    files = sorted((args.data_root / "test/faces-hq").glob("*.webp")) if args.split == "test" else faces(args.data_root, [])[1]
    general, face = Model(args.general, args.threads, "int8"), Face(args.face)
    try:
        identity = Identity()
    except ImportError:
        identity = None
    rows, strips = [], []
    mask = oval()[..., None]
    for index, file in enumerate(files[:args.limit]):
        gt = np.asarray(Image.open(file).convert("RGB"))
        truth = luma(gt)
        known = identity.describe(gt) if identity else None
        for draw, kind in enumerate(DRAWS):
            lq = degraded(gt, kind, 10 * index + draw)
            row = {"file": file.stem, "kind": kind}
            shown = general(lq, UNKNOWN)
            square = face(lq, shown)
            candidates = {"input": lq, "general": shown, "face": within(mask, square, shown), "square": square}
            for name, x in candidates.items():
                row[name] = {"psnr": psnr(x, gt), "ssim": ssim(luma(x), truth), "fsim": fsim(luma(x), truth)}
                if identity:
                    descriptor, points = identity.describe(x)
                    eyes = np.linalg.norm(known[1][36:42].mean(0) - known[1][42:48].mean(0))
                    row[name]["identity"] = float(np.linalg.norm(descriptor - known[0]))
                    row[name]["landmarks"] = float(np.linalg.norm(points - known[1], axis=1).mean() / eyes)
            rows.append(row)
            if len(strips) < 24:
                strips.append(np.concatenate([lq, shown, candidates["face"], gt], 1)[::2, ::2])
    lines = []
    for kind, judged in (("light", "face"), ("portrait", "face"), ("all", "face"), ("all", "square")):
        chosen = [r for r in rows if kind in (r["kind"], "all")]
        title = f"{kind} ({len(chosen)})" if judged == "face" else f"{kind}, the whole square"
        print(title)
        for measure in rows[0]["face"]:
            mean = {n: np.mean([r[n][measure] for r in chosen]) for n in ("input", "general", judged)}
            up = -1 if measure in ("identity", "landmarks") else 1
            wins = [np.mean([up * (r[judged][measure] - r[n][measure]) > 0 for r in chosen]) for n in ("input", "general")]
            worst = np.percentile([up * (r[judged][measure] - r["input"][measure]) for r in chosen], 10)
            print(f"  {measure:9} input {mean['input']:7.4f}  general {mean['general']:7.4f}  face {mean[judged]:7.4f}"
                  f"  better than input {wins[0]:4.0%}, than general {wins[1]:4.0%}; worst decile {worst:+.4f}")
            lines.append(f"| {title} | {measure} | {mean['input']:.4f} | {mean['general']:.4f} | {mean[judged]:.4f} "
                         f"| {wins[0]:.0%} | {wins[1]:.0%} | {worst:+.4f} |")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    if args.card:
        args.card.write_text(card(args.face.parent, lines))
    if args.sheet:
        Image.fromarray(np.concatenate(strips, 0)).save(args.sheet)


if __name__ == "__main__":
    main()
