"""Pseudo-labels, made once: landmarks of the aligned training faces and faces in the training photographs.

    python training/face_detect/label.py --out runs/face-detect/labels.json

The alignment says where the landmarks of `train-face` are on average; the teacher says where they
are in each, averaged over three sizes and mirrored copies. In `train-photo` a face counts when the
teacher is sure of it (0.85) or a second one agrees; anything less certain is ignored in training.
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-root", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    args = parser.parse_args()
    teachers = args.data_root / "face-detect" / "teachers"
    yunet, rfb = YuNet(teachers), RFB(teachers)
    faces = {f.name: aligned(Image.open(f).convert("RGB"), yunet) for f in sorted((args.data_root / "train-face").glob("*.webp"))}
    known = np.array([f for f in faces.values() if f])
    print(f"{len(known)} of {len(faces)} aligned faces; mean landmarks {known[:, 4:].mean(0).round(1)}, box {known[:, :4].mean(0).round(1)}, "
          f"median distance from the template {np.median(np.abs(known[:, 4:] - TEMPLATE)):.2f} px of {eye_distance(known).mean():.0f}", flush=True)
    photographs = {f.name: photograph(Image.open(f).convert("RGB"), yunet, rfb)
                   for f in sorted((args.data_root / "train-photo").glob("*.webp"))}
    print(f"{sum(any(x['status'] == 'face' for x in v) for v in photographs.values())} of {len(photographs)} photographs with faces")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"faces": faces, "photographs": photographs}))


if __name__ == "__main__":
    main()
