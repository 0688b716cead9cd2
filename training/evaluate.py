"""Figures of an exported network on the test sets, through the same gate as the product, without its tiles.

    python training/evaluate.py --model models/general [--limit 10] [--json out.json]

`mingxi bench quality` prints the same sets through the product, and SSIM and SSIMULACRA 2 with them: those
judge what people get, so they are taken there alone. Here is what training is steered by. PSNR on 8-bit pictures: noise is
clipped and rounded, as in files. Test pictures are never used in training.
"""
import argparse
import json
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from analysis import (CLEAN_SIGMA, STANDARD_CHROMA_SUM, STANDARD_LUMA_SUM, conditions, evenness,
                      is_compressed, is_grey, noise_sigma, quantiser_scale, suffering, trust)
from earlier import find
from forms import back, turned
from lattice import before_enlarging, lattice, resized
from softness import SHARP, SOFT_ENLARGED, change, soft_trust, structure
from weigh import difference, grain_left, is_noise, may_be_noise, sample, trust_by

UNKNOWN = (0.0, 0.0, 0.0)
# As in `src/pipeline/steps/undersize.ts`.
UNDERSIZE_QUALITY = 70


def pictures(folder: Path, limit: int):
    for file in sorted(f for f in folder.iterdir() if f.suffix in (".webp", ".png", ".jpg"))[:limit]:
        yield file.stem, np.asarray(Image.open(file).convert("RGB"))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255 ** 2 / max(np.mean((a.astype(np.float64) - b) ** 2), 1e-4)))


def luma(x: np.ndarray) -> np.ndarray:
    """Studio-range BT.601 luma, unrounded: the literature's (and MATLAB's) Y."""
    return 16 + x.astype(np.float64) @ np.array([65.481, 128.553, 24.966]) / 255


def jpeg(x: np.ndarray, quality: int, subsampling: int = 2, grey: bool = False):
    buffer = BytesIO()
    picture = Image.fromarray(x).convert("L") if grey else Image.fromarray(x)
    options = {} if grey else {"subsampling": subsampling}
    picture.save(buffer, "JPEG", quality=quality, **options)
    decoded = Image.open(buffer)
    tables = decoded.quantization
    luma_scale = quantiser_scale(sum(tables[0]), STANDARD_LUMA_SUM)
    chroma_scale = quantiser_scale(sum(tables[1]), STANDARD_CHROMA_SUM) if 1 in tables else luma_scale
    known = (luma_scale, chroma_scale, 1.0 if not grey and subsampling == 2 else 0.0)
    return np.asarray(decoded.convert("RGB")), known


def noisy(x: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(np.rint(x + rng.normal(0, sigma, x.shape)), 0, 255).astype(np.uint8)


class Model:
    """The model's networks, chosen per picture as the product's gate chooses them."""

    def __init__(self, folder: Path, threads: int, precision: str):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        manifest = json.loads((folder / "manifest.json").read_text())
        self.forms = manifest.get("forms", ["as-is"])
        if "derivedFrom" in manifest:
            folder = folder.parent / manifest["derivedFrom"]
            manifest = json.loads((folder / "manifest.json").read_text())
        # One that there is in full precision alone serves in its place.
        usable = [n for wanted in ("fp32", precision) for n in manifest["networks"] if n.get("precision", "fp32") == wanted]
        self.networks = {n["when"]: (onnxruntime.InferenceSession(str(folder / n["file"]), options), n["conditions"]) for n in usable}

    def __call__(self, lq: np.ndarray, known) -> np.ndarray:
        earlier = find(lq, known[0], is_grey(lq))
        # What is repaired is the coarser compression.
        return self.deblurred(lq, earlier.known if earlier else known, self.repaired(lq, known, earlier))

    def repaired(self, lq: np.ndarray, known, earlier) -> np.ndarray:
        """Without compression and noise; the source itself where it is copied."""
        coarseness, told_tables = known[0], known != UNKNOWN
        trusted = trust(lq, coarseness, told_tables, earlier and earlier.quality)
        top, left = 0, 0
        which = suffering(lq, known != UNKNOWN, noise_sigma(lq), earlier and earlier.quality)
        if earlier:
            # What is repaired is the coarser compression, and its blocks are to lie where a file's do.
            known, top, left = earlier.known, -earlier.top % 8, -earlier.left % 8
        if which == "compression" and "noise" in self.networks and known != UNKNOWN and may_be_noise(lq, known[0]):
            halves = [self.restored_sample(half, lq, known) for half in ("noise", "compression")]
            which = "noise" if is_noise(lq, *halves) else which
        measured = which == "noise" and not is_compressed(lq, coarseness, told_tables, earlier is not None)
        if measured and "noise" in self.networks and noise_sigma(lq) < CLEAN_SIGMA:
            taken = difference(self.restored_sample("noise", lq, known), sample(lq))
            if taken is None or trust_by(taken, evenness(lq)) == 0:
                trusted = 0
        if trusted == 0:
            return lq
        out = self.in_blocks(which if which in self.networks else "any", lq, known, top, left)
        taken = difference(sample(out), sample(lq)) if which == "noise" else None
        if taken and measured:
            trusted = trust_by(taken, evenness(lq))
            if trusted == 0:
                return lq
        return blended(out, lq, trusted * (1 - grain_left(taken[0])) if taken else trusted)

    def deblurred(self, lq: np.ndarray, known, repaired: np.ndarray) -> np.ndarray:
        """What was repaired, or the source, without its blur, as far as the product believes that there is some."""
        part = sample(repaired)
        seen = structure(part) if "blur" in self.networks and (repaired is not lq or noise_sigma(lq) < CLEAN_SIGMA) else None
        if seen is None or seen[1] >= SHARP:
            return repaired
        _, finest, blocks = seen
        told = conditions(self.networks["blur"][1], known, lq)
        changed, coarseness = change(part, self.restored("blur", part, told), blocks), conditions(["luma_quantiser"], known, lq)[0]
        found, period = lattice(lq)
        share = soft_trust(finest, changed, coarseness, found)
        if share > 0:
            height, width = lq.shape[:2]
            padded = np.pad(repaired, ((0, -height % 8), (0, -width % 8), (0, 0)), "reflect")
            repaired = blended(self.in_forms("blur", padded, told)[:height, :width], repaired, share)
        return self.at_own_size(lq, repaired, period) if found >= SOFT_ENLARGED else repaired

    def at_own_size(self, lq: np.ndarray, repaired: np.ndarray, period: float) -> np.ndarray:
        """With the compression repaired that the picture went through when it was smaller."""
        before = before_enlarging(lq, period, is_grey(lq))
        if before is None or before[0].quality >= UNDERSIZE_QUALITY:
            return repaired
        earlier, size = before
        small = resized(repaired, size)
        changed = self.in_blocks("compression", small, earlier.known, -earlier.top % 8, -earlier.left % 8).astype(int) - small
        change_there = resized(np.clip(changed + 128, 0, 255).astype(np.uint8), lq.shape[1::-1]).astype(int) - 128
        return np.clip(repaired + change_there, 0, 255).astype(np.uint8)

    def in_blocks(self, which: str, picture: np.ndarray, known, top: int, left: int) -> np.ndarray:
        """By one network; `top` and `left`: pixels before the picture, so that its blocks lie where a file's do."""
        height, width = picture.shape[:2]
        padded = np.pad(picture, ((top, -(height + top) % 8), (left, -(width + left) % 8), (0, 0)), "reflect")
        told = conditions(self.networks[which][1], known, picture)
        return self.in_forms(which, padded, told)[top:top + height, left:left + width]

    def restored_sample(self, which: str, lq: np.ndarray, known) -> np.ndarray:
        return self.restored(which, sample(lq), conditions(self.networks[which][1], known, lq))

    def in_forms(self, which: str, picture: np.ndarray, told: np.ndarray) -> np.ndarray:
        """Mean over the forms of the tier; sides in multiples of 8."""
        results = [back(self.restored(which, turned(picture, form), told), form) for form in self.forms]
        return np.floor(np.mean(results, axis=0) + 0.5).astype(np.uint8)

    def restored(self, which: str, picture: np.ndarray, told: np.ndarray) -> np.ndarray:
        return self.networks[which][0].run(None, {"picture": picture[None], "conditions": told[None]})[0][0]


def blended(result: np.ndarray, source: np.ndarray, share: float) -> np.ndarray:
    """Rounded half up, as the product blends."""
    return result if share == 1 else np.floor(source + share * (result.astype(np.float64) - source) + 0.5).astype(np.uint8)


def tests(data: Path, limit: int):
    """(set, picture, GT, LQ, what is known, measure)."""
    for name, gt in pictures(data / "LIVE1", limit):
        for quality in (10, 20, 30, 40, 60, 80, 90, 95):
            yield f"live1-jpeg-q{quality}", name, gt, *jpeg(gt, quality), "rgb"
        grey = np.repeat(np.clip(np.rint(luma(gt)), 0, 255).astype(np.uint8)[..., None], 3, 2)
        first, _ = jpeg(grey, 10, grey=True)
        lq, known = jpeg(first[4:, 4:], 50, grey=True)
        yield "live1-double-10-50", name, grey[4:, 4:], lq, known, "grey"
        yield "clean-live1", name, gt, gt, UNKNOWN, "rgb"
    for index, (name, gt) in enumerate(pictures(data / "CBSD68", limit)):
        for sigma in (15, 25, 50):
            yield f"cbsd68-noise-{sigma}", name, gt, noisy(gt, sigma, 1000 * sigma + index), UNKNOWN, "rgb"
    for name, gt in pictures(data / "McMaster", limit):
        yield "clean-mcmaster", name, gt, gt, UNKNOWN, "rgb"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data" / "test")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    model = Model(args.model, args.threads, args.precision)
    rows: dict[str, list] = {}
    for name, picture, gt, lq, known, measure in tests(args.data, args.limit):
        out = model(lq, known)
        view = (lambda x: x[..., 0]) if measure == "grey" else (lambda x: x)
        before, after = psnr(view(lq), view(gt)), psnr(view(out), view(gt))
        rows.setdefault(name, []).append((picture, before, after))
    summary = {}
    print(f"{'set':24} {'input':>7} {'output':>7} {'gain':>6} {'better':>6} {'worst':>6}")
    for name, values in rows.items():
        before, after = np.array([v[1] for v in values]), np.array([v[2] for v in values])
        gain = after - before
        summary[name] = {"input": before.mean(), "output": after.mean(), "gain": gain.mean(),
                         "better": float((gain > 0).mean()), "worstDecile": float(np.percentile(gain, 10)),
                         "lowest": float(after.min())}
        clean = name.startswith("clean")
        print(f"{name:24} {before.mean():7.2f} {after.mean():7.2f} {0 if clean else gain.mean():6.2f} "
              f"{(gain > 0).mean():6.0%} {after.min() if clean else gain.min():6.2f}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
