"""PSNR, SSIM and FSIM of the face stage against the general network and the input, by the pictures of `scripts/face-gain.ts`.

    npx tsx scripts/face-gain.ts FOLDER-OF-TEST-FACES --step 1 --pictures DIR > gain.jsonl
    python training/face_stage.py DIR
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from metrics import fsim, luma, psnr, ssim


def main():
    rows = []
    for file in sorted(Path(sys.argv[1]).glob("*-truth.png")):
        stem = file.name[:-len("-truth.png")]
        shown = {what: np.asarray(Image.open(file.with_name(f"{stem}-{what}.png")).convert("RGB")) for what in ("truth", "input", "general", "stage")}
        truth = shown.pop("truth")
        known = luma(truth)
        rows.append((stem.split("-")[0], {what: (psnr(x, truth), ssim(luma(x), known), fsim(luma(x), known)) for what, x in shown.items()}))
    print("| harm (faces) | measure | input | general | stage | better than input | than general | no worse than general | worst |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind in ("light", "portrait", "all"):
        chosen = [values for name, values in rows if kind in (name, "all")]
        for i, (measure, within, digits) in enumerate((("PSNR", 0.005, 2), ("SSIM", 5e-5, 4), ("FSIM", 5e-5, 4))):
            mean = [np.mean([v[what][i] for v in chosen]) for what in ("input", "general", "stage")]
            gains = np.array([v["stage"][i] - v["general"][i] for v in chosen])
            over = np.mean([v["stage"][i] > v["input"][i] for v in chosen])
            print(f"| {kind} ({len(chosen)}) | {measure} | " + " | ".join(f"{m:.{digits}f}" for m in mean)
                  + f" | {over:.0%} | {np.mean(gains > 0):.0%} | {np.mean(gains > -within):.0%} | {gains.min():+.{digits}f} |")


if __name__ == "__main__":
    main()
