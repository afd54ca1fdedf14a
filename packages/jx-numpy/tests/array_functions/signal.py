"""Calls of `jx.scipy.signal`: convolutions, correlations, trends, spectra."""

import numpy as np

import jx_numpy.scipy.signal as s

from .call import of


def draw(*shape, seed=0):
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def complex_draw(*shape, seed=0):
    return draw(*shape, seed=seed) + 1j * draw(*shape, seed=seed + 1)


MODES = ("full", "same", "valid")
LINE, SHORT = draw(7), draw(4)
CUBE, SMALL = draw(3, 4, 2), draw(2, 2, 2)
IMAGE, KERNEL = draw(5, 6), draw(2, 3)

CONVOLUTIONS = [
    of(f, a, b, mode=mode, **options).having(
        moving=(0, 1) if a.dtype == np.float64 else (), atol=1e-12 if a.itemsize > 4 else 1e-5
    )
    for f, methods in ((s.convolve, ("direct", "fft")), (s.correlate, ("direct", "fft")))
    for options in [{} if m is None else {"method": m} for m in methods]
    for mode in MODES
    for a, b in (
        (LINE, SHORT), (SHORT, LINE), (CUBE, SMALL),
        (complex_draw(7), complex_draw(4)),
    )
] + [
    of(s.fftconvolve, draw(3, 6), draw(3, 4), mode=mode, axes=axes).having(
        moving=(0, 1), atol=1e-12)
    for mode in MODES for axes in (1, [-1])
] + [
    of(s.fftconvolve, draw(3, 6), draw(1, 4), axes=(1,)).having(moving=(0, 1), atol=1e-12),
    of(s.convolve, draw(2, 5), draw(3, 2)).having(moving=(0, 1), atol=1e-12),
    of(s.convolve, LINE.astype(np.float32), SHORT.astype(np.float32), method="fft", mode="same")
    .having(atol=1e-5),
    of(s.fftconvolve, LINE[:1], SHORT, mode="same"),
    of(s.convolve, LINE, SHORT, precision="highest").having(
        expected=lambda a, b, precision: np.convolve(a, b), atol=1e-12),
    of(s.correlate, LINE, SHORT, precision="highest").having(
        expected=lambda a, b, precision: np.correlate(a, b, "full"), atol=1e-12),
    of(s.convolve, np.arange(5), np.arange(3)).having(dtype=np.float64),
]  # fmt: skip

PLANES = [
    of(f, a, b, mode=mode, **options).having(
        moving=(0, 1) if a.dtype == np.float64 else (), atol=1e-12
    )
    for f in (s.convolve2d, s.correlate2d)
    for mode in MODES
    for a, b, options in (
        (IMAGE, KERNEL, {}),
        (KERNEL, IMAGE, {}),
        (complex_draw(4, 3), complex_draw(2, 2), {}),
        (complex_draw(2, 2), complex_draw(4, 3), {}),
        (IMAGE, KERNEL, {"boundary": "wrap"}),
        (KERNEL, IMAGE, {"boundary": "symm"}),
        (IMAGE, KERNEL, {"fillvalue": 2.5}),
    )
]

TRENDS = [
    of(s.detrend, x, **options).having(
        moving=(0,) if x.dtype == np.float64 else (), atol=1e-12 if x.itemsize > 4 else 1e-5
    )
    for x in (draw(9), draw(9).astype(np.float32), complex_draw(9), np.arange(9))
    for options in ({}, {"type": "constant"}, {"bp": 4}, {"bp": [2, 5]})
] + [
    of(s.detrend, draw(3, 4, 2), axis=1, type=kind).having(moving=(0,), atol=1e-12)
    for kind in ("linear", "constant")
]

SIGNAL, OTHER = draw(24), draw(24, seed=1)
KAISER = np.kaiser(8, 4.0)


def last_time(result):
    """Signals only: SciPy gives times of another axis where there are several."""
    return result[1]


SPECTRA = [
    of(f, *operands, **{"nperseg": 8, **options}).having(
        moving=tuple(range(len(operands))) if order else (), order=order, atol=1e-12
    )
    for f, operands in (
        (s.welch, (draw(2, 24),)), (s.csd, (SIGNAL, OTHER[:20])), (s.stft, (SIGNAL,)),
    )
    for options, order in (
        ({}, 2), ({"noverlap": 0, "fs": 10.0}, 2), ({"noverlap": 6, "nfft": 12}, 0),
        ({"return_onesided": False, "window": "blackman"}, 1),
        ({"detrend": "linear", "window": ("tukey", 0.3)}, 1), ({"detrend": False}, 0),
        ({"window": KAISER}, 1), ({"nperseg": 7, "nfft": 9}, 0),
        *([({"average": "median"}, 0), ({"scaling": "spectrum"}, 0)] if f is not s.stft else [
            ({"boundary": b, "padded": p}, 0)
            for b in ("even", "odd", "constant", None) for p in (True, False)
        ]),
    )
] + [
    of(f, *[np.moveaxis(x, 1, 0).copy() for x in operands], nperseg=6, axis=0).having(atol=1e-12)
    for f, operands in (
        (s.welch, (draw(2, 24),)), (s.csd, (draw(2, 24), draw(1, 24))), (s.stft, (draw(2, 24),))
    )
] + [
    of(f, *operands, nperseg=8, return_onesided=False).having(atol=1e-12)
    for f, operands in (
        (s.welch, (complex_draw(24),)), (s.csd, (complex_draw(24), complex_draw(24, seed=4))),
        (s.stft, (complex_draw(24),)),
    )
] + [
    of(f, SIGNAL.astype(np.float32), nperseg=8).having(atol=1e-5) for f in (s.welch, s.stft)
]  # fmt: skip

INVERSES = [
    of(s.istft, complex_draw(*shape), **options).having(
        moving=(0,), atol=1e-12, view=last_time
    )
    for shape, options in (
        ((5, 6), {}), ((5, 6), {"noverlap": 6}), ((5, 6), {"nfft": 8, "nperseg": 6}),
        ((2, 5, 6), {"window": ("kaiser", 5.0), "fs": 3.0}), ((5, 6), {"nperseg": 9}),
        ((8, 6), {"input_onesided": False}), ((5, 6), {"boundary": False, "window": "hamming"}),
        ((6, 5, 2), {"time_axis": 0, "freq_axis": 1}),
        ((2, 5, 6), {"time_axis": 2, "freq_axis": 1, "noverlap": 3, "window": KAISER}),
    )
] + [of(s.istft, complex_draw(5, 6), fs=2.0).having(atol=1e-12)]  # fmt: skip

CALLS = CONVOLUTIONS + PLANES + TRENDS + SPECTRA + INVERSES
