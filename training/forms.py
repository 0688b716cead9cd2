"""The eight ways a picture can lie, by the names that manifests give them (`src/imaging/forms.ts`): `x`
mirrored left to right, `y` top to bottom, `t` then transposed."""
import numpy as np

FORMS = ("as-is", "x", "y", "xy", "t", "xt", "yt", "xyt")


def turned(picture: np.ndarray, form: str) -> np.ndarray:
    x, y, transposed = _parts(form)
    picture = picture[::-1 if y else 1, ::-1 if x else 1]
    return np.ascontiguousarray(picture.transpose(1, 0, 2) if transposed else picture)


def back(picture: np.ndarray, form: str) -> np.ndarray:
    x, y, transposed = _parts(form)
    picture = picture.transpose(1, 0, 2) if transposed else picture
    return picture[::-1 if y else 1, ::-1 if x else 1]


def _parts(form: str) -> tuple[bool, bool, bool]:
    return ("x" in form, "y" in form, "t" in form) if form != "as-is" else (False, False, False)
