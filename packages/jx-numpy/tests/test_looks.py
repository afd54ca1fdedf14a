"""How arrays read as text, and how errors show the shapes and the axis at fault."""

import doctest

import numpy as np
import pytest

import jx_numpy as jnp
from jx_core import clashes, errors, jit, lax
from jx_numpy import random

A, B = np.zeros((3, 4), np.float32), np.zeros((3, 5), np.float32)

TEXTS = {
    "bfloat16": (lambda: jnp.arange(3, dtype="bfloat16"), "Array([0, 1, 2], dtype=bfloat16)"),
    "float8": (lambda: jnp.ones(2, "float8_e4m3fn"), "Array([1, 1], dtype=float8_e4m3fn)"),
    "int4": (lambda: jnp.array([1, -2], "int4"), "Array([1, -2], dtype=int4)"),
    "bool": (lambda: jnp.array([True, False]), "Array([ True, False], dtype=bool)"),
    "complex": (lambda: jnp.ones(1, "complex64"), "Array([1.+0.j], dtype=complex64)"),
    "scalar": (lambda: jnp.float32(3), "Array(3., dtype=float32"),
    "weak": (lambda: jnp.asarray(3.0), "Array(3., dtype=float32, weak_type=True)"),
    "empty": (lambda: jnp.zeros(0), "Array([], dtype=float32)"),
    "empty, two axes": (lambda: jnp.zeros((0, 3)), "Array([], shape=(0, 3), dtype=float32)"),
    "key": (lambda: random.key(7), "Array((), dtype=key<fry>) overlaying:\n[0 7]"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_repr(case):
    make, text = TEXTS[case]
    assert repr(make()).startswith(text)


def test_str_is_that_of_numpy():
    for x in (np.arange(3), np.ones((2, 2)), np.array(2.5), np.array([1 + 2j]), np.array([True])):
        assert str(jnp.asarray(x)) == str(x.astype(jnp.asarray(x).dtype))


def test_large_arrays_are_summarised_as_numpys():
    x = np.arange(2000, dtype=np.int32)
    assert repr(jnp.asarray(x)) == "Array([   0,    1,    2, ..., 1997, 1998, 1999], dtype=int32)"
    with np.printoptions(threshold=5, edgeitems=1):
        assert repr(jnp.arange(6)) == "Array([0, ..., 5], dtype=int32)"
    assert len(repr(random.split(random.key(0), 5000))) < 500
    assert len(repr(jnp.arange(5000, dtype="bfloat16"))) < 80


def test_tracers_say_their_type():
    seen = []
    jit(lambda x: seen.append(repr(x)))(jnp.ones(3))
    assert "f32[3]" in seen[0]


MESSAGES = {
    "add": (lambda: jnp.add(A, B), ["(3, 4)", "(3, 5)", "    ^ lengths 4 and 5"]),
    "operator": (lambda: jnp.asarray(A) + B, ["(3, 4)", "(3, 5)",
                                              "    ^ lengths 4 and 5"]),
    "ranks": (lambda: jnp.add(A, np.zeros((2, 1, 5))),
              ["   (3, 4)", "(2, 1, 5)", "       ^ lengths 4 and 5"]),
    "vectors": (lambda: jnp.add(A[0], B[0]), ["(4,)", "(5,)", " ^ lengths 4 and 5"]),
    "two axes": (lambda: jnp.add(A, np.zeros((2, 9))), [
        "(3, 4)", "(2, 9)", " ^  ^ lengths 3 and 2"]),
    "wide": (lambda: jnp.add(np.zeros((2, 100)), np.zeros((2, 7))), [
        "(2, 100)", "(2,   7)", "      ^ lengths 100 and 7"]),
    "lax": (lambda: lax.add(A, B), ["(3, 4)", "(3, 5)", "    ^ lengths 4 and 5"]),
    "where": (lambda: jnp.where(A[0] > 0, B[0], 1.0), ["(4,)", "(5,)", " ()",
                                                       " ^ lengths 4 and 5"]),
    "broadcast_to": (lambda: jnp.broadcast_to(A, (3, 5)), [
        "(3, 4)", "(3, 5)", "    ^ lengths 4 and 5"]),
    "broadcast_shapes": (lambda: jnp.broadcast_shapes((3, 4), (3, 5)), [
        "(3, 4)", "(3, 5)", "    ^ lengths 4 and 5"]),
    "matmul": (lambda: jnp.matmul(A, B), ["(3, 4)  (3, 5)", "    ^    ^"]),
    "matmul, stacks": (lambda: jnp.matmul(np.zeros((3, 2, 4)), np.zeros((5, 4, 2))), [
        "(3, 2, 4)  (5, 4, 2)", " ^          ^"]),
    "dot": (lambda: jnp.dot(A, B[0]), ["(3, 4)  (5,)", "    ^    ^"]),
    "inner": (lambda: jnp.inner(A, B), ["(3, 4)  (3, 5)", "    ^       ^"]),
    "tensordot": (lambda: jnp.tensordot(A, B, 1), ["(3, 4)  (3, 5)", "    ^    ^"]),
    "einsum": (lambda: jnp.einsum("ij,jk", A, B), ["(3, 4)  (3, 5)", "    ^    ^"]),
    "concatenate": (lambda: jnp.concatenate([A, B]), ["(3, 4)", "(3, 5)",
                                                      "    ^ lengths 4 and 5"]),
    "stack": (lambda: jnp.stack([A, B]), ["(3, 4)", "(3, 5)", "    ^ lengths 4 and 5"]),
    "index arrays": (lambda: jnp.asarray(A)[np.zeros(2, int), np.zeros(3, int)], [
        "(2,)", "(3,)", " ^ lengths 2 and 3"]),
    "update": (lambda: jnp.asarray(A).at[0].set(B[0]), [
        "(5,)", "(4,)", " ^ lengths 5 and 4"]),
}  # fmt: skip


@pytest.mark.parametrize("case", MESSAGES)
def test_errors_mark_the_axis_at_fault(case):
    fun, lines = MESSAGES[case]
    for staged in (fun, jit(fun)):
        with pytest.raises((errors.ShapeError, IndexError)) as caught:
            staged()
        text = str(caught.value).split("\n")
        assert len(text) == 1 + len(lines), text
        assert text[1:] == ["    " + line for line in lines]


def test_too_many_indices_show_the_shape():
    with pytest.raises(IndexError, match=r"3 were indexed.*\(3, 4\)"):
        jnp.asarray(A)[0, 0, 0]


def test_reshape_shows_both_shapes_and_sizes():
    with pytest.raises(errors.ShapeError, match=r"\(3, 4\) \(size 12\) .* \(5, 2\) \(size 10\)"):
        jnp.reshape(A, (5, 2))


def test_indices_out_of_range_are_no_error():
    x = jnp.arange(3)
    assert int(x[5]) == 2 and int(x[-7]) == 0
    assert x.at[5].set(9).tolist() == [0, 1, 2]


def test_examples():
    assert doctest.testmod(clashes).failed == 0
