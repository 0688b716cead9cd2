"""Full-reference measures on 8-bit pictures, none of which needs downloaded weights.

SSIM: Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004. FSIM: Zhang, Zhang, Mou, Zhang, IEEE TIP
20(8), 2011, with phase congruency after Kovesi, Videre 1(3), 1999 (4 scales, 4 orientations, the
constants of the paper). Both on luma, HxW float64 0..255.
"""
import numpy as np


def luma(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64) @ np.array([0.299, 0.587, 0.114])


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255 ** 2 / max(np.mean((a.astype(np.float64) - b) ** 2), 1e-4)))


def _window(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Separable filter, valid part only."""
    x = np.apply_along_axis(np.convolve, 0, x, kernel, "valid")
    return np.apply_along_axis(np.convolve, 1, x, kernel, "valid")


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Mean SSIM, 11x11 Gaussian of sigma 1.5."""
    kernel = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    kernel /= kernel.sum()
    mean_a, mean_b = _window(a, kernel), _window(b, kernel)
    var_a = _window(a * a, kernel) - mean_a ** 2
    var_b = _window(b * b, kernel) - mean_b ** 2
    both = _window(a * b, kernel) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float((((2 * mean_a * mean_b + c1) * (2 * both + c2)) / ((mean_a ** 2 + mean_b ** 2 + c1) * (var_a + var_b + c2))).mean())


SCALES, ORIENTATIONS, SHORTEST, STEP, SIGMA_F, SIGMA_THETA = 4, 4, 6, 2, 0.55, np.pi / 4 / 1.2
NOISE_K, EPSILON = 2.0, 1e-4


def _filters(height: int, width: int):
    """Log-Gabor radial parts per scale and angular spreads per orientation, in FFT order."""
    fx = np.fft.fftfreq(width)[None, :]
    fy = np.fft.fftfreq(height)[:, None]
    radius = np.sqrt(fx ** 2 + fy ** 2)
    theta = np.arctan2(-fy, fx)
    lowpass = 1 / (1 + (radius / 0.45) ** 30)
    radius[0, 0] = 1
    radial = []
    for scale in range(SCALES):
        centre = 1 / (SHORTEST * STEP ** scale)
        gabor = np.exp(-np.log(radius / centre) ** 2 / (2 * np.log(SIGMA_F) ** 2)) * lowpass
        gabor[0, 0] = 0
        radial.append(gabor)
    spread = []
    for orientation in range(ORIENTATIONS):
        angle = orientation * np.pi / ORIENTATIONS
        ds = np.sin(theta) * np.cos(angle) - np.cos(theta) * np.sin(angle)
        dc = np.cos(theta) * np.cos(angle) + np.sin(theta) * np.sin(angle)
        spread.append(np.exp(-np.arctan2(ds, dc) ** 2 / (2 * SIGMA_THETA ** 2)))
    return radial, spread


def phase_congruency(x: np.ndarray) -> np.ndarray:
    """Kovesi's phase congruency, noise-compensated, summed over orientations; 0..1."""
    radial, spread = _filters(*x.shape)
    spectrum = np.fft.fft2(x)
    energy_all, amplitude_all = np.zeros_like(x), np.zeros_like(x)
    for angular in spread:
        responses = [np.fft.ifft2(spectrum * gabor * angular) for gabor in radial]
        amplitudes = [np.abs(r) for r in responses]
        total = sum(responses)
        norm = np.sqrt(total.real ** 2 + total.imag ** 2) + EPSILON
        even, odd = total.real / norm, total.imag / norm
        energy = sum(r.real * even + r.imag * odd - np.abs(r.real * odd - r.imag * even) for r in responses)
        # Noise power from the smallest scale (median of a Rayleigh distribution), carried to all scales.
        power = -np.median(amplitudes[0] ** 2) / np.log(0.5) / max(np.sum((radial[0] * angular) ** 2), 1e-12)
        sums = sum(np.sum((g * angular) ** 2) for g in radial)
        cross = sum(np.sum(radial[i] * radial[j] * angular ** 2) for i in range(SCALES) for j in range(i + 1, SCALES))
        noise_energy = 2 * power * sums + 4 * power * cross
        tau = np.sqrt(noise_energy / 2)
        threshold = (tau * np.sqrt(np.pi / 2) + NOISE_K * np.sqrt((2 - np.pi / 2) * tau ** 2)) / 1.7
        energy_all += np.maximum(energy - threshold, 0)
        amplitude_all += sum(amplitudes)
    return energy_all / np.maximum(amplitude_all, 1e-12)


def _gradient(x: np.ndarray) -> np.ndarray:
    """Scharr magnitude, edges repeated."""
    p = np.pad(x, 1, "edge")
    dx = (3 * (p[:-2, 2:] - p[:-2, :-2]) + 10 * (p[1:-1, 2:] - p[1:-1, :-2]) + 3 * (p[2:, 2:] - p[2:, :-2])) / 16
    dy = (3 * (p[2:, :-2] - p[:-2, :-2]) + 10 * (p[2:, 1:-1] - p[:-2, 1:-1]) + 3 * (p[2:, 2:] - p[:-2, 2:])) / 16
    return np.sqrt(dx ** 2 + dy ** 2)


def _reduced(x: np.ndarray) -> np.ndarray:
    """Averaged down until the short side is about 256, as the authors' code does."""
    factor = max(1, round(min(x.shape) / 256))
    if factor == 1:
        return x
    height, width = x.shape[0] // factor * factor, x.shape[1] // factor * factor
    return x[:height, :width].reshape(height // factor, factor, width // factor, factor).mean((1, 3))


def fsim(a: np.ndarray, b: np.ndarray) -> float:
    a, b = _reduced(a), _reduced(b)
    pc_a, pc_b, g_a, g_b = phase_congruency(a), phase_congruency(b), _gradient(a), _gradient(b)
    t1, t2 = 0.85, 160
    similar = (2 * pc_a * pc_b + t1) / (pc_a ** 2 + pc_b ** 2 + t1) * (2 * g_a * g_b + t2) / (g_a ** 2 + g_b ** 2 + t2)
    weight = np.maximum(pc_a, pc_b)
    return float((similar * weight).sum() / max(weight.sum(), 1e-12))
