"""Short-time Fourier transforms, their inverse, and power spectra averaged over segments."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert
from jx_core.ops.kit import real_dtype

from ... import fft as transforms
from ...functions import array_function, plain
from ...manipulation import moveaxis
from ...operands import (
    Array,
    ArrayLike,
    accumulation_dtype,
    broadcast_shapes,
    broadcast_to,
    is_complex,
    one_axis,
    promote_dtypes_inexact,
    type_of,
    typeof,
    user_stacklevel,
)
from ...quantiles import median
from .segments import (
    a_length,
    added_up,
    continued,
    overlap,
    segmented,
    window_and_length,
)
from .trends import without_trend

__all__ = ["csd", "istft", "stft", "welch"]


@dataclass(frozen=True)
class _Plan:
    """How signals are cut and transformed: all that is no array."""

    name: str
    axis: int
    length: int
    step: int
    points: int
    detrend: Any
    onesided: bool
    scaling: str
    boundary: str | None = None
    padded: bool = False
    average: str = "mean"


def _complex_dtype(dtype: Any) -> Any:
    return np.result_type(dtype, np.complex64)


def _planned(
    name: str, operands: list[ArrayLike], window: Any, nperseg: Any, noverlap: Any, nfft: Any,
    onesided: bool, axis: Any, **options: Any,
) -> tuple[ArrayLike, _Plan]:  # fmt: skip
    """The window and the plan, from the arguments as users give them.

    Raises:
        ShapeError, ValueError: as the public functions say.
    """
    avals = [type_of(f"jx.scipy.signal.{name}", x, i) for i, x in enumerate(operands)]
    if any(a.ndim != avals[0].ndim for a in avals):
        raise ShapeError(
            f"jx.scipy.signal.{name}: x and y must have the same number of dimensions, got shapes "
            f"{avals[0].shape} and {avals[1].shape}"
        )
    axis = one_axis(f"jx.scipy.signal.{name}", axis, avals[0].ndim)
    n = avals[0].shape[axis]
    for option, words in (("scaling", ("density", "spectrum")), ("average", ("mean", "median"))):
        if options.get(option, words[0]) not in words:
            raise ValueError(
                f"jx.scipy.signal.{name}: {option} must be '{words[0]}' or '{words[1]}', got "
                f"{options[option]!r}"
            )
    if onesided and any(is_complex(a.dtype) for a in avals):
        warnings.warn(
            f"jx.scipy.signal.{name}: the data are complex, so return_onesided=False is taken",
            stacklevel=user_stacklevel(),
        )
        onesided = False
    if not all(a.size for a in avals):
        return np.ones(1), _Plan(name, axis, 1, 1, 1, False, onesided, "density")
    win, length = window_and_length(name, window, nperseg, n, n)
    points = length if nfft is None else a_length(name, nfft, "nfft")
    if points < length:
        raise ValueError(
            f"jx.scipy.signal.{name}: nfft must be at least nperseg={length}, got {points}"
        )
    step = length - overlap(name, noverlap, length)
    return win, _Plan(name, axis, length, step, points, onesided=onesided, **options)


def _lengthened(x: Array, n: int) -> Array:
    """The signal with zeros after it, up to n elements."""
    missing = n - typeof(x).shape[-1]
    if not missing:
        return x
    zero = np.zeros((), typeof(x).dtype)[()]
    return lax.pad(x, zero, [(0, 0, 0)] * (typeof(x).ndim - 1) + [(0, missing, 0)])


def _prepared(x: Array, plan: _Plan) -> Array:
    """The signal with what is asked for at its ends."""
    x = continued(plan.name, x, plan.length // 2, plan.boundary)
    if not plan.padded:
        return x
    n = typeof(x).shape[-1]
    return _lengthened(x, n + -(n - plan.length) % plan.step % plan.length)


def _without_trend(x: Array, plan: _Plan) -> Array:
    """The segments, each without its trend."""
    if not plan.detrend:
        return x
    if isinstance(plan.detrend, str):
        return without_trend(x, typeof(x).ndim - 1, plan.detrend)
    if not callable(plan.detrend):
        raise ValueError(
            f"jx.scipy.signal.{plan.name}: detrend must be 'constant', 'linear', False or a "
            f"function of segments, got {plan.detrend!r}"
        )
    last = typeof(x).ndim - 1
    if plan.axis == last - 1:
        return plan.detrend(x)
    # Such a function expects segments along the axis that the user named.
    return moveaxis(plan.detrend(moveaxis(x, -1, plan.axis)), plan.axis, -1)


def _transformed(x: Array, win: Array, plan: _Plan) -> Array:
    """The Fourier transforms of the segments: (..., segments, frequencies)."""
    parts = _without_trend(segmented(x, plan.length, plan.step), plan)
    parts = operators.multiply(parts, win)
    if not plan.onesided:
        return plain(transforms.fft)(parts, plan.points)  # type: ignore[no-any-return]
    parts = lax.real(parts) if is_complex(typeof(parts).dtype) else parts
    return plain(transforms.rfft)(parts, plan.points)  # type: ignore[no-any-return]


def _frequencies(plan: _Plan, fs: Any, dtype: Any) -> Array:
    make = np.fft.rfftfreq if plan.onesided else np.fft.fftfreq
    return operators.multiply(convert(make(plan.points), dtype), convert(fs, dtype))


def _times(plan: _Plan, n: int, fs: Any, dtype: Any) -> Array:
    """The middles of the segments of a signal of n elements, its continuation included."""
    count = (n - plan.length) // plan.step + 1
    first = 0.0 if plan.boundary is not None else plan.length / 2
    return operators.divide(
        convert(first + plan.step * np.arange(count), dtype), convert(fs, dtype)
    )


def _windowed(x: Array, win: ArrayLike) -> tuple[Array, Array]:
    """The signal and the window in a dtype that can be transformed."""
    x = convert(x, accumulation_dtype(typeof(x).dtype))
    dtype = typeof(x).dtype
    if is_complex(typeof(win).dtype):
        dtype = _complex_dtype(dtype)
    return x, convert(win, dtype)


def _nothing(shape: tuple[int, ...], dtype: Any) -> tuple[Array, Array, Array]:
    """What is given for signals without elements."""
    complex_dtype = _complex_dtype(accumulation_dtype(dtype))
    real = real_dtype(complex_dtype)
    zeros = lax.full(shape, 0, real)
    return zeros, zeros, lax.full(shape, 0, complex_dtype)


@array_function("plan")
def _stft(x: Any, win: Any, fs: Any, plan: _Plan) -> tuple[Array, Array, Array]:
    (x,) = promote_dtypes_inexact("stft", x)
    if not typeof(x).size:
        return _nothing(typeof(x).shape, typeof(x).dtype)
    x, win = _windowed(x, win)
    x = _prepared(moveaxis(x, plan.axis, -1), plan)
    result = _transformed(x, win, plan)
    result = operators.divide(result, lax.abs(lax.reduce_sum(win, (0,))))
    dtype = real_dtype(typeof(result).dtype)
    times = _times(plan, typeof(x).shape[-1], fs, dtype)
    return _frequencies(plan, fs, dtype), times, moveaxis(result, -1, plan.axis)


def _averaged(power: Array, plan: _Plan) -> Array:
    """The mean or median over segments of (..., segments, frequencies)."""
    axis = typeof(power).ndim - 2
    n = typeof(power).shape[axis]
    if plan.average == "mean" or n == 1:
        return operators.divide(lax.reduce_sum(power, (axis,)), n)

    def middle(x: Array) -> Array:
        return plain(median)(x, axis=axis)  # type: ignore[no-any-return]

    # The median of powers is less than their mean, by this factor: Allen et al., "FINDCHIRP",
    # Phys. Rev. D 85, 122006 (2012), appendix B.
    even = np.arange(2, n, 2)
    bias = float(1 + np.sum(1 / (even + 1) - 1 / even))
    if is_complex(typeof(power).dtype):
        result = lax.complex(middle(lax.real(power)), middle(lax.imag(power)))
    else:
        result = middle(power)
    return operators.divide(result, bias)


@array_function("plan")
def _spectrum(x: Any, y: Any, win: Any, fs: Any, plan: _Plan) -> tuple[Array, Array]:
    """Frequencies and the cross spectrum; the power spectrum, which is real, if `y` is None."""
    operands = promote_dtypes_inexact(plan.name, *([x] if y is None else [x, y]))
    moved = [moveaxis(a, plan.axis, -1) for a in operands]
    outer = broadcast_shapes(plan.name, *[typeof(a).shape[:-1] for a in moved])
    lengths = [typeof(a).shape[-1] for a in moved]
    if not all(typeof(a).size for a in moved):
        empty = [*outer[: plan.axis], min(lengths), *outer[plan.axis :]]
        freqs, _, nothing = _nothing(tuple(empty), typeof(operands[0]).dtype)
        return freqs, lax.real(nothing) if y is None else nothing
    pairs = [_windowed(_prepared(_lengthened(a, max(lengths)), plan), win) for a in moved]
    win = pairs[0][1]
    spectra = [_transformed(a, win, plan) for a, _ in pairs]
    dtype = real_dtype(typeof(spectra[0]).dtype)
    if y is None:
        power = operators.add(*[lax.square(part(spectra[0])) for part in (lax.real, lax.imag)])
    else:
        shape = broadcast_shapes(plan.name, *[typeof(s).shape for s in spectra])
        first, second = (broadcast_to(s, shape) for s in spectra)
        power = lax.mul(lax.conj(first), second)
    if plan.scaling == "density":
        scale = operators.multiply(lax.reduce_sum(lax.square(win), (0,)), convert(fs, dtype))
    else:
        scale = lax.square(lax.reduce_sum(win, (0,)))
    power = operators.divide(power, scale)
    if is_complex(typeof(power).dtype) and y is None:
        power = lax.real(power)
    if plan.onesided:
        # Each frequency but 0 and the highest stands for its negative as well.
        twice = np.full(typeof(power).shape[-1], 2.0)
        twice[0] = 1.0
        if plan.points % 2 == 0:
            twice[-1] = 1.0
        power = operators.multiply(power, convert(twice, dtype))
    return _frequencies(plan, fs, dtype), moveaxis(_averaged(power, plan), -1, plan.axis)


def stft(
    x: ArrayLike,
    fs: ArrayLike = 1.0,
    window: Any = "hann",
    nperseg: int = 256,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: bool | str | Callable[[Array], Array] = False,
    return_onesided: bool = True,
    boundary: str | None = "zeros",
    padded: bool = True,
    axis: int = -1,
) -> tuple[Array, Array, Array]:
    """The short-time Fourier transform: spectra of segments of a signal.

    Args:
        x: a signal, or an array of several.
        fs: how many samples there are to a unit of time.
        window: what segments are multiplied with: the name of one of SciPy's windows, such as
            `"hann"`, a tuple of a name and parameters, such as `("kaiser", 8.0)`, or an array.
        nperseg: the length of segments; that of the window, if it is an array.
        noverlap: by how many elements neighbours overlap; half of `nperseg` if None.
        nfft: the length up to which segments are filled with zeros; `nperseg` if None.
        detrend: `"constant"` or `"linear"` to take such a trend out of each segment, or a
            function that does so along the axis; False for none.
        return_onesided: whether to leave out negative frequencies. They are always given for
            complex signals.
        boundary: what to continue the signal with at both ends, by half a segment: `"zeros"`,
            `"even"`, `"odd"`, `"constant"`, or None for no continuation.
        padded: whether to fill the signal with zeros to a whole number of segments.
        axis: the axis of time.

    Returns:
        The frequencies, the times of the middles of segments, and the complex spectra, with
        frequencies along `axis` and times along a new last axis. A sinusoid has the spectrum of
        its amplitude: they are divided by the window's sum.

    Raises:
        ShapeError: an array for a window that is too long or has not one dimension.
        ValueError: lengths that don't fit each other, or unknown words.

    >>> f, t, z = jx.scipy.signal.stft(jnp.arange(8.0), nperseg=4)
    >>> f, t, z.shape
    (Array([0.  , 0.25, 0.5 ], dtype=float32), Array([0., 2., 4., 6., 8.], dtype=float32), (3, 5))
    """
    win, plan = _planned(
        "stft", [x], window, nperseg, noverlap, nfft, return_onesided, axis, detrend=detrend,
        scaling="spectrum", boundary=boundary, padded=padded,
    )  # fmt: skip
    return _stft(x, win, fs, plan)  # type: ignore[no-any-return]


def csd(
    x: ArrayLike,
    y: ArrayLike | None,
    fs: ArrayLike = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: bool | str | Callable[[Array], Array] = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Array, Array]:
    """The cross spectral density of two signals, by Welch's method.

    Args:
        x, y: signals, of shapes that broadcast but for `axis`; the shorter is filled up with
            zeros. If `y` is None, the power spectrum of `x` is computed.
        fs, window, noverlap, nfft, detrend, return_onesided, axis: as for `stft`.
        nperseg: the length of segments; that of the window, if it is an array, or that of `x`.
        scaling: `"density"` for power per frequency, `"spectrum"` for power.
        average: of the spectra of segments: `"mean"` or `"median"`, which is corrected for its
            bias.

    Returns:
        The frequencies, and the spectrum, with them along `axis`: complex if `y` is given.

    Raises:
        ShapeError, ValueError: as for `stft`, and for signals whose shapes don't fit.

    P. Welch, "The use of the fast Fourier transform for the estimation of power spectra", IEEE
    Trans. Audio Electroacoust. 15 (1967).

    >>> x = jnp.sin(jnp.arange(64.0))
    >>> f, p = jx.scipy.signal.csd(x, x, nperseg=16)
    >>> p.shape, p.dtype
    ((9,), dtype('complex64'))
    """
    return _cross("csd", x, y, fs, window, nperseg, noverlap, nfft, detrend, return_onesided,
                  scaling, axis, average)  # fmt: skip


def _cross(
    name: str, x: ArrayLike, y: ArrayLike | None, fs: ArrayLike, window: Any, nperseg: Any,
    noverlap: Any, nfft: Any, detrend: Any, onesided: bool, scaling: str, axis: int, average: str,
) -> tuple[Array, Array]:  # fmt: skip
    operands = [x] if y is None else [x, y]
    win, plan = _planned(
        name, operands, window, nperseg, noverlap, nfft, onesided, axis, detrend=detrend,
        scaling=scaling, average=average,
    )  # fmt: skip
    return _spectrum(x, y, win, fs, plan)  # type: ignore[no-any-return]


def welch(
    x: ArrayLike,
    fs: ArrayLike = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: bool | str | Callable[[Array], Array] = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Array, Array]:
    """The power spectral density of a signal, by Welch's method: the mean over segments.

    Args:
        x: a signal, or an array of several.
        fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average:
            as for `csd`.

    Returns:
        The frequencies, and the real spectrum, with them along `axis`.

    Raises:
        ShapeError, ValueError: as for `stft`.

    >>> f, p = jx.scipy.signal.welch(jnp.sin(jnp.pi / 4 * jnp.arange(64)), nperseg=16)
    >>> float(f[p.argmax()])
    0.125
    """
    return _cross("welch", x, None, fs, window, nperseg, noverlap, nfft, detrend,
                  return_onesided, scaling, axis, average)  # fmt: skip


@dataclass(frozen=True)
class _Inverse:
    """How spectra of segments become a signal again: all that is no array."""

    time: int
    frequency: int
    length: int
    step: int
    points: int
    onesided: bool
    boundary: bool


@array_function("plan")
def _istft(spectra: Any, win: Any, fs: Any, plan: _Inverse) -> tuple[Array, Array]:
    (spectra,) = promote_dtypes_inexact("istft", spectra)
    dtype = _complex_dtype(accumulation_dtype(typeof(spectra).dtype))
    spectra = moveaxis(convert(spectra, dtype), (plan.time, plan.frequency), (-2, -1))
    inverse = transforms.irfft if plan.onesided else transforms.ifft
    parts = plain(inverse)(spectra, plan.points)
    parts = lax.slice_in_dim(parts, 0, plan.length, axis=typeof(parts).ndim - 1)
    win = convert(win, typeof(parts).dtype)
    # The signal nearest to all segments: each is weighted with the window once more.
    total = lax.reduce_sum(win, (0,))
    x = added_up(operators.multiply(parts, operators.multiply(win, total)), plan.step)
    squares = broadcast_to(lax.square(win), typeof(parts).shape[-2:])
    norm = added_up(squares, plan.step)
    if plan.boundary and plan.length > 1:
        edge, n = plan.length // 2, typeof(x).shape[-1]
        x = lax.slice_in_dim(x, edge, n - edge, axis=typeof(x).ndim - 1)
        norm = lax.slice_in_dim(norm, edge, n - edge, axis=0)
    size = lax.abs(norm)
    norm = lax.select(lax.gt(size, lax.full_like(size, 1e-10)), norm, lax.full_like(norm, 1))
    x = operators.divide(x, norm)
    real = real_dtype(dtype)
    times = np.arange(typeof(x).shape[-1])
    time = operators.divide(convert(times, real), convert(fs, real))
    where = plan.time - (plan.frequency < plan.time)
    return time, moveaxis(x, -1, where)


def istft(
    Zxx: ArrayLike,
    fs: ArrayLike = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    input_onesided: bool = True,
    boundary: bool = True,
    time_axis: int = -1,
    freq_axis: int = -2,
) -> tuple[Array, Array]:
    """The signal of a short-time Fourier transform: the inverse of `stft`.

    Where the transform is that of no signal, the result is the signal whose own is nearest.

    Args:
        Zxx: complex spectra of segments, of two axes or more.
        fs, window, noverlap, nfft: as they were given to `stft`.
        nperseg: the length of segments; if None, what the number of frequencies lets expect.
        input_onesided: whether negative frequencies were left out.
        boundary: whether the signal was continued at both ends, to be cut off again.
        time_axis, freq_axis: the axes of the segments, and of frequencies.

    Returns:
        The times of the samples, and the signal, real if `input_onesided`.

    Raises:
        ShapeError: there is one axis only, the axes are the same, or a window's length differs
            from that of segments.
        ValueError: lengths that don't fit each other.

    D. W. Griffin and J. S. Lim, "Signal estimation from modified short-time Fourier transform",
    IEEE Trans. ASSP 32 (1984).

    >>> _, _, z = jx.scipy.signal.stft(jnp.arange(8.0), nperseg=4)
    >>> jx.scipy.signal.istft(z, nperseg=4)[1].round(3)
    Array([0., 1., 2., 3., 4., 5., 6., 7.], dtype=float32)
    """
    shape = type_of("jx.scipy.signal.istft", Zxx).shape
    if len(shape) < 2:
        raise ShapeError(
            f"jx.scipy.signal.istft: Zxx must have two axes at least, got shape {shape}"
        )
    frequency = one_axis("jx.scipy.signal.istft", freq_axis, len(shape), "freq_axis")
    time = one_axis("jx.scipy.signal.istft", time_axis, len(shape), "time_axis")
    if frequency == time:
        raise ShapeError(
            f"jx.scipy.signal.istft: time_axis and freq_axis must differ, got {time_axis} and "
            f"{freq_axis}"
        )
    default = 2 * (shape[frequency] - 1) if input_onesided else shape[frequency]
    win, length = window_and_length("istft", window, nperseg, None, default)
    if nfft is not None:
        points = a_length("istft", nfft, "nfft")
    else:  # segments of an odd length have as many frequencies as those of one less
        points = default + (input_onesided and length == default + 1)
    if points < length:
        raise ValueError(f"jx.scipy.signal.istft: nfft={points} must be at least nperseg={length}")
    step = length - overlap("istft", noverlap, length)
    plan = _Inverse(time, frequency, length, step, points, input_onesided, boundary)
    return _istft(Zxx, win, fs, plan)  # type: ignore[no-any-return]
