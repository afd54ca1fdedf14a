"""`jx.nn.dot_product_attention` against attention written out with NumPy's einsum."""

import ml_dtypes
import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_ad.testing import check_grads
from jx_core import jit
from jx_core.errors import ShapeError
from jx_numpy.nn import dot_product_attention

B, T, S, N, H = 2, 3, 5, 4, 6


def _draw(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


Q, BIAS = _draw(B, T, N, H), _draw(B, N, T, S)
MASK = np.random.default_rng(1).random((B, N, T, S)) > 0.4
MASK[..., 0] = True  # every query attends to something


def keys_and_values(heads=N):
    return _draw(B, S, heads, H), _draw(S, B, heads, H).transpose(1, 0, 2, 3).copy()


def attention(q, k, v, allowed=True, bias=0.0, scale=None):
    """Means and logarithms of sums by the formula, in float64."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    k, v = (np.repeat(x, q.shape[2] // x.shape[2], axis=2) for x in (k, v))
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    logits = np.einsum("btnh,bsnh->bnts", q, k) * scale + bias
    terms = np.where(allowed, np.exp(logits), 0)
    sums = terms.sum(-1, keepdims=True)
    return np.einsum("bnts,bsnh->btnh", terms / sums, v), np.log(sums[..., 0]).transpose(0, 2, 1)


def numbers():
    return np.arange(T)[:, None], np.arange(S)[None, :]


t, s = numbers()
QUERY_LENGTHS, KEY_LENGTHS = np.int32([3, 2]), np.int32([2, 5])
CASES = {
    "plain": ({}, {}),
    "bias": ({"bias": BIAS}, {"bias": BIAS}),
    "bias broadcast": ({"bias": BIAS[0, 0]}, {"bias": BIAS[0, 0]}),
    "mask": ({"mask": MASK}, {"allowed": MASK}),
    "mask broadcast": ({"mask": MASK[:, :1, :1]}, {"allowed": MASK[:, :1, :1]}),
    "scale": ({"scale": 0.3}, {"scale": 0.3}),
    "causal": ({"is_causal": True}, {"allowed": s <= t}),
    "window": ({"local_window_size": 1}, {"allowed": abs(s - t) <= 1}),
    "window of two sides": (
        {"local_window_size": (2, 1)}, {"allowed": (s >= t - 2) & (s <= t + 1)}
    ),
    "causal window": (
        {"local_window_size": (1, 3), "is_causal": True}, {"allowed": (s >= t - 1) & (s <= t)}
    ),
    "key lengths": (
        {"key_value_seq_lengths": KEY_LENGTHS},
        {"allowed": s < KEY_LENGTHS[:, None, None, None]},
    ),
    "all": (
        {"mask": MASK, "bias": BIAS, "is_causal": True, "scale": 0.5},
        {"allowed": MASK & (s <= t), "bias": BIAS, "scale": 0.5},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("heads", [N, 2, 1])
def test_attention_is_its_formula(case, heads):
    arguments, meaning = CASES[case]
    k, v = keys_and_values(heads)
    expected, sums = attention(Q, k, v, **meaning)
    out, residual = dot_product_attention(Q, k, v, return_residual=True, **arguments)
    assert out.dtype == residual.dtype == np.float32
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(residual, sums, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(dot_product_attention(Q, k, v, **arguments), out)


def test_a_single_sequence():
    k, v = keys_and_values()
    expected, sums = attention(Q, k, v)
    out, residual = dot_product_attention(Q[1], k[1], v[1], return_residual=True)
    np.testing.assert_allclose(out, expected[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(residual, sums[1], rtol=1e-5)


def test_results_beyond_a_sequence_of_queries_are_zero():
    k, v = keys_and_values()
    out = dot_product_attention(Q, k, v, query_seq_lengths=QUERY_LENGTHS)
    expected = attention(Q, k, v)[0]
    expected[1, 2:] = 0
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


def test_queries_that_may_attend_to_nothing_attend_to_all_alike():
    k, v = keys_and_values()
    mask = np.zeros((1, 1, 1, S), bool)
    out = dot_product_attention(Q, k, v, mask=mask)
    np.testing.assert_allclose(out, np.broadcast_to(v.mean(1)[:, None], out.shape), rtol=1e-5)
    for i in range(3):
        f = lambda *x: jnp.sum(dot_product_attention(*x, mask=mask) ** 2)  # noqa: E731
        assert np.isfinite(grad(f, i)(Q, k, v)).all()


def test_masked_keys_have_no_influence():
    k, v = keys_and_values()
    f = lambda k: jnp.sum(dot_product_attention(Q, k, v, is_causal=True) ** 2)  # noqa: E731
    by_key = grad(f)(k)
    assert by_key[:, :T].any() and not by_key[:, T:].any()


def test_narrow_floats_have_logits_in_float32():
    k, v = keys_and_values()
    narrow = [x.astype(ml_dtypes.bfloat16) for x in (Q, k, v)]
    out, residual = dot_product_attention(*narrow, return_residual=True)
    assert out.dtype == residual.dtype == ml_dtypes.bfloat16
    expected, sums = attention(*narrow)
    np.testing.assert_allclose(np.asarray(out, np.float32), expected, rtol=2e-2, atol=2e-2)
    np.testing.assert_allclose(np.asarray(residual, np.float32), sums, rtol=1e-2)


@pytest.mark.parametrize("heads", [N, 2])
def test_attention_is_differentiable(heads):
    k, v = keys_and_values(heads)
    f = lambda *x: dot_product_attention(*x, bias=BIAS, is_causal=True)  # noqa: E731
    check_grads(f, (Q, k, v), order=1)
    np.testing.assert_allclose(jit(f)(Q, k, v), f(Q, k, v), rtol=1e-5, atol=1e-6)


K, V = keys_and_values()


@pytest.mark.parametrize(
    ("operands", "options", "error", "message"),
    [
        ((Q, K[..., :5], V), {}, ShapeError, "key and value must have one shape"),
        ((Q, K, V[:, :3]), {}, ShapeError, "key and value must have one shape"),
        ((Q[:1], K, V), {}, ShapeError, r"query \(1, 3, 4, 6\), key \(2, 5, 4, 6\)"),
        ((Q[:, :, :3], K, V), {}, ShapeError, "must be a multiple of that of key heads, got 3 and"),
        ((Q[0], K, V), {}, ShapeError, r"\(B, T, N, H\) or \(T, N, H\)"),
        ((Q.astype(np.float16), K, V), {}, TypeError, "floats of one dtype, got query float16"),
        ((Q, K, V), {"bias": BIAS[:, :3]}, ShapeError, r"\(2, 4, 3, 5\); got shape \(2, 3, 3, 5\)"),
        ((Q, K, V), {"mask": BIAS}, TypeError, "mask must hold booleans, got dtype float32"),
        ((Q, K, V), {"local_window_size": -1}, ValueError, "must not be negative, got -1"),
        ((Q, K, V), {"implementation": "magic"}, ValueError, "must be None or 'xla', got 'magic'"),
        ((Q, K, V), {"query_seq_lengths": np.int32([1])}, ShapeError, r"so shape \(2,\); got"),
        ((Q, K, V), {"key_value_seq_lengths": np.float32([1, 2])}, TypeError, "must be integers"),
    ],
)
def test_refusals(operands, options, error, message):
    with pytest.raises(error, match=message):
        dot_product_attention(*operands, **options)
