"""A checkpoint between two others of one run: what fine-tuning gained, with most of what it lost given back.

    python training/average.py --share 0.7 --out runs/general-noise-10/checkpoint.pt runs/general-noise-5/checkpoint.pt runs/general-noise-9/checkpoint.pt

Weights of one origin lie close enough to be averaged (Wortsman et al., Robust Fine-Tuning of Zero-Shot Models, CVPR 2022).
Also of two 8-bit checkpoints of one form, steps included.
"""
import argparse
from pathlib import Path

import torch


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--share", type=float, required=True, help="of AFTER, 0 to 1")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    before, after = (torch.load(f, weights_only=True, map_location="cpu") for f in (args.before, args.after))
    ema = {key: torch.lerp(before["ema"][key], value, args.share) for key, value in after["ema"].items()}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({**{key: after[key] for key in ("iteration", "busy", "config")}, "ema": ema}, args.out)


if __name__ == "__main__":
    main()
