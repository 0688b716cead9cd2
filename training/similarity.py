"""SSIM and FSIM of `metrics.py` as losses: the same formulas in torch, differentiable, on crops.

SSIM per sample over the valid part; FSIM on 2x2 means, as the authors' code reduces a face of 512 px. The noise
threshold of phase congruency is taken as a constant of the picture (no gradient through its median).
"""
import math
from functools import lru_cache

import torch
import torch.nn.functional as F

from metrics import EPSILON, NOISE_K, ORIENTATIONS, SCALES, _filters

LUMA = (0.299, 0.587, 0.114)


def luma(x):
    """NCHW [0,1] RGB -> N1HW, 0..255."""
    return 255 * (x * torch.tensor(LUMA, dtype=x.dtype, device=x.device)[:, None, None]).sum(1, keepdim=True)


@lru_cache(4)
def _band(size: int, device: str):
    """size x (size-10) matrix of the Gaussian window: a product is ten times faster than a one-channel convolution."""
    place = torch.arange(size, dtype=torch.float32)[:, None] - torch.arange(size - 10) - 5
    band = torch.exp(-0.5 * (place / 1.5) ** 2) * (place.abs() <= 5)
    return (band / band.sum(0)).to(device)


def _window(x):
    return _band(x.shape[2], x.device.type).T @ x @ _band(x.shape[3], x.device.type)


def ssim(a, b):
    """Two N1HW pictures -> N means."""
    mean_a, mean_b, square_a, square_b, product = _window(torch.cat([a, b, a * a, b * b, a * b], 0)).chunk(5)
    var_a, var_b, both = square_a - mean_a ** 2, square_b - mean_b ** 2, product - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similar = (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a ** 2 + mean_b ** 2 + c1) * (var_a + var_b + c2))
    return similar.mean((1, 2, 3))


@lru_cache(4)
def _bank(height: int, width: int, device: str):
    """ORIENTATIONS x SCALES x H x W filters, and what the noise energy of each orientation is made of."""
    radial, spread = _filters(height, width)
    bank, powers, energies = [], [], []
    for angular in spread:
        bank.append(torch.stack([torch.from_numpy(g * angular).float() for g in radial]))
        powers.append(1 / max(((radial[0] * angular) ** 2).sum(), 1e-12) / -math.log(0.5))
        sums = sum(((g * angular) ** 2).sum() for g in radial)
        cross = sum((radial[i] * radial[j] * angular ** 2).sum() for i in range(SCALES) for j in range(i + 1, SCALES))
        energies.append(2 * sums + 4 * cross)
    return torch.stack(bank).to(device), [p * e for p, e in zip(powers, energies)]


def phase_congruency(x):
    """NHW -> NHW, 0..1."""
    bank, noises = _bank(*x.shape[1:], x.device.type)
    spectrum = torch.fft.fft2(x)
    energy_all = amplitude_all = 0
    for orientation in range(ORIENTATIONS):
        responses = torch.fft.ifft2(spectrum[:, None] * bank[orientation])
        even, odd = responses.real, responses.imag
        amplitudes = torch.sqrt(even ** 2 + odd ** 2 + 1e-8)
        sum_even, sum_odd = even.sum(1, keepdim=True), odd.sum(1, keepdim=True)
        norm = torch.sqrt(sum_even ** 2 + sum_odd ** 2 + 1e-8) + EPSILON
        mean_even, mean_odd = sum_even / norm, sum_odd / norm
        energy = (even * mean_even + odd * mean_odd - (even * mean_odd - odd * mean_even).abs()).sum(1)
        with torch.no_grad():
            median = (amplitudes[:, 0] ** 2).flatten(1).median(1).values
            tau = torch.sqrt(median * noises[orientation] / 2)
            threshold = tau * (math.sqrt(math.pi / 2) + NOISE_K * math.sqrt(2 - math.pi / 2)) / 1.7
        energy_all = energy_all + F.relu(energy - threshold[:, None, None])
        amplitude_all = amplitude_all + amplitudes.sum(1)
    return energy_all / amplitude_all.clamp_min(1e-6)


def _gradient(x):
    """Scharr magnitude of NHW, edges repeated."""
    p = F.pad(x[:, None], (1, 1, 1, 1), "replicate")
    kernel = torch.tensor([[-3., 0, 3], [-10, 0, 10], [-3, 0, 3]], device=x.device) / 16
    both = F.conv2d(p, torch.stack([kernel, kernel.T])[:, None])
    return torch.sqrt((both ** 2).sum(1) + 1e-6)


def fsim(a, b):
    """Two N1HW pictures at full size -> N similarities; no gradient through b."""
    a, b = F.avg_pool2d(a, 2)[:, 0], F.avg_pool2d(b, 2)[:, 0]
    with torch.no_grad():
        pc_b, g_b = phase_congruency(b), _gradient(b)
    pc_a, g_a = phase_congruency(a), _gradient(a)
    t1, t2 = 0.85, 160
    similar = (2 * pc_a * pc_b + t1) / (pc_a ** 2 + pc_b ** 2 + t1) * (2 * g_a * g_b + t2) / (g_a ** 2 + g_b ** 2 + t2)
    weight = torch.maximum(pc_a, pc_b)
    return (similar * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1e-6)
