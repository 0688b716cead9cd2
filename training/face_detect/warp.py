"""A picture kept in halving sizes, and its cheap similarity warp into a square."""
import numpy as np
from PIL import Image


class Pyramid:
    """uint8 RGB (or L) at full, half, quarter ... size, so that shrinking never aliases much."""

    def __init__(self, picture: Image.Image, smallest: int = 24):
        self.levels = [picture]
        while min(self.levels[-1].size) // 2 >= smallest:
            self.levels.append(self.levels[-1].reduce(2))

    @property
    def size(self) -> tuple[int, int]:
        return self.levels[0].size

    def warp(self, matrix: np.ndarray, size: tuple[int, int], fill=(0, 0, 0)) -> Image.Image:
        """`matrix` (2 x 3) brings full-size picture coordinates to the result's."""
        scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        level = int(np.clip(np.floor(-np.log2(max(scale, 1e-4)) + 0.4), 0, len(self.levels) - 1))
        picture = self.levels[level]
        ratio = np.array([self.size[0] / picture.width, self.size[1] / picture.height])
        inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2] / ratio[:, None]
        fill = fill if picture.mode == "RGB" else 0
        return picture.transform(size, Image.AFFINE, tuple(inverse.ravel()), Image.BILINEAR, fillcolor=fill)
