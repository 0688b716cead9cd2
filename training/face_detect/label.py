"""Pseudo-labels, made once: landmarks of the aligned training faces and faces in the training photographs.

    python training/face_detect/label.py --out runs/face-detect/labels.json

The alignment says where the landmarks of `train-face` are on average; the teacher says where they
are in each, averaged over three sizes and mirrored copies. In `train-photo` a face counts when the
teacher is sure of it (0.85) or a second one agrees; anything less certain is ignored in training. The landmarks
of every face in a photograph, published labels included, are looked at again closely: one look at a
small face is off by a tenth of its eye distance (measured between looks; see LOG.md).
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from geometry import eye_distance, iou, mirror, suppress
from teachers import RFB, YuNet

TEMPLATE = np.array([192.98, 239.95, 318.90, 240.19, 256.64, 314.02, 201.26, 371.41, 313.09, 371.15], np.float32)
SURE, POSSIBLE, AGREEMENT = 0.85, 0.3, 0.35
CLOSE = (64, 96, 144)   # sides of a face's box at which it is looked at again, px


def scaled(picture: Image.Image, factor: float) -> np.ndarray:
    return np.asarray(picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.LANCZOS))


def aligned(picture: Image.Image, teacher: YuNet) -> list | None:
    """The face nearest to the template, mean of six looks; None where the teacher sees none."""
    looks = []
    for side in (160, 224, 320):
        small = np.zeros((side + 64, side + 64, 3), np.uint8) + 127
        small[32:-32, 32:-32] = picture.resize((side, side), Image.LANCZOS)
        for mirrored in (False, True):
            faces, _ = teacher(np.ascontiguousarray(small[:, ::-1]) if mirrored else small, 0.4)
            if mirrored:
                faces = mirror(faces, side + 64)
            faces = (faces - 32) * (512 / side)
            if len(faces):
                distance = np.abs(faces[:, 4:] - TEMPLATE).max(1)
                if distance.min() < 60:
                    looks.append(faces[distance.argmin()])
    return np.mean(looks, 0).round(2).tolist() if len(looks) >= 3 else None


def closely(picture: Image.Image, face: list, teacher: YuNet) -> list | None:
    """Landmarks (10) of a face (14): mean of the looks at the enlarged face and its mirror image; None where fewer than three agree."""
    x0, y0, x1, y1 = face[:4]
    side, middle, looks = float(np.sqrt((x1 - x0) * (y1 - y0))), ((x0 + x1) / 2, (y0 + y1) / 2), []
    reach = 1.2 * side
    window = [middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach]
    for wanted in CLOSE:
        size = round(2 * reach * wanted / side)
        # Beyond the border there is nothing: grey, as around an aligned face.
        crop = picture.transform((size, size), Image.EXTENT, window, Image.BICUBIC, fillcolor=(127, 127, 127)) if wanted >= side else \
            picture.crop([round(v) for v in window]).resize((size, size), Image.LANCZOS)
        pixels, scale = np.asarray(crop), size / (2 * reach)
        for mirrored in (False, True):
            found, _ = teacher(np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels, 0.3)
            found = mirror(found, size) if mirrored and len(found) else found
            if len(found):
                found = found / scale + np.tile([window[0], window[1]], 7)
                overlap = iou(np.array(face[:4], np.float32), found[:, :4])
                if overlap.max() > 0.4:
                    looks.append(found[overlap.argmax(), 4:])
    if len(looks) < 3:
        return None
    return np.median(looks, 0).round(2).tolist()


def photograph(picture: Image.Image, yunet: YuNet, rfb: RFB) -> list[dict]:
    faces, scores = [], []
    for factor in (1.0, 0.5, 0.25, 1.6):
        found, sure = yunet(scaled(picture, factor), POSSIBLE)
        faces.append(found / factor)
        scores.append(sure)
    faces, scores = np.concatenate(faces), np.concatenate(scores)
    kept = suppress(faces, scores, 0.35)
    second, _ = rfb(np.asarray(picture), 0.6)
    labels = []
    for face, score in zip(faces[kept], scores[kept]):
        agreed = len(second) > 0 and iou(face[:4], second).max() > AGREEMENT and score >= 0.5
        labels.append({"face": face.round(2).tolist(), "score": round(float(score), 3),
                       "status": "face" if score >= SURE or agreed else "ignore"})
    return labels


def everything(root: Path, yunet: YuNet, rfb: RFB) -> dict:
    faces = {f.name: aligned(Image.open(f).convert("RGB"), yunet) for f in sorted((root / "train-face").glob("*.webp"))}
    known = np.array([f for f in faces.values() if f])
    print(f"{len(known)} of {len(faces)} aligned faces; mean landmarks {known[:, 4:].mean(0).round(1)}, box {known[:, :4].mean(0).round(1)}, "
          f"median distance from the template {np.median(np.abs(known[:, 4:] - TEMPLATE)):.2f} px of {eye_distance(known).mean():.0f}", flush=True)
    photographs = {f.name: photograph(Image.open(f).convert("RGB"), yunet, rfb)
                   for f in sorted((root / "train-photo").glob("*.webp"))}
    print(f"{sum(any(x['status'] == 'face' for x in v) for v in photographs.values())} of {len(photographs)} photographs with faces")
    return {"faces": faces, "photographs": photographs}


def looked_at_closely(root: Path, labels: dict, yunet: YuNet) -> dict:
    """File name -> one entry per face of its labels: ten numbers or None."""
    close, moved = {}, []
    published = json.loads((root / "face-detect" / "labels.json").read_text())
    known = {name: [f["box"] + sum(f["landmarks"] or [[0, 0]] * 5, []) for f in label["faces"]] for name, label in published.items()}
    known |= {name: [row["face"] for row in rows] for name, rows in labels["photographs"].items() if rows}
    for name, rows in known.items():
        folder = root / "face-detect" / "images" if name in published else root / "train-photo"
        picture = Image.open(folder / name).convert("RGB")
        close[name] = [closely(picture, row, yunet) for row in rows]
        for row, points in zip(rows, close[name]):
            if points:
                distance = np.linalg.norm(np.reshape(points, (5, 2)) - np.reshape(row[4:], (5, 2)), axis=1).mean()
                moved.append(distance / float(eye_distance(np.array([row], np.float32))[0]))
    print(f"{len(moved)} of {sum(map(len, close.values()))} faces looked at closely; landmarks moved by {np.median(moved):.1%} of the eye distance "
          f"(median), {np.percentile(moved, 90):.1%} (90th percentile)", flush=True)
    return close


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--again", type=Path, help="labels whose boxes are kept: only the close looks are new")
    parser.add_argument("--data-root", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    args = parser.parse_args()
    teachers = args.data_root / "face-detect" / "teachers"
    yunet, rfb = YuNet(teachers), RFB(teachers)
    if args.again:
        labels = json.loads(args.again.read_text())
    else:
        labels = everything(args.data_root, yunet, rfb)
    labels["closely"] = looked_at_closely(args.data_root, labels, yunet)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(labels))


if __name__ == "__main__":
    main()
