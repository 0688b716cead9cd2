"""Public face detectors used as teachers and yardsticks; their weights stay outside the repository.

`yunet_n_dynamic.onnx` (libfacedetection.train, Apache-2.0) and `version-RFB-640.onnx`
(Ultra-Light-Fast-Generic-Face-Detector, MIT). Each is called with an RGB picture and a score
threshold and gives (faces n x 14, scores n), already suppressed.
"""
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from geometry import suppress


def session(file: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


class YuNet:
    """BGR 0-255; sizes padded to multiples of 32; score is the root of class times objectness."""

    def __init__(self, folder: Path):
        self.session = session(folder / "yunet_n_dynamic.onnx")
        self.names = [o.name for o in self.session.get_outputs()]

    def __call__(self, picture: np.ndarray, threshold=0.5, overlap=0.45):
        height, width = picture.shape[:2]
        padded = np.zeros((-(-height // 32) * 32, -(-width // 32) * 32, 3), np.float32)
        padded[:height, :width] = picture[..., ::-1]
        found = dict(zip(self.names, self.session.run(None, {"input": padded.transpose(2, 0, 1)[None]})))
        faces, scores = [], []
        for stride in (8, 16, 32):
            score = np.sqrt(np.clip(found[f"cls_{stride}"][0, :, 0], 0, 1) * np.clip(found[f"obj_{stride}"][0, :, 0], 0, 1))
            at = np.flatnonzero(score >= threshold)
            columns = padded.shape[1] // stride
            cell = np.stack([at % columns, at // columns], 1).astype(np.float32)
            box = found[f"bbox_{stride}"][0][at]
            centre, half = (cell + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride / 2
            points = (found[f"kps_{stride}"][0][at].reshape(-1, 5, 2) + cell[:, None]) * stride
            faces.append(np.concatenate([centre - half, centre + half, points.reshape(-1, 10)], 1))
            scores.append(score[at])
        faces, scores = np.concatenate(faces), np.concatenate(scores)
        kept = suppress(faces, scores, overlap)
        return faces[kept].astype(np.float32), scores[kept]


class RFB:
    """640x480 RGB, (x - 127) / 128, boxes only: the landmarks it gives are the box's centre."""

    def __init__(self, folder: Path):
        self.session = session(folder / "version-RFB-640.onnx")

    def __call__(self, picture: np.ndarray, threshold=0.5, overlap=0.45):
        height, width = picture.shape[:2]
        fed = np.asarray(Image.fromarray(picture).resize((640, 480), Image.BILINEAR), np.float32)
        scores, boxes = self.session.run(None, {"input": ((fed - 127) / 128).transpose(2, 0, 1)[None]})
        at = scores[0, :, 1] >= threshold
        box, score = boxes[0][at] * np.array([width, height, width, height], np.float32), scores[0, at, 1]
        faces = np.concatenate([box, np.tile((box[:, :2] + box[:, 2:]) / 2, 5)], 1)
        kept = suppress(faces, score, overlap)
        return faces[kept].astype(np.float32), score[kept]
