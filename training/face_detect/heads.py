"""Cut-out heads: an aligned face with something worn or held before it, behind a soft mask.

Everything is drawn in the aligned picture, in parts of its side, where eyes, mouth and brow have
known places (eyes at 0.38 and 0.63 across, 0.47 down; mouth 0.73 down; brow 0.40; chin 0.92).
"""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from warp import Pyramid


def colour(rng) -> tuple[int, int, int]:
    if rng.random() < 0.4:
        return (int(rng.integers(0, 256)),) * 3
    return tuple(int(v) for v in rng.integers(0, 256, 3))


def wear(picture: Image.Image, rng) -> Image.Image:
    """Sunglasses, spectacles, a mask, a hat, or something in front."""
    picture = picture.copy()
    draw, side = ImageDraw.Draw(picture), picture.width

    def at(*values):
        return [float(v) * side for v in values]

    kind, j = rng.choice(("glasses", "frames", "mask", "hat", "thing"), p=(0.2, 0.15, 0.25, 0.2, 0.2)), rng.normal(0, 0.012, 8)
    if kind in ("glasses", "frames"):
        shade, shape = colour(rng) if rng.random() < 0.3 else (int(rng.integers(0, 50)),) * 3, rng.choice(("ellipse", "rounded_rectangle"))
        wide, high = rng.uniform(0.09, 0.125), rng.uniform(0.055, 0.1)
        for x in (0.375, 0.625):
            box = at(x - wide + j[0], 0.475 - high + j[1], x + wide + j[0], 0.475 + high + j[1])
            options = {"fill": shade} if kind == "glasses" else {"outline": shade, "width": max(1, side // 70)}
            getattr(draw, shape)(box, **options) if shape == "ellipse" else draw.rounded_rectangle(box, side * 0.03, **options)
        draw.line(at(0.45, 0.46 + j[1], 0.55, 0.46 + j[1]), shade, max(1, side // 60))
    elif kind == "mask":
        top = rng.uniform(0.55, 0.66)
        shade = [(200, 220, 235), (240, 240, 240), (25, 25, 28), (120, 170, 200), colour(rng)][rng.integers(5)]
        draw.polygon(at(0.22 + j[0], top + 0.04, 0.5 + j[1], top, 0.78 + j[2], top + 0.04, 0.74 + j[3], 0.84, 0.62, 0.95, 0.38, 0.95, 0.26 + j[4], 0.84), shade)
    elif kind == "hat":
        brim, shade = rng.uniform(0.24, 0.38), colour(rng)
        draw.polygon(at(0.1, brim + j[0], 0.9, brim + j[1], 0.85, 0, 0.15, 0), shade)
        if rng.random() < 0.5:
            draw.rectangle(at(0.02, brim - 0.03, 0.98, brim + 0.02), colour(rng))
    else:
        x, y = rng.uniform(0.1, 0.75, 2)
        (draw.rectangle if rng.random() < 0.5 else draw.ellipse)(at(x, y, x + rng.uniform(0.08, 0.3), y + rng.uniform(0.08, 0.3)), colour(rng))
    return picture


def mask(side: int, rng) -> Image.Image:
    """Head, head and shoulders, or a rectangle; the edge from hard to soft."""
    picture = Image.new("L", (side, side), 0)
    draw, kind = ImageDraw.Draw(picture), rng.choice(("head", "bust", "rectangle"), p=(0.4, 0.35, 0.25))
    x, y, wide, high = 0.5, 0.52 + rng.normal(0, 0.02), rng.uniform(0.32, 0.44), rng.uniform(0.43, 0.5)
    if kind == "rectangle":
        edge = rng.uniform(0, 0.15, 4)
        draw.rectangle([side * edge[0], side * edge[1], side * (1 - edge[2]), side * (1 - edge[3] / 3)], 255)
    else:
        draw.ellipse([side * (x - wide), side * (y - high), side * (x + wide), side * (y + high)], 255)
        if kind == "bust":
            neck = rng.uniform(0.15, 0.3)
            draw.polygon([side * v for v in (x - neck, 0.8, x + neck, 0.8, 1, 1, 0, 1)], 255)
    soft = float(side * rng.choice((0.004, 0.015, 0.04)) * rng.uniform(0.5, 1.5))
    picture = picture.filter(ImageFilter.GaussianBlur(soft))
    if kind == "rectangle":
        return picture
    # A mask that is not zero at the border of the aligned picture would end in a line.
    frame = Image.new("L", (side, side), 0)
    ImageDraw.Draw(frame).rectangle([2, 2, side - 3, side - (1 if kind == "bust" else 3)], 255)
    return Image.composite(picture, Image.new("L", (side, side), 0), frame)


def masks(side: int, count: int, rng) -> list[Pyramid]:
    return [Pyramid(mask(side, rng)) for _ in range(count)]
