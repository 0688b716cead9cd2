"""What screens are made of and photographs lack: ramps, shapes, lettering, tables, patterns. GT crops, HxWx3 uint8.

Networks that have seen photographs alone take a table's lines for noise and a pattern for blocks (LOG.md).
"""
import numpy as np
from PIL import Image, ImageDraw, ImageFont


def ink_and_paper(rng):
    """Two colours far enough apart to be told: black on white in half of the draws, either way round."""
    if rng.random() < 0.5:
        pair = np.array([[0, 0, 0], [255, 255, 255]])
    else:
        pair = rng.integers(0, 256, (2, 3))
        while abs(int(pair[0].sum()) - int(pair[1].sum())) < 150:
            pair = rng.integers(0, 256, (2, 3))
    return pair[::-1] if rng.random() < 0.3 else pair


def painted(mask: np.ndarray, rng) -> np.ndarray:
    """A mask (True is ink) in two colours."""
    ink, paper = ink_and_paper(rng)
    return np.where(mask[..., None], ink, paper).astype(np.uint8)


def characters(rng, least: int, most: int) -> str:
    return "".join(chr(int(c)) for c in rng.integers(33, 127, rng.integers(least, most)))


def ramp_and_shapes(size: int, rng) -> np.ndarray:
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    field = ramp[None, :] * np.cos(angle) + ramp[:, None] * np.sin(angle)
    low, high = rng.uniform(0, 255, (2, 3))
    picture = Image.fromarray(np.clip(low + (high - low) * field[..., None], 0, 255).astype(np.uint8))
    if rng.random() < 0.7:
        draw = ImageDraw.Draw(picture)
        for _ in range(rng.integers(1, 8)):
            x, y = (int(v) for v in rng.integers(-10, size, 2))
            colour = tuple(int(v) for v in rng.integers(0, 256, 3))
            if rng.random() < 0.7:
                draw.text((x, y), characters(rng, 3, 20), fill=colour, font=ImageFont.load_default(int(rng.integers(8, 28))))
            else:
                box = (x, y, x + int(rng.integers(4, 60)), y + int(rng.integers(4, 60)))
                (draw.rectangle if rng.random() < 0.5 else draw.ellipse)(box, fill=colour)
    return np.asarray(picture)


def page(size: int, rng) -> np.ndarray:
    """Lines of lettering, smoothed or not, in columns between ruled lines or without."""
    height, smooth = int(rng.integers(8, 22)), rng.random() < 0.5
    mask = Image.new("L" if smooth else "1", (size, size), 0)
    draw, font = ImageDraw.Draw(mask), ImageFont.load_default(height)
    row, column = height + int(rng.integers(2, 10)), int(rng.integers(30, 110))
    is_table = rng.random() < 0.5
    top, left = int(rng.integers(-row, 4)), int(rng.integers(-column, 4))
    for y in range(top, size, row):
        for x in range(left, size, column if is_table else size + column):
            draw.text((x + 3, y), characters(rng, 2, 9) if is_table else characters(rng, 30, 60), fill=255, font=font)
    if is_table:
        width = int(rng.integers(1, 3))
        for y in range(top, size, row):
            draw.line((0, y, size, y), fill=255, width=width)
        for x in range(left, size, column):
            draw.line((x, 0, x, size), fill=255, width=width)
    share = np.asarray(mask.convert("L"), np.float32)[..., None] / 255
    ink, paper = ink_and_paper(rng)
    return np.rint(ink * share + paper * (1 - share)).astype(np.uint8)


def stripes(size: int, rng) -> np.ndarray:
    y, x = np.mgrid[:size, :size] + rng.integers(0, 16, 2)[:, None, None]
    width = int(rng.integers(1, 9))
    along = (x, y, x + y, x - y)[rng.integers(4)] // width
    return painted(along % 2 == 0 if rng.random() < 0.6 else along % int(rng.integers(3, 6)) == 0, rng)


def chequers(size: int, rng) -> np.ndarray:
    y, x = np.mgrid[:size, :size] + rng.integers(0, 16, 2)[:, None, None]
    width = int(rng.integers(1, 9))
    return painted((x // width + y // width) % 2 == 0, rng)


def cells(size: int, rng) -> np.ndarray:
    """Squares of one colour each: a code in two colours, a mosaic, enlarged pixels in a few."""
    side, few = int(rng.integers(2, 10)), int(rng.choice((2, 4, 8, 256)))
    palette = ink_and_paper(rng) if few == 2 else rng.integers(0, 256, (few, 3))
    count = size // side + 2
    which = rng.integers(0, few, (count, count))
    if rng.random() < 0.4:  # what is drawn by hand has areas
        which = np.maximum(which, np.roll(which, 1, 0)) if rng.random() < 0.5 else np.minimum(which, np.roll(which, 1, 1))
    y, x = rng.integers(0, side, 2)
    return np.kron(palette[which], np.ones((side, side, 1), int))[y:y + size, x:x + size].astype(np.uint8)


def screen(size: int, rng) -> np.ndarray:
    """A printer's dots, as large as the ramp under them is dark."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(3, 9)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    dots = np.cos(2 * np.pi * u / period) * np.cos(2 * np.pi * v / period)
    return painted(dots > np.linspace(rng.uniform(-0.9, 0.9), rng.uniform(-0.9, 0.9), size)[None, :], rng)


KINDS = {ramp_and_shapes: 0.4, page: 0.25, stripes: 0.07, chequers: 0.05, cells: 0.15, screen: 0.08}


def drawing(size: int, rng) -> np.ndarray:
    kinds = list(KINDS)
    return kinds[rng.choice(len(kinds), p=list(KINDS.values()))](size, rng)
