"""What the refiner sees: the crop round a candidate, and which face it is to find there."""
import numpy as np
from PIL import Image

from geometry import MIRRORED, eye_distance, iou, sides, similarity, suppress, transform
from measure import Outcome
from refine_model import CONTEXT, SIDE
from warp import Pyramid

# FFHQ's five landmarks of an aligned 512 px face, as the product aligns to.
TEMPLATE = np.array([192.98, 239.95, 318.90, 240.19, 256.64, 314.02, 201.26, 371.41, 313.09, 371.15]).reshape(5, 2)
CANDIDATE = 0.12      # detector score from which something is looked at in training
FOUND, NEAR = 0.5, 0.3  # IoU with a face from which a candidate is one, and below which it is none


def angle_of(face: np.ndarray) -> float:
    """Radians by which the landmarks (row of 14) are turned against the template: least squares, no reflection."""
    points, template = face[4:].reshape(5, 2) - face[4:].reshape(5, 2).mean(0), TEMPLATE - TEMPLATE.mean(0)
    x, y = template[:, 0], template[:, 1]
    return float(np.arctan2((x * points[:, 1] - y * points[:, 0]).sum(), (x * points[:, 0] + y * points[:, 1]).sum()))


def frame(candidate: np.ndarray) -> tuple[np.ndarray, float]:
    """2 x 3 from the picture into the candidate's crop, and the angle it was turned by."""
    angle = angle_of(candidate)
    side = CONTEXT * max(float(sides(candidate[None])[0]), 1.0)
    return similarity(SIDE / side, -angle, (candidate[:2] + candidate[2:4]) / 2, (SIDE / 2, SIDE / 2)), angle


def crop(picture: Pyramid, matrix: np.ndarray) -> np.ndarray:
    return np.asarray(picture.warp(matrix, (SIDE, SIDE), (127, 127, 127)))


def placed(seen: np.ndarray, matrix: np.ndarray, angle: float) -> np.ndarray:
    """What the deployed refiner said of one crop (15 numbers), as a row of 14 in the picture."""
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    scale = np.sqrt(np.linalg.det(back[:, :2]))
    points = seen[5:].reshape(5, 2) @ back[:, :2].T + back[:, 2]
    centre = back[:, :2] @ seen[1:3] + back[:, 2]
    half = turned_half(seen[3] / 2, seen[4] / 2, angle) * scale
    return np.concatenate([centre - half, centre + half, points.ravel()]).astype(np.float32)


def turned_half(width, height, angle) -> np.ndarray:
    """Half sides of the bounding box of an ellipse with these half axes, turned."""
    cos, sin = np.cos(angle) ** 2, np.sin(angle) ** 2
    return np.sqrt(np.array([width ** 2 * cos + height ** 2 * sin, width ** 2 * sin + height ** 2 * cos]))


def jittered(face: np.ndarray, rng) -> np.ndarray:
    """A candidate as a poor detector would give it."""
    side, eyes = float(sides(face[None])[0]), float(eye_distance(face[None])[0])
    centre = (face[:2] + face[2:4]) / 2 + rng.normal(0, 0.1, 2) * side
    half = (face[2:4] - face[:2]) / 2 * np.exp(rng.normal(0, 0.16) + rng.normal(0, 0.06, 2))
    return np.concatenate([centre - half, centre + half, face[4:] + rng.normal(0, 0.13, 10) * eyes]).astype(np.float32)


def anywhere(size: int, rng) -> np.ndarray:
    side, at = float(np.exp(rng.uniform(np.log(11), np.log(200)))), rng.uniform(0, size, 2)
    points = (TEMPLATE - TEMPLATE.mean(0)) * (side / 300) @ similarity(1, rng.uniform(-0.8, 0.8), (0, 0), (0, 0))[:, :2].T + at
    return np.concatenate([at - side / 2, at + side / 2, points.ravel()]).astype(np.float32)


class Crops:
    """Draws composed pictures and gives the crops round the detector's candidates, round the faces themselves and elsewhere."""

    def __init__(self, composer, detector, rng, most: int = 6):
        self.composer, self.detector, self.rng, self.most = composer, detector, rng, most

    def draw(self):
        """List of (crop uint8, target of 18: is a face 1/0/-1, has a face, cos² and sin² of the angle, 14 numbers in crop px)."""
        rng = self.rng
        pixels, faces, uncertain = self.composer.draw(rng)
        found, scores = self.detector.look(pixels, CANDIDATE)
        kept = suppress(found, scores, 0.55)
        candidates = list(found[kept[:self.most]])
        chosen = rng.permutation(len(faces))[:self.most]
        candidates += [jittered(faces[i], rng) for i in chosen]
        if rng.random() < 0.5:
            candidates.append(anywhere(pixels.shape[0], rng))
        picture, out = Pyramid(Image.fromarray(pixels), 8), []
        for candidate in candidates:
            target = self.target(candidate, faces, uncertain)
            if target is not None:
                matrix, angle, target = *frame(candidate), target
                out.append((crop(picture, matrix), self.written(target, matrix, angle)))
        return out

    @staticmethod
    def target(candidate: np.ndarray, faces: np.ndarray, uncertain: np.ndarray):
        """(is a face, its row or None); None where nobody knows."""
        overlap = iou(candidate[:4], faces[:, :4]) if len(faces) else np.zeros(1)
        if overlap.max() >= NEAR:
            return (1.0 if overlap.max() >= FOUND else -1.0), faces[int(overlap.argmax())]
        return None if Outcome.beside(candidate[:4], np.concatenate([uncertain, faces[:, :4]])) else (0.0, None)

    @staticmethod
    def written(target, matrix: np.ndarray, angle: float) -> np.ndarray:
        certain, face = target
        row = np.zeros(18, np.float32)
        row[:4] = certain, face is not None, np.cos(angle) ** 2, np.sin(angle) ** 2
        if face is not None:
            scale = np.sqrt(np.linalg.det(matrix[:, :2]))
            row[4:6] = matrix[:, :2] @ ((face[:2] + face[2:4]) / 2) + matrix[:, 2]
            row[6:8] = (face[2:4] - face[:2]) / 2 * scale  # of the box in the picture, not turned
            row[8:] = transform(face[None], matrix)[0, 4:]
        return row


def mirrored_crop(pixels: np.ndarray, target: np.ndarray):
    """A crop and its target with left and right exchanged."""
    target = target.copy()
    if target[1]:
        target[4] = SIDE - target[4]
        points = target[8:].reshape(5, 2)[list(MIRRORED)]
        target[8:] = np.stack([SIDE - points[:, 0], points[:, 1]], 1).ravel()
    return pixels[:, ::-1], target


def mirrored_answer(seen: np.ndarray) -> np.ndarray:
    """What the deployed refiner said of mirrored crops (n x 15), as if of the crops themselves."""
    points = seen[:, 5:].reshape(-1, 5, 2)[:, list(MIRRORED)] * (-1, 1) + (SIDE, 0)
    return np.concatenate([seen[:, :1], SIDE - seen[:, 1:2], seen[:, 2:5], points.reshape(-1, 10)], 1).astype(np.float32)
