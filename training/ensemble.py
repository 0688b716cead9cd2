"""What restoring a picture turned and mirrored, and taking the mean, is worth: by subsets of the eight forms.

    python training/ensemble.py --model models/general [--limit 12] [--jpeg LIVE1] [--int8]

The networks alone, without the gate. Pictures are padded to multiples of 8 before they are turned, so the
block grid of a JPEG stays at (0, 0) in every form; a transposed form has its table's directions swapped.
"""
import argparse
import json
from itertools import chain
from pathlib import Path

import numpy as np
import onnxruntime

from analysis import conditions
from evaluate import UNKNOWN, jpeg, luma, noisy, pictures, psnr
from forms import FORMS, back, turned

SUBSETS = {
    "1": ("as-is",),
    "2 (180°)": ("as-is", "xy"),
    "2 (left-right)": ("as-is", "x"),
    "2 (transposed)": ("as-is", "t"),
    "4 (mirrored)": FORMS[:4],
    "8": FORMS,
}


def cases(data: Path, compressed: str, limit: int):
    """(set, which network, GT, LQ, what is known, measure)."""
    for name, gt in pictures(data / compressed, limit):
        for quality in (10, 20, 40, 80):
            yield f"jpeg q{quality}", "compression", gt, *jpeg(gt, quality), "rgb"
        grey = np.repeat(np.clip(np.rint(luma(gt)), 0, 255).astype(np.uint8)[..., None], 3, 2)
        first, _ = jpeg(grey, 10, grey=True)
        yield "double 10, 50", "compression", grey[4:, 4:], *jpeg(first[4:, 4:], 50, grey=True), "grey"
    for index, (name, gt) in enumerate(pictures(data / "CBSD68", limit)):
        for sigma in (15, 25, 50):
            yield f"noise {sigma}", "noise", gt, noisy(gt, sigma, 1000 * sigma + index), UNKNOWN, "rgb"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data" / "test")
    parser.add_argument("--jpeg", default="LIVE1", help="folder of the pictures that are compressed")
    parser.add_argument("--limit", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--int8", action="store_true", help="the 8-bit networks")
    args = parser.parse_args()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    manifest = json.loads((args.model / "manifest.json").read_text())
    networks = {n["when"]: (onnxruntime.InferenceSession(str(args.model / n["file"]), options), n["conditions"])
                for n in manifest["networks"] if (n.get("precision") == "int8") == args.int8}
    rows: dict[str, list] = {}
    for name, which, gt, lq, known, measure in cases(args.data, args.jpeg, args.limit):
        session, names = networks[which]
        height, width = lq.shape[:2]
        padded = np.pad(lq, ((0, -height % 8), (0, -width % 8), (0, 0)), "reflect")
        condition = conditions(names, known, lq)[None]
        outs = {form: back(session.run(None, {"picture": turned(padded, form)[None], "conditions": condition})[0][0], form)
                for form in FORMS}
        view = (lambda p: p[:height, :width, 0]) if measure == "grey" else (lambda p: p[:height, :width])
        means = (np.floor(np.mean([outs[form] for form in subset], axis=0) + 0.5) for subset in SUBSETS.values())
        rows.setdefault(name, []).append([psnr(view(p), view(gt)) for p in chain([lq], means)])
    report(rows)


def report(rows: dict[str, list]):
    print("| set | input | " + " | ".join(SUBSETS) + " |\n| --- |" + " --: |" * (1 + len(SUBSETS)))
    for name, values in rows.items():
        source, first, *others = np.mean(values, axis=0)
        print(f"| {name} | {source:.2f} | {first:.2f} | " + " | ".join(f"{v - first:+.3f}" for v in others) + " |")


if __name__ == "__main__":
    main()
