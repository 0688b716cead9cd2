"""The detector as the product runs it: bytes in, faces out, from a checkpoint or an exported file."""
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from geometry import suppress
from model import FaceDetector, NetworkConfig, fold
from targets import STRIDES
from teachers import session

OVERLAP = 0.4   # IoU above which the weaker of two boxes goes
INSIDE = 0.85   # and the part of it that may lie in a better one
SMALL = 256     # short side of the second look, for faces that fill the picture (the product looks twice as well)


class Deployed(torch.nn.Module):
    """NHWC bytes to NHWC maps; normalisation and the score's sigmoid inside the graph."""

    def __init__(self, network: FaceDetector):
        super().__init__()
        self.network = network

    def forward(self, picture):
        maps = self.network(picture.permute(0, 3, 1, 2).float() * (1 / 255))
        return tuple(torch.cat([m[:, :1].sigmoid(), m[:, 1:]], 1).permute(0, 2, 3, 1) for m in maps)


def from_checkpoint(file: Path) -> tuple[FaceDetector, dict]:
    state = torch.load(file, weights_only=True, map_location="cpu")
    network = FaceDetector(NetworkConfig(**{k: tuple(v) for k, v in state["config"]["network"].items()}))
    network.load_state_dict(state["ema"])
    return fold(network), state


def decode(maps, threshold: float):
    """Three maps of one picture (1 x h x w x 15) -> faces n x 14 and scores n, overlapping ones included."""
    faces, scores = [], []
    for found, stride in zip(maps, STRIDES):
        found = found[0]
        y, x = np.nonzero(found[..., 0] >= threshold)
        values, cell = found[y, x], np.stack([x + 0.5, y + 0.5], 1) * stride
        centre, half = cell + values[:, 1:3] * stride, np.exp(values[:, 3:5]) * stride / 2
        points = cell[:, None] + values[:, 5:].reshape(-1, 5, 2) * stride
        faces.append(np.concatenate([centre - half, centre + half, points.reshape(-1, 10)], 1))
        scores.append(values[:, 0])
    return np.concatenate(faces).astype(np.float32), np.concatenate(scores)


class Detector:
    """Called with an RGB picture and a threshold, like the teachers."""

    def __init__(self, file: Path, threads: int = 1):
        if file.suffix == ".onnx":
            network = session(file, threads)
            self.run = lambda picture: network.run(None, {"picture": picture})
        else:
            deployed = Deployed(from_checkpoint(file)[0])
            self.run = lambda picture: [m.numpy() for m in deployed(torch.from_numpy(picture))]

    def __call__(self, picture: np.ndarray, threshold=0.5, overlap=OVERLAP):
        faces, scores = self.look(picture, threshold)
        factor = SMALL / min(picture.shape[:2])
        if factor < 1 / 1.5:
            size = round(picture.shape[1] * factor), round(picture.shape[0] * factor)
            large, sure = self.look(np.asarray(Image.fromarray(picture).resize(size, Image.LANCZOS)), threshold)
            faces, scores = np.concatenate([faces, large / factor]), np.concatenate([scores, sure])
        kept = suppress(faces, scores, overlap, INSIDE)
        return faces[kept], scores[kept]

    def look(self, picture: np.ndarray, threshold: float):
        """The picture as it is, filled up to multiples of 32 with its last row and column."""
        height, width = picture.shape[:2]
        padded = np.pad(picture, ((0, -height % 32), (0, -width % 32), (0, 0)), "edge")[None]
        with torch.no_grad():
            return decode(self.run(padded), threshold)
