"""The model's card from its manifest and the figures `evaluate.py --json` wrote.

    python training/face_detect/card.py --model models/face-detect --figures runs/face-detect/ours.json yunet=runs/face-detect/yunet.json
"""
import argparse
import json
from pathlib import Path

SETS = {
    "eval": "test split, as it is", "eval-small": "test split, reduced: faces of 13-20 px only", 
    "documented": "test split, faces of the smallest documented size in the copy the product makes", "angle-0": "composites, upright",
    "angle-15": "composites, turned 15°", "angle-30": "composites, turned 30°", "angle-45": "composites, turned 45°",
    "angle-60": "composites, turned 60°", "none": "test split, no face",
}


def percent(value, digits=1):
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def row(name: str, s: dict) -> str:
    sizes = " | ".join(percent(s["bySize"][k]["recall"], 0) + (f" ({s['bySize'][k]['faces']})" if s["bySize"][k]["faces"] else "")
                       for k in ("13-20", "20-32", "32-64", "64-128", "128+"))
    return (f"| {SETS[name]} | {s['pictures']} | {s['all']['faces']} | {percent(s['all']['recall'])} | {s['falsePerPicture']:.3f} | "
            f"{percent(s['all']['landmarks'])} | {sizes} |")


def table(figures: dict) -> list[str]:
    return ["| set | pictures | faces | recall | false boxes per picture | landmarks, median | 13-20 px | 20-32 | 32-64 | 64-128 | 128+ |",
            "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
            *[row(name, figures["sets"][name]) for name in SETS if name in figures["sets"]]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--figures", type=Path, required=True, help="of this network")
    parser.add_argument("--speed", default="", help="one sentence: milliseconds, sizes, threads")
    parser.add_argument("--notes", type=Path, help="Markdown: what somebody saw who looked at the boxes")
    parser.add_argument("teachers", nargs="*", metavar="NAME=FIGURES")
    args = parser.parse_args()
    manifest, own = json.loads((args.model / "manifest.json").read_text()), json.loads(args.figures.read_text())
    training, cost = manifest["training"], manifest["cost"]
    lines = [
        f"# {manifest['name']} {manifest['version']}", "",
        f"{manifest['description']} {cost['parameters'] / 1e6:.2f} M parameters, {cost['gmacPerMegapixel'] * 0.4096:.2f} GMAC at 640×640. "
        f"{args.speed}".rstrip(), "",
        "Per cell of the maps `stride8`, `stride16`, `stride32` (1 × h × w × 15, cell centre at ((x + ½) · s, (y + ½) · s)): score 0-1; box centre "
        "minus cell centre and log of width and height, in strides; five landmarks (image-left eye, image-right eye, nose, image-left and image-right "
        "mouth corner of the upright face) minus cell centre, in strides.", "",
        "`face-refine.onnx` looks at every candidate again, in the picture's own pixels: n × 80 × 80 × 3 bytes, a square of 1.5 sides of the box, turned "
        "upright by the landmarks; n × 15: score; centre, width and height of the box and five landmarks in px of the square. 36 MMAC a look; "
        "two looks at a candidate, and a third at the mirror image of the second. The joint score is detector^0.3 · refiner^0.7. Figures are of both together.", "",
        "## Figures", "",
        f"Operating point {own['threshold']} (how it was chosen: below). A box has found a face when they share "
        f"{own['match']} (intersection over union); boxes by size are the labels' shorter side in the picture the network saw; landmark error is the "
        "mean of five distances in parts of the eye distance. No picture here trained anything, but the test split's labels are pseudo-labels of YuNet "
        "(see its source), so YuNet's own figures on it flatter YuNet. Landmarks are compared with the median of its close looks at each "
        "face. In the composites the place of a face is known; its landmarks are YuNet's on the large upright face.", "",
        *table(own), "",
    ]
    for pair in args.teachers:
        name, _, file = pair.partition("=")
        figures = json.loads(Path(file).read_text())
        lines += [f"### {name}, same script, threshold {figures['threshold']}, match {figures['match']}", "", *table(figures), ""]
    if args.notes:
        lines += ["## What was seen", "", args.notes.read_text().strip(), ""]
    lines += [
        "## Training", "", "Recipe, commands and log: `training/face_detect`, `training/README.md`, `training/LOG.md`.", "",
        f"{training['iterations']} iterations of {training['batch']} pictures of {training['patch']}², {training['hours']} hours on one shared CPU core, from the weights of version 0.1.0 (6 800 iterations); "
        f"mixture {', '.join(f'{k} {v}' for k, v in training['mixture'].items())}; seed {training['seed']}. Refiner: {training['refiner']['iterations']} iterations of {training['refiner']['batch']} crops, {training['refiner']['hours']} hours, seed {training['refiner']['seed']}, "
        "from the weights of version 0.2.0 (5 153 iterations from nothing, the last third with the landmarks of close looks).", "",
        "## Licences", "", f"Weights: {manifest['licence']['weights']}. Pictures and labels:", "",
        "| source | licence as its publisher states it |", "| --- | --- |",
        *[f"| {k} | {v} |" for k, v in manifest["licence"]["data"].items()], "",
        "Most aligned faces are synthetic and NON-COMMERCIAL (CC BY-NC-SA 4.0). `exclude: [omi, bsds500, linzaer, cid22, pixls]` in "
        "`training/configs/face-detect.yaml` repeats the recipe on the permissive part alone.", "",
    ]
    (args.model / "CARD.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
