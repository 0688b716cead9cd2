"""Boxes and landmarks as arrays: one row of 14 numbers is a face (x0, y0, x1, y1, five landmarks x, y).

Landmarks in the person's own order of an upright face: image-left eye, image-right eye, nose,
image-left mouth corner, image-right mouth corner. They keep it when the face is rotated.
"""
import numpy as np

MIRRORED = (1, 0, 2, 4, 3)


def iou(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Of one box (4) with many (n x 4)."""
    width = np.minimum(one[2], many[:, 2]) - np.maximum(one[0], many[:, 0])
    height = np.minimum(one[3], many[:, 3]) - np.maximum(one[1], many[:, 1])
    shared = np.clip(width, 0, None) * np.clip(height, 0, None)
    areas = (many[:, 2] - many[:, 0]) * (many[:, 3] - many[:, 1])
    return shared / np.maximum((one[2] - one[0]) * (one[3] - one[1]) + areas - shared, 1e-6)


def suppress(faces: np.ndarray, scores: np.ndarray, limit: float, inside: float = 1.0) -> np.ndarray:
    """Indices kept, best first: none overlaps a better one by more than `limit` (IoU) or lies in it by more than `inside`."""
    order, kept = np.argsort(-scores), []
    while len(order):
        kept.append(order[0])
        best, rest = faces[order[0], :4], faces[order[1:], :4]
        shared = np.clip(np.minimum(best[2:], rest[:, 2:]) - np.maximum(best[:2], rest[:, :2]), 0, None).prod(1)
        part = shared / np.maximum((rest[:, 2:] - rest[:, :2]).prod(1), 1e-6)
        order = order[1:][(iou(best, rest) <= limit) & (part <= inside)]
    return np.array(kept, int)


def without_parts(faces: np.ndarray, order: np.ndarray, smaller: float = 0.4, shared: float = 0.25) -> np.ndarray:
    """Indices, best first, without boxes so much smaller than a better one and so much in it: ears and hands of that person."""
    kept = []
    for i, one in enumerate(order):
        better, box = faces[order[:i], :4], faces[one, :4]
        common = np.clip(np.minimum(better[:, 2:], box[2:]) - np.maximum(better[:, :2], box[:2]), 0, None).prod(1)
        area, areas = (box[2:] - box[:2]).prod(), (better[:, 2:] - better[:, :2]).prod(1)
        if not ((area < smaller ** 2 * areas) & (common > shared * area)).any():
            kept.append(one)
    return np.array(kept, int)


def sides(faces: np.ndarray) -> np.ndarray:
    """Side of the square of the same area, px."""
    return np.sqrt(np.maximum(faces[:, 2] - faces[:, 0], 0) * np.maximum(faces[:, 3] - faces[:, 1], 0))


def eye_distance(faces: np.ndarray) -> np.ndarray:
    """A profile's eyes nearly meet: half the mouth-to-eye height is then the yardstick, so it never vanishes."""
    points = faces[:, 4:].reshape(-1, 5, 2)
    eyes = np.linalg.norm(points[:, 0] - points[:, 1], axis=1)
    height = np.linalg.norm(points[:, :2].mean(1) - points[:, 3:].mean(1), axis=1)
    return np.maximum(eyes, height / 2)


def transform(faces: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Under a similarity (2 x 3). The box is the bounding box of the turned ellipse that filled it."""
    linear, shift = matrix[:, :2], matrix[:, 2]
    centre = (faces[:, :2] + faces[:, 2:4]) / 2 @ linear.T + shift
    half = np.sqrt(((faces[:, 2:4] - faces[:, :2]) / 2) ** 2 @ (linear ** 2).T)
    points = faces[:, 4:].reshape(-1, 5, 2) @ linear.T + shift
    return np.concatenate([centre - half, centre + half, points.reshape(-1, 10)], 1).astype(np.float32)


def mirror(faces: np.ndarray, width: float) -> np.ndarray:
    """Left and right exchanged, the landmarks renamed."""
    points = faces[:, 4:].reshape(-1, 5, 2)[:, MIRRORED].copy()
    points[..., 0] = width - points[..., 0]
    box = np.stack([width - faces[:, 2], faces[:, 1], width - faces[:, 0], faces[:, 3]], 1)
    return np.concatenate([box, points.reshape(-1, 10)], 1).astype(np.float32)


def similarity(scale: float, angle: float, source: tuple, target: tuple) -> np.ndarray:
    """2 x 3: turn by `angle` (radians), scale, and bring the point `source` to `target`."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.concatenate([linear, (np.asarray(target) - linear @ np.asarray(source))[:, None]], 1)
