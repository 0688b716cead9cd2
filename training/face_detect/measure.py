"""Recall by size, false boxes per picture and landmark error of a detector on labelled pictures."""
from dataclasses import dataclass, field

import numpy as np

from geometry import eye_distance, iou

# By the shorter side of the box, px. 13-20 is the documented smallest size after the product's reduction.
CLASSES = ((13, 20), (20, 32), (32, 64), (64, 128), (128, 10000))


@dataclass
class Outcome:
    """Of one set: every face (shorter side, score that found it or 0, landmark error) and every false box's score."""

    pictures: int = 0
    faces: list = field(default_factory=list)
    false: list = field(default_factory=list)
    where: list = field(default_factory=list)  # (picture name, box) of the false ones

    def add(self, name: str, found: np.ndarray, scores: np.ndarray, faces: np.ndarray, ignored: np.ndarray, match: float):
        """Best score first takes the face it overlaps most; what lies on an ignored box or a face too small counts neither way."""
        self.pictures += 1
        shorter = np.minimum(faces[:, 2] - faces[:, 0], faces[:, 3] - faces[:, 1])
        ignored = np.concatenate([ignored, faces[shorter < CLASSES[0][0], :4]])
        faces, shorter = faces[shorter >= CLASSES[0][0]], shorter[shorter >= CLASSES[0][0]]
        score, error = np.zeros(len(faces)), np.full(len(faces), np.nan)
        for i in np.argsort(-scores):
            overlap = np.where(score > 0, 0, iou(found[i, :4], faces[:, :4])) if len(faces) else np.zeros(0)
            if len(faces) and overlap.max() >= match:
                best = int(overlap.argmax())
                score[best] = scores[i]
                points = (found[i, 4:] - faces[best, 4:]).reshape(5, 2)
                error[best] = np.linalg.norm(points, axis=1).mean() / eye_distance(faces[best:best + 1])[0]
            elif not self.beside(found[i, :4], ignored):
                self.false.append(float(scores[i]))
                self.where.append((name, found[i, :4].round().tolist(), round(float(scores[i]), 2)))
        self.faces += list(zip(shorter.tolist(), score.tolist(), error.tolist()))

    @staticmethod
    def beside(box: np.ndarray, ignored: np.ndarray) -> bool:
        if not len(ignored):
            return False
        shared = np.clip(np.minimum(box[2:], ignored[:, 2:4]) - np.maximum(box[:2], ignored[:, :2]), 0, None).prod(1)
        return bool(iou(box, ignored).max() > 0.2 or (shared / max(float(np.prod(box[2:] - box[:2])), 1e-6)).max() > 0.5)

    def summary(self, threshold: float) -> dict:
        table = np.array(self.faces, float).reshape(-1, 3)

        def row(part):
            hit = part[:, 1] >= threshold
            error = part[hit, 2]
            return {"faces": len(part), "recall": float(hit.mean()) if len(part) else None,
                    "landmarks": float(np.nanmedian(error)) if hit.any() else None}

        classes = {f"{low}-{high}" if high < 10000 else f"{low}+": row(table[(table[:, 0] >= low) & (table[:, 0] < high)])
                   for low, high in CLASSES}
        return {"pictures": self.pictures, "falsePerPicture": sum(s >= threshold for s in self.false) / max(self.pictures, 1),
                "all": row(table), "bySize": classes}


def threshold_for(outcomes: list[Outcome], allowed: float) -> float:
    """The lowest threshold with at most `allowed` false boxes per picture in every set: empty pictures must not pay for crowds."""
    lowest = 0.05
    for outcome in outcomes:
        scores = sorted(outcome.false, reverse=True)
        count = int(allowed * outcome.pictures)
        if len(scores) > count:
            lowest = max(lowest, scores[count] + 1e-3)
    return round(float(np.ceil(lowest * 100) / 100), 2)
