"""Figures of a detector (checkpoint, exported file or teacher) on pictures that trained nothing.

    python training/face_detect/evaluate.py runs/face-detect/checkpoint.pt --refiner runs/face-refine/checkpoint.pt --labels runs/face-detect/labels.json
    python training/face_detect/evaluate.py yunet --labels runs/face-detect/labels.json --threshold 0.6

Without --threshold the operating point is chosen on the validation part of the training split.
Sets: `eval` (the published test split as it is), `eval-small` (each of its pictures reduced so that
faces of every original size pass through 13-20 px), `angle-N` (held-out aligned faces on held-out
photographs, turned by N degrees), `none` (test-split pictures without a face), `documented` (test-split
faces brought to the smallest documented side, 48-64 px, and looked for where the product would look for
them in the largest pictures: in a copy at 4/9 of the size; a refiner looks in the picture itself).
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from cascade import PASSES, WEIGHT, Cascade, RefinerRun
from compose import Composer
from data import ALIGNED_SIDE, Sources, load, real_labels, real_names, real_picture
from detect import Detector
from geometry import iou, sides, similarity, transform
from measure import Outcome, threshold_for
from teachers import RFB, YuNet

REDUCTIONS = (1.0, 0.75, 0.56, 0.42, 0.32, 0.24, 0.18, 0.13)
# The documented smallest side in px and the product's copy for detection at its smallest: 48 px in a short side of 2304 shown with 1024.
SMALLEST, COPY, DOCUMENTED_FACTORS = (48, 64), 1024 / 2304, (1.0, 0.8, 0.64, 0.5, 0.4)
ANGLES = (0, 15, 30, 45, 60)
LOWEST = 0.05      # scores kept before a threshold is chosen
ALLOWED = 0.1      # false boxes per picture in each validation set, as promised


def reduced(one, factor: float):
    """Picture, faces and ignored boxes at `factor` of the size."""
    picture = one.picture.levels[0]
    size = max(round(picture.width * factor), 32), max(round(picture.height * factor), 32)
    return np.asarray(picture.resize(size, Image.LANCZOS) if factor < 1 else picture), one.faces * factor, one.uncertain * factor


def real_set(detector, pictures: list, small: bool, match: float) -> Outcome:
    """Small: only reductions that bring a face of the picture to 13-20 px count, and only such faces."""
    outcome = Outcome()
    for one in pictures:
        for factor in REDUCTIONS if small else (1.0,):
            pixels, faces, ignored = reduced(one, factor)
            if small:
                shorter = np.minimum(faces[:, 2] - faces[:, 0], faces[:, 3] - faces[:, 1])
                aim = (shorter >= 13) & (shorter < 20)
                if not aim.any():
                    continue
                faces, ignored = faces[aim], np.concatenate([ignored, faces[~aim, :4]])
            outcome.add(f"{one.name}@{factor}", *detector(pixels, LOWEST), faces, ignored, match)
    return outcome


def documented_set(detector, pictures: list, match: float) -> Outcome:
    outcome = Outcome()
    for one in pictures:
        for factor in DOCUMENTED_FACTORS:
            source, faces, ignored = reduced(one, factor)
            shorter = np.minimum(faces[:, 2] - faces[:, 0], faces[:, 3] - faces[:, 1])
            aim = (shorter >= SMALLEST[0]) & (shorter < SMALLEST[1])
            if not aim.any():
                continue
            copy, small, _ = reduced(one, factor * COPY)
            ignored = np.concatenate([ignored * COPY, small[~aim, :4]])
            found = detector(copy, LOWEST, source=source) if isinstance(detector, Cascade) else detector(copy, LOWEST)
            outcome.add(f"{one.name}@{factor}", *found, small[aim], ignored, match)
    return outcome


def angle_set(detector, sources: Sources, angle: float, count: int, match: float) -> Outcome:
    """Up to eight faces of 13-130 px per 480 px picture, all turned by the angle to one side or the other."""
    outcome, rng = Outcome(), np.random.default_rng(int(angle) + 1000)
    composer = Composer(sources, 480, rng)
    plain = [p for p in sources.photographs if not len(p.faces) and not len(p.uncertain)]
    for index in range(count):
        canvas, faces, uncertain = composer.background(rng, plain)
        for _ in range(8):
            source, face = sources.aligned[rng.integers(len(sources.aligned))]
            side = float(np.exp(rng.uniform(np.log(15), np.log(130))))
            turn = np.deg2rad(angle * rng.choice((-1, 1)))
            matrix = similarity(side / float(sides(face)[0]), turn, (face[0, :2] + face[0, 2:4]) / 2, rng.uniform(side, 480 - side, 2))
            placed = transform(face, matrix)
            if len(faces) and iou(placed[0, :4], faces[:, :4]).max() > 0.02:
                continue
            composer.paste(canvas, source, matrix, composer.masks[rng.integers(len(composer.masks))], rng)
            faces = np.concatenate([faces, placed])
        outcome.add(f"angle-{angle}-{index}", *detector(composer.damage(canvas, rng), LOWEST), faces, uncertain, match)
    return outcome


def empty_set(detector, folder: Path, names: list[str]) -> Outcome:
    outcome, nothing = Outcome(), np.zeros((0, 14), np.float32)
    for name in names:
        picture = np.asarray(Image.open(folder / name).convert("RGB"))
        outcome.add(name, *detector(picture, LOWEST), nothing, nothing[:, :4], 0.5)
    return outcome


def validation_threshold(detector, root: Path, sources: Sources, close: dict, match: float) -> float:
    labels = real_labels(root)
    pictures = [real_picture(root, n, labels[n], close) for n in real_names(root, "validation", [])]
    with_faces = [p for p in pictures if len(p.faces)]
    empty = Outcome()
    for one in [p for p in pictures if not len(p.faces)] + sources.photographs:
        for factor in (1.0, 0.5):
            empty.add(one.name, *detector(reduced(one, factor)[0], LOWEST), *[x * factor for x in (one.faces, one.uncertain)], match)
    sets = [empty, real_set(detector, with_faces, False, match), real_set(detector, with_faces, True, match)]
    threshold = threshold_for(sets, ALLOWED)
    for name, outcome in zip(("validation-empty", "validation", "validation-small"), sets):
        show(name, outcome.summary(threshold))
    return threshold


def show(name: str, s: dict):
    def cell(row):
        return f"{row['recall']:.3f}/{row['faces']}" if row["recall"] is not None else "-"

    landmarks = s["all"]["landmarks"]
    print(f"{name:18} n {s['pictures']:4} false {s['falsePerPicture']:.3f} recall {cell(s['all']):>11} "
          f"landmarks {'-' if landmarks is None else f'{landmarks:.1%}':>6}  "
          + "  ".join(f"{k} {cell(v)}" for k, v in s["bySize"].items()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("detector", help="checkpoint, .onnx, yunet or rfb")
    parser.add_argument("--refiner", type=Path, help="checkpoint or .onnx that looks again at what the detector saw")
    parser.add_argument("--passes", type=int, default=PASSES)
    parser.add_argument("--weight", type=float, default=WEIGHT, help="of the detector's score in the answer's")
    parser.add_argument("--unmirrored", action="store_true", help="without the refiner's look at the mirror image")
    parser.add_argument("--labels", type=Path, required=True, help="what label.py wrote")
    parser.add_argument("--data-root", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--match", type=float, default=0.5, help="IoU at which a box has found a face")
    parser.add_argument("--composites", type=int, default=40, help="pictures per angle")
    parser.add_argument("--one-look", action="store_true", help="landmarks as published, of the teacher's one look at the whole picture")
    parser.add_argument("--quick", action="store_true", help="validation part only")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    root = args.data_root
    teachers = {"yunet": YuNet, "rfb": RFB}
    detector = teachers[args.detector](root / "face-detect" / "teachers") if args.detector in teachers else Detector(Path(args.detector))
    if args.refiner:
        detector = Cascade(detector, RefinerRun(args.refiner), args.passes, args.weight, not args.unmirrored)
    held_out = load(root, args.labels, "validation", [])
    close = {} if args.one_look else json.loads(args.labels.read_text()).get("closely", {})
    threshold = args.threshold or validation_threshold(detector, root, held_out, close, args.match)
    print(f"threshold {threshold}")
    if args.quick:
        return show("angle-30", angle_set(detector, held_out, 30, args.composites, args.match).summary(threshold))
    labels = real_labels(root)
    pictures = [real_picture(root, n, labels[n], close) for n in real_names(root, "eval", [])]
    outcomes = {"eval": real_set(detector, pictures, False, args.match),
                "eval-small": real_set(detector, [p for p in pictures if len(p.faces)], True, args.match),
                "documented": documented_set(detector, [p for p in pictures if len(p.faces)], args.match)}
    for angle in ANGLES:
        outcomes[f"angle-{angle}"] = angle_set(detector, held_out, angle, args.composites, args.match)
    outcomes["none"] = empty_set(detector, root / "face-detect" / "images", [p.name for p in pictures if not len(p.faces) and not len(p.uncertain)])
    figures = {"detector": args.detector, "threshold": threshold, "match": args.match, "sets": {}, "false": {}}
    for name, outcome in outcomes.items():
        figures["sets"][name] = outcome.summary(threshold)
        figures["false"][name] = [w for w in outcome.where if w[2] >= threshold]
        show(name, figures["sets"][name])
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
