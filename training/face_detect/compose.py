"""Training pictures: windows of real pictures, composites, and windows without faces.

One draw gives (picture size x size x 3 uint8, faces n x 14, uncertain boxes m x 4).
"""
import numpy as np
from PIL import Image, ImageDraw

from damage import Damage, light, look_up
from data import ALIGNED_SIDE, Labelled, Sources
from geometry import iou, mirror, sides, similarity, transform
from heads import colour, masks, wear
from warp import Pyramid

# Kinds of picture and how often; what the figures rest on, so it is said once, here.
MIXTURE = {"real": 0.45, "composite": 0.42, "empty": 0.13}
SMALLEST, LARGEST = 11.0, 320.0   # side of a drawn face, px
CERTAIN = 9.5                     # smaller ones are nobody's: neither face nor background


def draw_angle(rng) -> float:
    """Radians: mostly inside the promised 45 degrees, a tenth of it beyond."""
    draw = rng.random()
    degrees = rng.normal(0, 7) if draw < 0.35 else rng.uniform(-50, 50) if draw < 0.92 else rng.uniform(-75, 75)
    return float(np.deg2rad(degrees))


def draw_side(rng, largest: float = LARGEST) -> float:
    return float(np.exp(rng.uniform(np.log(SMALLEST), np.log(largest))))


def settle(faces: np.ndarray, uncertain: np.ndarray, size: int):
    """Faces mostly inside and large enough count; the rest is left alone, what is outside is dropped."""
    boxes = faces[:, :4]
    inside = np.clip(np.minimum(boxes[:, 2:], size) - np.maximum(boxes[:, :2], 0), 0, None).prod(1)
    part = inside / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    counts = (part >= 0.55) & ((centre > 0) & (centre < size)).all(1) & (sides(faces) >= CERTAIN)
    rest = boxes[~counts & (part > 0.05)]
    return faces[counts], np.concatenate([uncertain, rest]).astype(np.float32)


def mirrored(pixels: np.ndarray, faces: np.ndarray, uncertain: np.ndarray, size: int):
    boxes = np.stack([size - uncertain[:, 2], uncertain[:, 1], size - uncertain[:, 0], uncertain[:, 3]], 1)
    return np.ascontiguousarray(pixels[:, ::-1]), mirror(faces, size), boxes


class Composer:
    def __init__(self, sources: Sources, size: int, rng, mixture: dict = MIXTURE, severity: float = 1.0):
        self.sources, self.size, self.mixture = sources, size, mixture
        self.damage, self.masks = Damage(rng, severity), masks(ALIGNED_SIDE // 2, 96, rng)
        weights = np.array([np.sqrt(len(r.faces)) for r in sources.real])
        self.real_weights = weights / weights.sum()

    def window(self, one: Labelled, matrix: np.ndarray, rng):
        """The picture as the matrix places it, over a plain colour where it does not reach."""
        picture = one.picture.warp(matrix, (self.size, self.size), colour(rng))
        corners = one.uncertain.reshape(-1, 2, 2)
        padded = np.concatenate([one.uncertain, np.repeat(corners.mean(1), 5, 0).reshape(-1, 10)], 1) if len(corners) else np.zeros((0, 14))
        return picture, transform(one.faces, matrix), transform(padded.astype(np.float32), matrix)[:, :4]

    def over(self, one: Labelled, matrix: np.ndarray, top, base):
        """`top`, a window of `one`, over another draw that shows where the picture does not reach."""
        reach = Image.new("L", one.picture.size, 255).transform((self.size,) * 2, Image.AFFINE,
                                                                tuple(np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2].ravel()))
        covered = np.asarray(reach) > 0
        picture = Image.composite(top[0], base[0], reach)

        def hidden(box):
            x0, y0, x1, y1 = np.clip(np.rint(box), 0, self.size).astype(int)
            part = covered[y0:y1, x0:x1]
            return part.mean() if part.size else 1.0

        hide = np.array([hidden(face[:4]) for face in base[1]])
        shown = base[1][hide < 0.05] if len(hide) else base[1]
        half = base[1][(hide >= 0.05) & (hide < 0.95), :4] if len(hide) else base[1][:, :4]
        spared = [box for box in base[2] if hidden(box) < 0.95]
        return (picture, np.concatenate([top[1], shown]),
                np.concatenate([top[2], half, np.array(spared, np.float32).reshape(-1, 4)]).astype(np.float32))

    def real(self, rng):
        """A face of a real picture at a drawn size, angle and place."""
        one = self.sources.real[rng.choice(len(self.sources.real), p=self.real_weights)]
        face = one.faces[rng.integers(len(one.faces))]
        side = float(sides(face[None])[0])
        wanted = min(draw_side(rng), 1.6 * side)
        centre = (face[:2] + face[2:4]) / 2
        matrix = similarity(wanted / side, draw_angle(rng), centre, rng.uniform(0.12, 0.88, 2) * self.size)
        drawn = self.window(one, matrix, rng)
        covered = np.prod(one.picture.size) * np.linalg.det(matrix[:, :2])
        if covered < 2.5 * self.size ** 2 and rng.random() < 0.8:
            drawn = self.over(one, matrix, drawn, self.composite(rng) if rng.random() < 0.7 else self.background(rng))
        if rng.random() < 0.15:
            self.cover(drawn[0], drawn[1], rng)
        return drawn

    def background(self, rng, photographs=None):
        """A window of a photograph, from its whole down to true size, seldom turned."""
        photographs = photographs or self.sources.photographs
        one = photographs[rng.integers(len(photographs))]
        least = self.size / min(one.picture.size)
        scale = float(np.exp(rng.uniform(np.log(least), np.log(max(1.3, least)))))
        angle = draw_angle(rng) if rng.random() < 0.2 else 0.0
        half = self.size / 2 / scale
        at = [rng.uniform(half, max(n - half, half + 1e-3)) for n in one.picture.size]
        return self.window(one, similarity(scale, angle, at, (self.size / 2, self.size / 2)), rng)

    def paste(self, canvas: Image.Image, source: Pyramid, matrix: np.ndarray, mask: Pyramid, rng, adapt=True):
        """`source` through `mask` (any side) onto the canvas, with light of its own."""
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * source.size[0] @ matrix[:, :2].T + matrix[:, 2]
        low = np.clip(np.floor(corners.min(0)), 0, self.size).astype(int)
        high = np.clip(np.ceil(corners.max(0)), 0, self.size).astype(int)
        if (high - low).min() < 2:
            return
        local = matrix.copy()
        local[:, 2] -= low
        size = (int(high[0] - low[0]), int(high[1] - low[1]))
        piece = light(source.warp(local, size), rng, 0.8)
        if adapt and rng.random() < 0.4:
            around = np.asarray(canvas.crop((*low, *high)).resize((1, 1), Image.BOX), np.float32).ravel()
            own = np.asarray(piece.resize((1, 1), Image.BOX), np.float32).ravel()
            gain = np.clip((around + 20) / (own + 20), 0.35, 2.0) ** rng.uniform(0.3, 1.0)
            piece = look_up(piece, [np.arange(256) * g for g in gain])
        stretch = np.diag([source.size[0] / mask.size[0]] * 2)
        canvas.paste(piece, tuple(int(v) for v in low), mask.warp(np.concatenate([local[:, :2] @ stretch, local[:, 2:]], 1), size))

    def distract(self, canvas: Image.Image, rng):
        """What looks pasted and is no face: photograph, plain colour or an enlarged cheek behind a head's mask."""
        kind = rng.choice(("photograph", "colour", "detail"), p=(0.6, 0.15, 0.25))
        if kind == "photograph":
            one = self.sources.photographs[rng.integers(len(self.sources.photographs))]
            if len(one.faces) or len(one.uncertain):
                return
            side, (width, height) = ALIGNED_SIDE, one.picture.size
            crop = rng.integers(24, min(width, height))
            x, y = rng.integers(0, width - crop), rng.integers(0, height - crop)
            piece = one.picture.levels[0].resize((side, side), Image.BILINEAR, (x, y, x + crop, y + crop), reducing_gap=2)
        elif kind == "colour":
            piece = Image.new("RGB", (ALIGNED_SIDE, ALIGNED_SIDE), colour(rng))
        else:
            face = self.sources.aligned[rng.integers(len(self.sources.aligned))][0].levels[0]
            x, y = rng.choice((0.1, 0.25, 0.6)), rng.choice((0.05, 0.78))
            box = [ALIGNED_SIDE * v for v in (x, y, x + 0.2, y + 0.2)]
            piece = face.resize((ALIGNED_SIDE, ALIGNED_SIDE), Image.BILINEAR, box)
        scale = draw_side(rng, 200) / (0.56 * ALIGNED_SIDE)
        matrix = similarity(scale, draw_angle(rng), (ALIGNED_SIDE / 2,) * 2, rng.uniform(0, self.size, 2))
        self.paste(canvas, Pyramid(piece), matrix, self.masks[rng.integers(len(self.masks))], rng)

    def composite(self, rng):
        canvas, faces, uncertain = self.background(rng)
        if rng.random() < 0.4:
            for _ in range(rng.integers(1, 4)):
                self.distract(canvas, rng)
        crowd = rng.random() < 0.4
        for _ in range(int(rng.integers(3, 11)) if crowd else int(rng.integers(1, 4))):
            source, face = self.sources.aligned[rng.integers(len(self.sources.aligned))]
            side = draw_side(rng, 48 if crowd else LARGEST)
            centre = (face[0, :2] + face[0, 2:4]) / 2
            matrix = similarity(side / float(sides(face)[0]), draw_angle(rng), centre, rng.uniform(0.02, 0.98, 2) * self.size)
            placed = transform(face, matrix)
            others = np.concatenate([faces[:, :4], uncertain])
            if len(others) and iou(placed[0, :4], others).max() > 0.08:
                continue
            if rng.random() < 0.3:
                source = Pyramid(wear(source.levels[0 if side > 70 else 1], rng))
                matrix = np.concatenate([matrix[:, :2] * (ALIGNED_SIDE / source.size[0]), matrix[:, 2:]], 1)
            self.paste(canvas, source, matrix, self.masks[rng.integers(len(self.masks))], rng)
            faces = np.concatenate([faces, placed])
        return canvas, faces, uncertain

    def cover(self, canvas: Image.Image, faces: np.ndarray, rng):
        """A plain block over less than half of one face."""
        if not len(faces):
            return
        x0, y0, x1, y1 = faces[rng.integers(len(faces)), :4]
        wide, high = (x1 - x0) * rng.uniform(0.15, 0.6), (y1 - y0) * rng.uniform(0.15, 0.5)
        x, y = rng.uniform(x0 - wide / 2, x1 - wide / 2), rng.uniform(y0 - high / 2, y1 - high / 2)
        ImageDraw.Draw(canvas).rectangle([x, y, x + wide, y + high], colour(rng))

    def empty(self, rng):
        """A photograph as it is, sometimes with pasted things that are no faces."""
        canvas, faces, uncertain = self.background(rng)
        if rng.random() < 0.5:
            for _ in range(rng.integers(1, 5)):
                self.distract(canvas, rng)
            faces, uncertain = faces[:0], np.concatenate([uncertain, faces[:, :4]])
        return canvas, faces, uncertain

    def draw(self, rng):
        kind = rng.choice(list(self.mixture), p=list(self.mixture.values()))
        picture, faces, uncertain = getattr(self, str(kind))(rng)
        pixels = self.damage(picture, rng)
        if rng.random() < 0.5:
            pixels, faces, uncertain = mirrored(pixels, faces, uncertain, self.size)
        return np.ascontiguousarray(pixels), *settle(faces, uncertain, self.size)
