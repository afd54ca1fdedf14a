"""`jx.scipy.signal`: windows by name, what is refused, and where JAX and SciPy fall short."""

import warnings

import numpy as np
import pytest
import scipy.signal

import jx_numpy as jnp
import jx_numpy.scipy.signal as signal
from jx_ad import grad
from jx_ad.testing import check_grads
from jx_core import jit
from jx_core.config import enable_x64
from jx_core.dtypes import bfloat16
from jx_core.errors import ShapeError
from jx_numpy.scipy.signal.windows import named_window

X, Y = np.random.default_rng(0).standard_normal((2, 32)).astype(np.float32)

WINDOWS = [
    "hann", "hamming", "blackman", "blackmanharris", "nuttall", "flattop", "boxcar", "triang",
    "bartlett", "parzen", "bohman", "barthann", "cosine", "lanczos", "exponential", "tukey",
    "taylor", ("kaiser", 8.6), ("gaussian", 3.0), ("general_cosine", [0.5, 0.3, 0.2]),
    ("general_gaussian", 1.5, 3.0), ("general_hamming", 0.7), ("chebwin", 60), ("dpss", 1.4),
    ("tukey", 0.2), ("tukey", 0.0), ("exponential", None, 2.0), ("taylor", 5, 35, False), "rect",
]  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_windows_are_scipys(window):
    for n in (1, 4, 5, 8, 33):
        expected = scipy.signal.get_window(window, n)
        np.testing.assert_allclose(named_window("stft", window, n), expected, atol=1e-9)


def test_unknown_windows_and_missing_parameters_are_named():
    with pytest.raises(ValueError, match="unknown window 'hat'; there are .*hann"):
        signal.welch(X, window="hat")
    with pytest.raises(ValueError, match=r"'kaiser' needs parameters.*\('kaiser', 8.0\)"):
        signal.stft(X, window="kaiser", nperseg=8)


@pytest.mark.parametrize("dtype", [np.float16, bfloat16])
def test_small_floats_are_computed_in_32_bits(dtype):
    x = X.astype(dtype)
    exact = np.convolve(x.astype(float), x.astype(float))
    for method in ("direct", "fft"):
        got = signal.convolve(x, x, method=method)
        assert got.dtype == dtype
        np.testing.assert_allclose(np.asarray(got, float), exact, rtol=2e-2, atol=5e-2)
    assert signal.detrend(x).dtype == dtype
    assert signal.stft(x, nperseg=8)[2].dtype == np.complex64
    assert signal.welch(x, nperseg=8)[1].dtype == np.float32


def test_lengths_of_segments_are_those_of_the_signal_by_default():
    assert signal.welch(np.ones(1000, np.float32))[0].shape == (501,)
    with pytest.warns(UserWarning, match="nperseg=256 is greater than the signal's length"):
        assert signal.stft(X)[0].shape == (17,)


def test_complex_signals_have_two_sided_spectra():
    with pytest.warns(UserWarning, match="return_onesided=False"):
        f, p = signal.welch(X + 1j * Y, nperseg=8)
    assert f.shape == p.shape == (8,) and p.dtype == np.float32


def test_detrending_by_a_function_sees_segments_along_the_axis():
    x = np.stack([X, Y])
    got = signal.stft(x, nperseg=8, detrend=lambda s: s - s[..., :1])[2]
    expected = scipy.signal.stft(x, nperseg=8, detrend=lambda s: s - s[..., :1])[2]
    np.testing.assert_allclose(np.asarray(got), expected, atol=1e-6)


@pytest.mark.parametrize(
    "options", [{}, {"noverlap": 0, "window": "boxcar"}, {"nperseg": 7}, {"boundary": "even"}],
    ids=str,
)  # fmt: skip
def test_the_inverse_gives_the_signal_back(options):
    given = {"nperseg": 8, **options}
    spectra = signal.stft(X, **given)[2]
    given.pop("boundary", None)
    _, back = signal.istft(spectra, **given)
    np.testing.assert_allclose(np.asarray(back)[: len(X)], X, atol=1e-6)


def test_times_are_those_of_the_signal_where_there_are_several():
    # SciPy and JAX count along the first axis instead.
    spectra = signal.stft(np.stack([X, Y]), fs=2.0, nperseg=8)[2]
    time, back = signal.istft(spectra, fs=2.0, nperseg=8)
    assert back.shape == (2, 32)
    np.testing.assert_allclose(np.asarray(time), np.arange(32) / 2)


def test_segments_of_one_element_have_nothing_to_cut_off():
    spectra = signal.stft(X, nperseg=1, window="boxcar", noverlap=0)[2]
    np.testing.assert_allclose(np.asarray(signal.istft(spectra, nperseg=1, noverlap=0)[1]), X)


def test_rates_and_windows_can_be_traced_and_differentiated():
    with enable_x64(True):
        x = X.astype(float)
        window = np.hanning(8) + 0.1

        def power(fs, w):
            return signal.welch(x, fs, w)[1].sum()

        check_grads(power, (2.0, window), order=2)
        assert np.isfinite(float(jit(power)(2.0, window)))


def test_signals_without_elements():
    f, t, z = signal.stft(np.zeros((2, 0), np.float32), nperseg=4)
    assert f.shape == t.shape == z.shape == (2, 0) and z.dtype == np.complex64
    assert signal.csd(np.zeros(0, np.float32), X)[1].shape == (0,)
    assert signal.detrend(np.zeros((0, 3), np.float32), axis=0).shape == (0, 3)


def test_a_constant_has_no_trend():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not np.asarray(signal.detrend(np.ones(5, np.float32), type="constant")).any()
        assert not np.asarray(signal.detrend(np.ones(1, np.float32))).any()


def test_arrays_that_overlap_in_one_direction_only_can_be_convolved():
    a, b = X[:6].reshape(2, 3), Y[:6].reshape(3, 2)
    got = np.asarray(signal.convolve(a, b, mode="same"))
    np.testing.assert_allclose(got, scipy.signal.convolve(a, b, mode="same"), atol=1e-6)
    with pytest.raises(ShapeError, match=r"at least as large .* \(2, 3\) and \(3, 2\)"):
        signal.convolve(a, b, mode="valid")


def test_gradient_of_a_filled_edge():
    total = grad(lambda v: signal.convolve2d(np.ones((2, 2), np.float32), np.ones((2, 2)),
                                             fillvalue=v).sum())  # fmt: skip
    assert float(total(1.0)) == 20.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: signal.convolve(X, Y, mode="whole"), ValueError, "mode must be"),
        (lambda: signal.convolve(X, Y, method="slow"), ValueError, "method must be"),
        (lambda: signal.convolve(X, X[None]), ShapeError, "same number of dimensions"),
        (lambda: signal.convolve(X, X[:0]), ShapeError, "must not be empty"),
        (lambda: signal.convolve([1.0], [2.0]), TypeError, "list"),
        (lambda: signal.fftconvolve(X, Y, axes=1), ShapeError, "axes 1 is out|out of range|axis 1"),
        (lambda: signal.fftconvolve(np.ones((2, 3)), np.ones((4, 3)), axes=1), ShapeError, "2"),
        (lambda: signal.convolve2d(X, Y), ShapeError, "must be matrices"),
        (lambda: signal.correlate2d(X, Y, boundary="open"), ValueError, "boundary must be"),
        (lambda: signal.detrend(X, type="cubic"), ValueError, "type must be"),
        (lambda: signal.detrend(X, bp=40), ValueError, "breakpoints must lie between"),
        (lambda: signal.detrend(X, overwrite_data=True), NotImplementedError, "overwrite_data"),
        (lambda: signal.stft(X, nperseg=0), ValueError, "nperseg must be a positive"),
        (lambda: signal.stft(X, nperseg=8, noverlap=8), ValueError, "noverlap must be less"),
        (lambda: signal.stft(X, nperseg=8, nfft=4), ValueError, "nfft must be at least"),
        (lambda: signal.stft(X, nperseg=8, boundary="round"), ValueError, "boundary must be"),
        (lambda: signal.stft(X, nperseg=8, detrend=True), ValueError, "detrend must be"),
        (lambda: signal.welch(X, window=np.ones((2, 2))), ShapeError, "one-dimensional"),
        (lambda: signal.welch(X, window=np.ones(40)), ShapeError, "longer than the signal"),
        (lambda: signal.welch(X, window=np.ones(4), nperseg=8), ShapeError, "differs"),
        (lambda: signal.welch(X, scaling="log"), ValueError, "scaling must be"),
        (lambda: signal.welch(X, average="mode"), ValueError, "average must be"),
        (lambda: signal.csd(X, X[None]), ShapeError, "same number of dimensions"),
        (lambda: signal.istft(X), ShapeError, "two axes at least"),
        (lambda: signal.istft(X[None], time_axis=0, freq_axis=0), ShapeError, "must differ"),
        (lambda: signal.istft(jnp.ones((5, 2)), nfft=4, nperseg=6), ValueError, "nfft=4"),
    ],
)
def test_errors_name_the_argument_and_what_was_got(call, error, message):
    with pytest.raises(error, match=message):
        call()
