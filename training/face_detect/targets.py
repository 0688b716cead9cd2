"""Which cell answers for which face.

A face belongs to the maps whose size range holds it (ranges overlap, so sizes between them train
both). On its map the cells near the box centre are positive, those a little further are left alone,
all others negative (after FCOS, Tian et al. 2019, without a centreness branch). A face just outside
a map's range leaves that map's cells alone too. Uncertain faces silence the cells of their box.
"""
import numpy as np

from geometry import sides

STRIDES = (8, 16, 32)
RANGES = ((0, 44), (30, 100), (72, 1e9))
LEFT_ALONE = -1.0


def target_maps(faces: np.ndarray, uncertain: np.ndarray, size: int) -> list[np.ndarray]:
    """faces n x 14 and uncertain boxes m x 4 in px -> per stride h x w x 15: 1, 0 or LEFT_ALONE, then the cell's face."""
    side, maps = sides(faces), []
    centre = (faces[:, :2] + faces[:, 2:4]) / 2
    order = np.argsort(-side)  # a smaller face, in front, keeps its cells
    for stride, (low, high) in zip(STRIDES, RANGES):
        at = (np.arange(size // stride) + 0.5) * stride
        out = np.zeros((len(at), len(at), 15), np.float32)

        def cells(i, reach):
            return np.ix_(np.abs(at - centre[i, 1]) < reach, np.abs(at - centre[i, 0]) < reach)

        for box in uncertain:
            out[np.ix_((at > box[1]) & (at < box[3]), (at > box[0]) & (at < box[2]), [0])] = LEFT_ALONE
        for i in order:
            if low * 0.75 <= side[i] < high * 1.35:
                out[cells(i, max(0.75 * stride, 0.36 * side[i]))] = LEFT_ALONE
        for i in order:
            if low <= side[i] < high:
                out[cells(i, max(0.75 * stride, 0.17 * side[i]))] = np.concatenate([[1], faces[i]])
        maps.append(out)
    return maps
