"""Detector and refiner together, as the product runs them."""
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

from detect import INSIDE, OVERLAP, Detector
from geometry import suppress, without_parts
from refine_crops import crop, frame, mirrored_answer, placed
from refine_model import DeployedRefiner, Refiner
from warp import Pyramid

CANDIDATE = 0.12    # detector score from which something is looked at again
DOUBLE = 0.6        # IoU above which the weaker of two candidates is not
MOST = 200          # candidates of a picture
PASSES = 2
WEIGHT = 0.3        # of the detector's score in the logarithm of the answer's; the rest is the refiner's


class RefinerRun:
    """Crops n x 80 x 80 x 3 bytes -> n x 15, from a checkpoint or an exported file."""

    def __init__(self, file: Path):
        if file.suffix == ".onnx":
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            network = onnxruntime.InferenceSession(str(file), options)
            self.run = lambda crops: network.run(None, {"faces": crops})[0]
        else:
            network = Refiner()
            network.load_state_dict(torch.load(file, weights_only=True, map_location="cpu")["ema"])
            deployed = DeployedRefiner(network.eval())
            self.run = lambda crops: deployed(torch.from_numpy(crops)).detach().numpy()

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        return self.run(crops)


class Cascade:
    """Called like a detector. `source`: the picture that `picture` is a reduced copy of, in which the refiner looks."""

    def __init__(self, detector: Detector, refiner: RefinerRun, passes: int = PASSES, weight: float = WEIGHT, mirrored: bool = True):
        self.detector, self.refiner, self.passes, self.weight, self.mirrored = detector, refiner, passes, weight, mirrored

    def __call__(self, picture: np.ndarray, threshold=0.5, source: np.ndarray | None = None):
        faces, scores = self.detector(picture, CANDIDATE, DOUBLE)
        faces, scores = faces[:MOST], scores[:MOST]
        if not len(faces):
            return faces, scores
        source = picture if source is None else source
        factor = source.shape[0] / picture.shape[0]
        pyramid, faces = Pyramid(Image.fromarray(source), 8), faces * factor
        for i in range(self.passes):
            frames = [frame(face) for face in faces]
            crops = np.stack([crop(pyramid, matrix) for matrix, _ in frames])
            seen = self.refiner(crops)
            if self.mirrored and i == self.passes - 1:
                # What is said of the mirror image is off the other way.
                seen = (seen + mirrored_answer(self.refiner(np.ascontiguousarray(crops[:, :, ::-1])))) / 2
            faces = np.stack([placed(one, *where) for one, where in zip(seen, frames)])
        faces = faces / factor
        together = scores ** self.weight * seen[:, 0] ** (1 - self.weight)
        kept = suppress(faces, together, OVERLAP, INSIDE)
        kept = without_parts(faces, kept[together[kept] >= threshold])
        return faces[kept], together[kept]
