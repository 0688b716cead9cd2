"""Aligned faces, what portraits suffer (blur, low resolution, noise, JPEG, in that order or twice), and what the
general network makes of it: at the size and with the block grid the picture had, as in the product, or of the
aligned face."""
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.utils.data import IterableDataset

from data import split
from degrade import RESAMPLING, UNKNOWN, add_noise, blur, draw_noise_kind, draw_subsampling, jpeg, sharpen, to_bytes
from face_model import SIDE, STEP

MARGIN = 32
# Share of crops of each kind. Light ones are common in practice and the easiest to do harm to.
KINDS = (("clean", 0.10), ("light", 0.38), ("portrait", 0.52))

# Share of crops that no general network saw, as where only faces are to be restored.
ALONE = 0.08


def faces(root: Path, exclude: list[str]) -> tuple[list[Path], list[Path]]:
    """(training files, validation files): every twentieth of the sorted list validates, by person."""
    files = [f for f in (root / "train-face").glob("*.webp") if not f.name.startswith(tuple(exclude) or ("\0",))]
    train, validation = split(files)
    # One person stands in several files (neutral and smiling): none may be on both sides.
    held = {person(f) for f in validation}
    return [f for f in train if person(f) not in held], validation


def person(file: Path) -> str:
    return file.stem[:-1] if file.stem.startswith("london") else file.stem


@lru_cache(1)
def weight_map() -> np.ndarray:
    """512x512 float32: 1 on the face, 0.25 on the background, which is often smeared in the sources."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    distance = ((x - 256) / 170) ** 2 + ((y - 275) / 215) ** 2
    return 0.25 + 0.75 / (1 + np.exp(12 * (distance - 1)))


@lru_cache(1)
def oval() -> np.ndarray:
    """512x512 float32: how much of a restored face the product takes, `src/imaging/faces/mask.ts`: 1 on the face, 0 around it."""
    v, u = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) + 0.5
    inner, outer = (((u - 256) / a) ** 2 + ((v - 270) / b) ** 2 for a, b in ((150, 190), (222, 240)))
    to_inner, to_outer = 1 / np.sqrt(inner), 1 / np.sqrt(outer)
    clear = np.clip((to_outer - 1) / (to_outer - to_inner), 0, 1)
    return np.where(outer >= 1, 0, np.where(inner <= 1, 1, clear * clear * (3 - 2 * clear))).astype(np.float32)


def resized(x: np.ndarray, width: int, height: int, kind: int) -> np.ndarray:
    return np.asarray(Image.fromarray(to_bytes(x)).resize((width, height), kind), np.float32)


def blurred(x: np.ndarray, rng) -> np.ndarray:
    if rng.random() < 0.35:
        return blur(x, rng)
    sigma = float(np.exp(rng.uniform(np.log(0.5), np.log(8))))
    return np.asarray(Image.fromarray(to_bytes(x)).filter(ImageFilter.GaussianBlur(sigma)), np.float32)


def unrestored(x: np.ndarray, known) -> np.ndarray:
    return x


def portrait(x: np.ndarray, rng, general=unrestored) -> tuple[np.ndarray, np.ndarray]:
    """A small or blurred face as the product meets it: degraded at its own size (and restored there: the second
    picture), enlarged by the alignment. Or enlarged by somebody before us: what was compressed small, and often
    sharpened, then lies in a large picture, whose own compression is another one, and looks like detail."""
    height, width = x.shape[:2]
    if rng.random() < 0.55:
        x = blurred(x, rng)
    factor = float(np.exp(rng.uniform(0, np.log(10)))) if rng.random() < 0.85 else 1.0
    enlarged = rng.random() < 0.3
    small = max(16, round(width / factor)), max(16, round(height / factor))
    x = resized(x, *small, int(RESAMPLING[rng.integers(1, 6)]))
    if rng.random() < 0.15:
        x = blur(x, rng)
    if rng.random() < 0.6:
        x = add_noise(x, float(rng.uniform(0.5, 20)), draw_noise_kind(rng), rng)
    if rng.random() < 0.15:
        x = sharpen(x, rng)
    kernel = int(rng.choice((Image.BICUBIC, Image.LANCZOS, Image.BILINEAR), p=(0.6, 0.3, 0.1)))
    if enlarged:
        if rng.random() < 0.85:
            x, _ = jpeg_anywhere(x, int(rng.integers(20, 97)), rng)
        x = resized(x, width, height, kernel)
        if rng.random() < 0.5:
            return jpeg_anywhere(x, int(rng.integers(50, 97)), rng, general)
        return x, general(to_bytes(x), UNKNOWN)
    if rng.random() < 0.7:
        x, shown = jpeg_anywhere(x, int(rng.integers(25, 97)), rng, general)
    else:
        shown = general(to_bytes(x), UNKNOWN)
    return resized(x, width, height, kernel), resized(shown, width, height, kernel)


def light(x: np.ndarray, rng, general=unrestored) -> tuple[np.ndarray, np.ndarray]:
    """A face of full size with noise, compression or a little softness; and restored."""
    draw = rng.random()
    if draw < 0.35:
        x = add_noise(x, float(rng.uniform(1, 35)), draw_noise_kind(rng), rng)
    elif draw < 0.6:
        x = blur(x, rng)
    if draw > 0.5 or rng.random() < 0.4:
        return jpeg_anywhere(x, int(rng.integers(15, 97)), rng, general)
    return x, general(to_bytes(x), UNKNOWN)


def jpeg_anywhere(x: np.ndarray, quality: int, rng, general=unrestored) -> tuple[np.ndarray, np.ndarray]:
    """Compressed with the block grid anywhere: an aligned crop never begins at a block. And restored on that grid."""
    dy, dx = rng.integers(0, 8, 2)
    padded = np.pad(x, ((dy, 0), (dx, 0), (0, 0)), "edge")
    decoded, known = jpeg(padded, quality, draw_subsampling(rng))
    return decoded[dy:, dx:], general(to_bytes(decoded), known)[dy:, dx:]


def tinted(x: np.ndarray, rng) -> np.ndarray:
    """Light of another colour and strength, in the source and the target alike: it is not ours to correct."""
    gain = rng.uniform(0.75, 1.15) * rng.uniform(0.85, 1.15, 3)
    return np.clip(255 * np.power(x / 255, rng.uniform(0.75, 1.35)) * gain, 0, 255)


def bent(picture: np.ndarray, rng) -> np.ndarray:
    """Another person's proportions, hardly turned: width and height, lean and angle a little off, and never enlarged,
    which would blur. 952 faces are few: of them the network was better than the general one by FSIM on 93 %, of others on 88 %."""
    wide, tall = 1 + rng.uniform(0, 0.12, 2)
    turn, lean = rng.uniform(-0.07, 0.07, 2)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.array([[wide, lean], [0, tall]])
    middle = np.full(2, SIDE / 2)
    edge = SIDE // 4
    offset = matrix @ -middle + middle + edge + rng.uniform(-6, 6, 2)
    padded = Image.fromarray(np.pad(picture, ((edge, edge), (edge, edge), (0, 0)), "reflect"))
    return np.asarray(padded.transform((SIDE, SIDE), Image.AFFINE, (*matrix[0], offset[0], *matrix[1], offset[1]), Image.BICUBIC))


def degraded(gt: np.ndarray, rng, general, mixture) -> tuple[np.ndarray, np.ndarray]:
    """GT uint8 -> (source, what the general network shows of it), uint8."""
    kind = rng.choice(list(mixture), p=list(mixture.values()))
    in_place = rng.random() < 0.6
    x = gt.astype(np.float32)
    lq, shown = x, None
    if kind != "clean":
        lq, shown = (light if kind == "light" else portrait)(x, rng, general if in_place else unrestored)
    lq = to_bytes(lq)
    if rng.random() < ALONE:
        return lq, lq
    return lq, to_bytes(shown) if shown is not None and in_place else general(lq, UNKNOWN)


class FaceCrops(IterableDataset):
    """Endless batches of one place each: (LQ, shown, GT) NCHW uint8, weights and oval 1x1xHxW, top, left.

    Degrading and restoring costs as much as training: every batch comes `uses` times, among others.
    """

    def __init__(self, files: list[Path], general, size: int, batch: int, seed: int, mixture: dict, grey: float = 0.2, uses: int = 4, kept: int = 160,
                 bent: float = 0.0):
        self.files, self.general, self.size, self.batch, self.seed, self.grey = files, general, size, batch, seed, grey
        self.uses, self.kept, self.mixture, self.bent = uses, kept, mixture, bent

    def pair(self, picture: np.ndarray, top: int, left: int, rng):
        y0, x0 = max(0, top - MARGIN), max(0, left - MARGIN)
        y1, x1 = min(SIDE, top + self.size + MARGIN), min(SIDE, left + self.size + MARGIN)
        gt = picture[y0:y1, x0:x1].astype(np.float32)
        if rng.random() < 0.4:
            gt = tinted(gt, rng)
        if rng.random() < self.grey:
            gt = np.repeat((gt @ np.array([0.299, 0.587, 0.114], np.float32))[..., None], 3, 2)
        gt = to_bytes(gt)
        window = (slice(top - y0, top - y0 + self.size), slice(left - x0, left - x0 + self.size))
        return [x[window].transpose(2, 0, 1) for x in (*degraded(gt, rng, self.restore, self.mixture), gt)]

    def __iter__(self):
        rng = np.random.default_rng(self.seed)
        self.restore = self.general()
        pictures = [np.asarray(Image.open(f).convert("RGB")) for f in self.files]
        waiting = []
        while True:
            waiting += [self.drawn(pictures, rng)] * self.uses
            if len(waiting) > self.kept * self.uses // 2:
                for _ in range(self.uses):
                    yield waiting.pop(int(rng.integers(len(waiting))))

    def drawn(self, pictures: list[np.ndarray], rng):
        places = np.arange(0, SIDE - self.size + 1, STEP)
        # The middle is the face: corners are drawn less often.
        likely = np.exp(-0.5 * ((places - (SIDE - self.size) / 2) / (SIDE - self.size) * 2.5) ** 2) if len(places) > 1 else np.ones(1)
        top, left = (int(rng.choice(places, p=likely / likely.sum())) for _ in range(2))
        triples = []
        for _ in range(self.batch):
            picture = pictures[rng.integers(len(pictures))]
            picture = bent(picture, rng) if rng.random() < self.bent else picture
            triples.append(self.pair(picture[:, ::-1] if rng.random() < 0.5 else picture, top, left, rng))
        tensors = [torch.from_numpy(np.ascontiguousarray(np.stack(x))) for x in zip(*triples)]
        weight, mask = (torch.from_numpy(x()[top:top + self.size, left:left + self.size][None, None]) for x in (weight_map, oval))
        return *tensors, weight, mask, top, left
