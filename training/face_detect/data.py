"""Pictures in memory with their faces, and the split of each source by file."""
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from warp import Pyramid

VALIDATION_EVERY = 20
REAL_VALIDATION_EVERY = 8
ALIGNED_SIDE = 320  # the aligned 512 px faces are kept at this side


@dataclass
class Labelled:
    """A picture with faces (n x 14) and boxes (m x 4) nobody is sure of, in its own px."""

    name: str
    picture: Pyramid
    faces: np.ndarray
    uncertain: np.ndarray


@dataclass
class Sources:
    """Everything `compose.py` draws from."""

    real: list[Labelled] = field(default_factory=list)          # with faces
    photographs: list[Labelled] = field(default_factory=list)   # backgrounds, mostly without
    aligned: list[tuple[Pyramid, np.ndarray]] = field(default_factory=list)


# What the eye found wrong among the pseudo-labels: file -> number of the face -> "none" or "uncertain",
# and under "more" the boxes of faces the teachers missed.
REVIEW = json.loads((Path(__file__).parent / "review.json").read_text())
POSSIBLE = 0.5              # below this score nothing is left alone: it teaches as background


def array(rows: list, width: int) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, width)


def kept(name: str, exclude: list[str]) -> bool:
    return not name.startswith(tuple(exclude) or ("\0",))


def reviewed(name: str, rows: list[dict]) -> list[tuple[dict, str]]:
    return [(row, REVIEW.get(name, {}).get(str(i), row["status"])) for i, row in enumerate(rows)]


def real_labels(root: Path) -> dict:
    return json.loads((root / "face-detect" / "labels.json").read_text())


def looked_at(points: list, again: list | None) -> list:
    """Landmarks of a close look where there is one."""
    return again or points


def real_picture(root: Path, name: str, label: dict, close: dict) -> Labelled:
    """`close`: what `label.py` saw when it looked again, by file name."""
    said = reviewed(name, label["faces"])
    again = close.get(name) or [None] * len(said)
    faces = [f["box"] + looked_at(sum(f["landmarks"], []), points) for (f, status), points in zip(said, again) if status == "face"]
    uncertain = [f["box"] for f, status in said if status in ("ignore", "uncertain")] + REVIEW.get(name, {}).get("more", [])
    picture = Image.open(root / "face-detect" / "images" / name).convert("RGB")
    return Labelled(name, Pyramid(picture), array(faces, 14), array(uncertain, 4))


def real_names(root: Path, part: str, exclude: list[str]) -> list[str]:
    """part: train, validation (every eighth of the train split) or eval (the published test split)."""
    labels = real_labels(root)
    split = sorted(n for n, v in labels.items() if v["split"] == ("eval" if part == "eval" else "train"))
    if part == "eval":
        return split
    return [n for i, n in enumerate(split) if (i % REAL_VALIDATION_EVERY == 0) == (part == "validation") and kept(n, exclude)]


def shared_with_tests(root: Path) -> set[str]:
    """Training photographs cut from a picture that validates or tests the detector."""
    labels = real_labels(root)
    held = {Path(labels[n]["file"]).name for part in ("eval", "validation") for n in real_names(root, part, [])}
    rows = [line.split("\t") for line in (root / "train-photo" / "manifest.tsv").read_text().splitlines()[1:]]
    return {row[0] for row in rows if Path(row[2]).name in held}


def by_twenty(files: list[Path], part: str) -> list[Path]:
    return [f for i, f in enumerate(sorted(files)) if (i % VALIDATION_EVERY == 0) == (part == "validation")]


def load(root: Path, pseudo: Path, part: str, exclude: list[str]) -> Sources:
    """part: train or validation. `pseudo` is what `label.py` wrote."""
    labels, guessed, sources = real_labels(root), json.loads(pseudo.read_text()), Sources()
    close = guessed.get("closely", {})
    for name in real_names(root, part, exclude):
        one = real_picture(root, name, labels[name], close)
        (sources.real if len(one.faces) else sources.photographs).append(one)
    taken = shared_with_tests(root)
    for file in by_twenty(list((root / "train-photo").glob("*.webp")), part):
        if file.name in taken or not kept(file.name, exclude):
            continue
        said = reviewed(file.name, guessed["photographs"][file.name])
        again = close.get(file.name) or [None] * len(said)
        faces = array([r["face"][:4] + looked_at(r["face"][4:], points) for (r, status), points in zip(said, again) if status == "face"], 14)
        uncertain = array([r["face"] for r, status in said if status == "uncertain" or (status == "ignore" and r["score"] >= POSSIBLE)], 14)[:, :4]
        one = Labelled(file.name, Pyramid(Image.open(file).convert("RGB")), faces, uncertain)
        sources.photographs.append(one)
        if len(faces):
            sources.real.append(one)
    for file in by_twenty(list((root / "train-face").glob("*.webp")), part):
        face = guessed["faces"].get(file.name)
        if face and kept(file.name, exclude):
            small = Image.open(file).convert("RGB").resize((ALIGNED_SIDE, ALIGNED_SIDE), Image.LANCZOS)
            sources.aligned.append((Pyramid(small), array([face], 14) * (ALIGNED_SIDE / 512)))
    return sources
