"""Permutations, and choices from arrays."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.aval import typeof
from jx_core.errors import concrete_or_error
from jx_core.ops.elementwise import convert
from jx_core.ops.rng import random_bits

from ..functions import array_function, plain
from ..indexing import take
from ..operands import Shape, a_shape, as_operand, one_axis, refuse_sharding
from .continuous import gumbel_floats, gumbel_mode
from .keys import single_key, two_keys
from .uniforms import random_integers, uniform_floats

__all__ = ["choice", "permutation"]

_take = plain(take)


# --- permutation ---


def _rounds(size: int) -> int:
    """How many sorts by 32-bit words make ties so rare that they leave no mark.

    With keys of 32 bits, n elements leave some order undecided with a probability of about
    n^2 / 2^33; each round makes the expected number of such pairs that much smaller.
    """
    return int(np.ceil(3 * np.log(max(1, size)) / np.log(2**32 - 1)))


def _shuffled(key: Any, x: Any, axis: int) -> Any:
    """The elements of `x` in random order along an axis, each line by itself."""
    shape = typeof(x).shape

    def shuffle(key: Any, x: Any) -> tuple[Any, Any]:
        key, subkey = two_keys(key)
        words = random_bits(subkey, bit_width=32, shape=shape)
        return key, lax.sort_key_val(words, x, axis)[1]

    size = math.prod(shape)
    if type(size) is not int:  # a symbolic dimension: how many rounds is known at the call
        count = lax.dim_as_value(size)
        rounds = functools.reduce(
            lax.add, [lax.convert_element_type(lax.gt(count, n), np.int32) for n in _ONE_MORE]
        )
        return lax.fori_loop(0, rounds, lambda _, state: shuffle(*state), (key, x))[1]
    for _ in range(_rounds(size)):
        key, x = shuffle(key, x)
    return x


# The numbers of elements beyond which it takes one more round.
_ONE_MORE = [int((2**32 - 1) ** (rounds / 3)) for rounds in range(3)]


@array_function("n")
def _permuted_range(key: Any, n: int) -> Any:
    key = single_key("permutation", key)
    return _shuffled(key, lax.iota(typeof(0).dtype, n), 0)


@array_function("axis", "independent")
def _permuted(key: Any, x: Any, axis: int, independent: bool) -> Any:
    key = single_key("permutation", key)
    aval = typeof(x)
    axis = one_axis("permutation", axis, aval.ndim)
    orderable = not isinstance(aval.dtype, dtypes.ExtendedDType)
    if orderable and (independent or aval.ndim == 1):
        return _shuffled(key, x, axis)
    places = lax.iota(typeof(0).dtype, aval.shape[axis])
    return _take(x, _shuffled(key, places, 0), axis, unique_indices=True)


def permutation(
    key: Any,
    x: Any,
    axis: int = 0,
    independent: bool = False,
    *,
    out_sharding: Any = None,
) -> Any:
    """The elements of an array in random order along an axis.

    Args:
        key: a key.
        x: an array, or an integer n for the integers from 0 up to n.
        axis: the axis along which to permute.
        independent: permute each line by itself, not all alike.

    Raises:
        TypeError: `x` is a scalar that is no integer.
        ValueError: `axis` is out of bounds.

    >>> sorted(jx.random.permutation(jx.random.key(0), 4).tolist())
    [0, 1, 2, 3]
    """
    refuse_sharding("random.permutation", out_sharding)
    aval = typeof(as_operand("permutation", x, 1))
    if aval.ndim:
        return _permuted(key, x, axis, independent)
    if not dtypes.issubdtype(aval.dtype, np.integer):
        raise TypeError(f"x must be an integer or at least 1-dimensional, got {aval.str_short()}")
    n = concrete_or_error(x, "the argument x of jx.random.permutation, which is a length")
    return _permuted_range(key, max(int(n), 0))


# --- choice ---


def choice(
    key: Any,
    a: Any,
    shape: Any = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: str | None = None,
) -> Any:
    """Random elements of an array.

    Args:
        key: a key.
        a: an array, or an integer n for the integers from 0 up to n.
        shape: how many to choose; it takes the place of `axis` in the result.
        replace: whether one element may be chosen several times.
        p: the probability of each element along the axis; uniform if None.
        axis: the axis along which to choose.
        mode: as for `gumbel`, which choices without replacement by `p` are made with.

    Raises:
        ValueError: there is nothing to choose from, or not enough without replacement; `p`
            has another size.

    >>> jx.random.choice(jx.random.key(0), 5, (3,), replace=False).shape
    (3,)
    """
    aval = typeof(as_operand("choice", a, 1))
    size = a_shape("choice", shape)
    gumbel_mode("choice", mode)
    population: int | None = None
    if not aval.ndim:
        known = concrete_or_error(a, "the argument a of jx.random.choice, which is a length")
        population, axis, a = int(known), 0, None
        n = population
    else:
        axis = one_axis("choice", axis, aval.ndim)
        n = aval.shape[axis]
    draws = math.prod(size)
    if n <= 0 and draws:
        raise ValueError(f"a must be greater than 0 unless no samples are taken, got {n} elements")
    if not replace and draws > n:
        raise ValueError(
            f"Cannot take a larger sample (size {draws}) than population (size {n}) when "
            f"'replace=False'"
        )
    if p is not None:
        given = typeof(as_operand("choice", p, 4)).shape
        if given != (n,):
            raise ValueError(
                f"p must be None or a 1D vector with the same size as a.shape[axis]. p has shape "
                f"{given} and a.shape[axis] is {n}."
            )
    return _chosen(key, a, p, n, size, bool(replace), axis, mode)


@array_function("n", "shape", "replace", "axis", "mode")
def _chosen(
    key: Any,
    a: Any,
    p: Any,
    n: int,
    shape: Shape,
    replace: bool,
    axis: int,
    mode: str | None,
) -> Any:
    key = single_key("choice", key)
    draws = math.prod(shape)
    integers = typeof(0).dtype
    if not draws:
        places = lax.full((0,), 0, integers)
    elif p is None and replace:
        places = random_integers(key, (draws,), 0, n, integers)
    elif p is None:
        places = lax.slice_in_dim(_shuffled(key, lax.iota(integers, n), 0), 0, draws)
    elif replace:
        (p,) = operators.promote_dtypes_inexact("choice", p)
        sums = lax.cumsum(p, 0)
        total = lax.index_in_dim(sums, n - 1, keepdims=False)
        u = uniform_floats(key, (draws,), typeof(sums).dtype)
        level = lax.mul(lax.broadcast(total, (draws,)), lax.sub(lax.full_like(u, 1), u))
        places = convert(_first_reaching(sums, level), integers)
    else:
        (p,) = operators.promote_dtypes_inexact("choice", p)
        scores = lax.add(gumbel_floats(key, (n,), typeof(p).dtype, mode), lax.log(p))
        places = convert(lax.top_k(scores, draws)[1], integers)
    if a is None:
        return lax.reshape(places, shape)
    return _with_shape(_take(a, places, axis), shape, axis)


def _with_shape(out: Any, shape: Shape, axis: int) -> Any:
    """`out` with the axis `axis` in the form of several axes."""
    whole = typeof(out).shape
    return lax.reshape(out, (*whole[:axis], *shape, *whole[axis + 1 :]))


def _first_reaching(sums: Any, levels: Any) -> Any:
    """For each level the first place at which ascending sums are not below it."""
    from ..sorting import search

    return search(sums, levels, "left")
