"""Window functions by name, as `scipy.signal.get_window` gives them.

Windows are made with NumPy in 64 bits when a program is traced: they are constants of it.
Those of spectral analysis are periodic: one point longer than asked for, less the last.

The formulas are those of F. J. Harris, "On the use of windows for harmonic analysis with the
discrete Fourier transform", Proc. IEEE 66 (1978), and, where noted, of others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["named_window"]

Points = np.ndarray[Any, np.dtype[Any]]


def _unit(n: int) -> Points:
    """n points from -1 to 1."""
    return np.linspace(-1.0, 1.0, n)


def _steps(n: int) -> Points:
    """Whole numbers, or halves, around 0."""
    return np.arange(n) - (n - 1) / 2


def general_cosine(n: int, coefficients: Any) -> Points:
    angle = np.pi * _unit(n)
    terms: Any = [a * np.cos(k * angle) for k, a in enumerate(coefficients)]
    return np.sum(terms, axis=0)  # type: ignore[no-any-return]


def general_hamming(n: int, alpha: float) -> Points:
    return general_cosine(n, [alpha, 1 - alpha])


def triangle(n: int) -> Points:
    half = (n + 1) / 2 if n % 2 else n / 2
    return 1 - np.abs(_steps(n)) / half


def parzen(n: int) -> Points:
    """Parzen, "Mathematical considerations in the estimation of spectra" (1961)."""
    t = np.abs(_steps(n)) / (n / 2)
    return np.where(t <= 0.5, 1 - 6 * t**2 * (1 - t), 2 * (1 - t) ** 3)


def bohman(n: int) -> Points:
    t = np.abs(_unit(n))
    w = (1 - t) * np.cos(np.pi * t) + np.sin(np.pi * t) / np.pi
    w[[0, -1]] = 0.0
    return w


def bartlett_hann(n: int) -> Points:
    """Ha and Pearce, "A new window and comparison to standard windows" (1989)."""
    t = _unit(n) / 2
    return 0.62 - 0.48 * np.abs(t) + 0.38 * np.cos(2 * np.pi * t)


def cosine(n: int) -> Points:
    return np.sin(np.pi / n * (np.arange(n) + 0.5))


def lanczos(n: int) -> Points:
    return np.sinc(_unit(n))


def exponential(n: int, center: float | None = None, tau: float = 1.0) -> Points:
    middle = (n - 1) / 2 if center is None else center
    return np.exp(-np.abs(np.arange(n) - middle) / tau)


def tukey(n: int, alpha: float = 0.5) -> Points:
    """Bloomfield, "Fourier Analysis of Time Series" (1976): a bar with cosines for flanks."""
    if alpha <= 0:
        return np.ones(n)
    alpha = min(alpha, 1.0)
    inward = (1 - np.abs(_unit(n))) / alpha  # 0 at the ends, 1 where the flat part begins
    return np.where(inward < 1, 0.5 * (1 - np.cos(np.pi * inward)), 1.0)


def kaiser(n: int, beta: float) -> Points:
    return np.kaiser(n, beta)


def gaussian(n: int, std: float) -> Points:
    return general_gaussian(n, 1.0, std)


def general_gaussian(n: int, p: float, sig: float) -> Points:
    return np.exp(-0.5 * np.abs(_steps(n) / sig) ** (2 * p))


def chebyshev(n: int, at: float) -> Points:
    """Dolph, "A current distribution for broadside arrays" (1946): equal side lobes, `at`
    decibels below the main one, from the samples of a Chebyshev polynomial."""
    order = n - 1
    x = np.cosh(np.arccosh(10 ** (abs(at) / 20)) / order) * np.cos(np.pi * np.arange(n) / n)
    size = np.abs(x)
    outside = np.cosh(order * np.arccosh(np.maximum(size, 1.0)))
    inside = np.cos(order * np.arccos(np.clip(x, -1.0, 1.0)))
    # T_n has the parity of n. The samples of even orders are shifted by half a step.
    p = np.where(size > 1, np.where(x < 0, (-1.0) ** order, 1.0) * outside, inside)
    if n % 2:
        w = np.real(np.fft.fft(p))
        half = w[: (n + 1) // 2]
        w = np.concatenate([half[:0:-1], half])
    else:
        w = np.real(np.fft.fft(p * np.exp(1j * np.pi * np.arange(n) / n)))
        half = w[1 : n // 2 + 1]
        w = np.concatenate([half[::-1], half])
    return w / np.max(w)  # type: ignore[no-any-return]


def slepian(n: int, bandwidth: float) -> Points:
    """Slepian, "Prolate spheroidal wave functions V" (1978): of all windows that with the most
    energy within the band, an eigenvector of a tridiagonal matrix."""
    k = np.arange(n)
    diagonal = ((n - 1 - 2 * k) / 2) ** 2 * np.cos(2 * np.pi * bandwidth / n)
    beside = k[1:] * (n - k[1:]) / 2
    matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    w = np.abs(np.linalg.eigh(matrix)[1][:, -1])
    w = w / np.max(w)
    if n % 2 == 0:  # the peak lies between two points
        w *= n**2 / (n**2 + bandwidth)
    return w  # type: ignore[no-any-return]


def taylor(n: int, nbar: int = 4, sll: float = 30, norm: bool = True) -> Points:
    """Taylor, "Design of line source antennas" (1955): the first `nbar` side lobes about equal,
    `sll` decibels below the main one, later ones falling."""
    a = np.arccosh(10 ** (sll / 20)) / np.pi
    spread = nbar**2 / (a**2 + (nbar - 0.5) ** 2)
    orders = np.arange(1, nbar)
    terms = []
    for m in orders:
        others = orders[orders != m]
        above = np.prod(1 - m**2 / spread / (a**2 + (orders - 0.5) ** 2))
        below = 2 * np.prod(1 - m**2 / others**2)
        terms.append(-((-1.0) ** m) * above / below)
    weights = np.asarray(terms)

    def at(steps: Any) -> Any:
        return 1 + 2 * weights @ np.cos(2 * np.pi * np.outer(orders, steps) / n)

    w = at(_steps(n))
    return w / at(np.zeros(1)) if norm else w  # type: ignore[no-any-return]


_COSINES: dict[str, list[float]] = {
    "hann": [0.5, 0.5],
    "hamming": [0.54, 0.46],
    "blackman": [0.42, 0.5, 0.08],
    "blackmanharris": [0.35875, 0.48829, 0.14128, 0.01168],
    # Nuttall, "Some windows with very good sidelobe behavior" (1981).
    "nuttall": [0.3635819, 0.4891775, 0.1365995, 0.0106411],
    # D'Antona and Ferrero, "Digital Signal Processing for Measurement Systems" (2006).
    "flattop": [0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368],
}
# By name: how it is made, and how many parameters it needs at least.
_WINDOWS: dict[str, tuple[Callable[..., Points], int]] = {
    "boxcar": (np.ones, 0),
    "triang": (triangle, 0),
    "bartlett": (lambda n: 1 - np.abs(_unit(n)), 0),
    "parzen": (parzen, 0),
    "bohman": (bohman, 0),
    "barthann": (bartlett_hann, 0),
    "cosine": (cosine, 0),
    "lanczos": (lanczos, 0),
    "exponential": (exponential, 0),
    "tukey": (tukey, 0),
    "taylor": (taylor, 0),
    "kaiser": (kaiser, 1),
    "gaussian": (gaussian, 1),
    "general_cosine": (general_cosine, 1),
    "general_gaussian": (general_gaussian, 2),
    "general_hamming": (general_hamming, 1),
    "chebwin": (chebyshev, 1),
    "dpss": (slepian, 1),
}
_OTHER_NAMES = {
    "han": "hann", "ham": "hamming", "hamm": "hamming", "black": "blackman",
    "blk": "blackman", "bart": "bartlett", "brt": "bartlett", "bkh": "blackmanharris",
    "blackharr": "blackmanharris", "nut": "nuttall", "flat": "flattop",
    "flt": "flattop", "box": "boxcar", "ones": "boxcar", "rect": "boxcar",
    "rectangular": "boxcar", "tri": "triang", "triangle": "triang", "par": "parzen",
    "parz": "parzen", "bman": "bohman", "bmn": "bohman", "brthan": "barthann", "bth": "barthann",
    "halfcosine": "cosine", "sinc": "lanczos", "poisson": "exponential", "tuk": "tukey",
    "taylorwin": "taylor", "ksr": "kaiser", "gauss": "gaussian", "gss": "gaussian",
    "cheb": "chebwin",
}  # fmt: skip


def named_window(name: str, window: str | tuple[Any, ...], n: int) -> Points:
    """The periodic window of `n` points of that name, in float64.

    Args:
        name: the function it was given to, for messages.
        window: a name, or a tuple of a name and the window's parameters.
        n: how many points.

    Raises:
        ValueError: an unknown name, or parameters are missing.

    >>> named_window("stft", "hann", 4)
    array([0. , 0.5, 1. , 0.5])
    """
    title, *parameters = (window,) if isinstance(window, str) else window
    title = _OTHER_NAMES.get(title, title)
    if title in _COSINES:
        make, parameters, needed = general_cosine, [_COSINES[title]], 1
    elif title in _WINDOWS:
        make, needed = _WINDOWS[title]
    else:
        known = ", ".join(sorted((*_COSINES, *_WINDOWS)))
        raise ValueError(f"jx.scipy.signal.{name}: unknown window {title!r}; there are {known}")
    if len(parameters) < needed:
        raise ValueError(
            f"jx.scipy.signal.{name}: the window {title!r} needs parameters: write them after its "
            f"name in a tuple, such as ('kaiser', 8.0); got window={window!r}"
        )
    return np.ones(n) if n <= 1 else make(n + 1, *parameters)[:-1]
