"""Contractions against NumPy's, over shapes, dtypes and ways of writing them."""

import numpy as np
import pytest

from jx_core import jit, make_jaxpr
from jx_numpy.contraction import (
    cross,
    dot,
    einsum,
    einsum_path,
    inner,
    kron,
    matmul,
    matvec,
    outer,
    tensordot,
    vdot,
    vecdot,
    vecmat,
)

rng = np.random.default_rng(0)


def draw(*shape, dtype=np.float32):
    x = rng.standard_normal(shape)
    if np.issubdtype(dtype, np.complexfloating):
        x = x + 1j * rng.standard_normal(shape)
    return (x * 3).astype(dtype)


def close(got, want):
    assert got.shape == np.shape(want)
    np.testing.assert_allclose(np.asarray(got), want, rtol=2e-5, atol=2e-5)


SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (6, 3, 4)), ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)), ((0, 3), (3, 2)), ((2, 0), (0, 2)), ((1, 2, 3), (5, 3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("p", "q"), SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.complex64])
def test_matmul(p, q, dtype):
    x, y = draw(*p, dtype=dtype), draw(*q, dtype=dtype)
    want = x @ y
    close(matmul(x, y), want)
    close(jit(matmul)(x, y), want)


@pytest.mark.parametrize(("p", "q"), [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((), (2, 3)),
                                      ((4, 2, 3), (5, 3, 6)), ((3,), (5, 3, 6))])
def test_dot(p, q):
    x, y = draw(*p), draw(*q)
    close(dot(x, y), np.dot(x, y))


def test_products_of_vectors():
    x, y = draw(4, dtype=np.complex64), draw(4, dtype=np.complex64)
    close(vdot(x, y), np.vdot(x, y))
    close(vecdot(x, y), np.vecdot(x, y))
    close(inner(x, y), np.inner(x, y))
    close(outer(x, y), np.outer(x, y))
    close(kron(draw(2, 3), np.ones((2, 2), np.float32)).shape and kron(x, y), np.kron(x, y))


def test_matrices_and_vectors():
    a, v = draw(5, 2, 3), draw(5, 3)
    close(matvec(a, v), np.einsum("bij,bj->bi", a, v))
    close(vecmat(v, a.transpose(0, 2, 1)), np.einsum("bj,bij->bi", v, a))


@pytest.mark.parametrize("axes", [0, 1, 2, ((1,), (0,)), ([0, 1], [1, 0]), (-1, 0)])
def test_tensordot(axes):
    x, y = draw(3, 3), draw(3, 3)
    close(tensordot(x, y, axes), np.tensordot(x, y, axes))


@pytest.mark.parametrize("last", [2, 3])
def test_cross(last):
    x, y = draw(4, last), draw(4, 3)
    want = np.cross(np.pad(x, [(0, 0), (0, 3 - last)]), y)
    close(cross(x, y), want)
    close(cross(x[:, :2], y[:, :2]), x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0])


EINSUMS = [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("ij->ji", [(2, 3)]),
    ("ii", [(3, 3)]), ("ii->i", [(3, 3)]), ("ij->", [(2, 3)]), ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("i,j->ij", [(2,), (3,)]), ("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)]),
    ("...ij,...jk->...ik", [(5, 2, 3), (3, 4)]), ("...i->...", [(2, 3)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]), ("ij,kl->", [(2, 3), (3, 4)]),
    ("ijk,ijk->k", [(2, 3, 4), (2, 3, 4)]), ("ab,bc,cd,de->ae", [(2, 3), (3, 4), (4, 2), (2, 3)]),
    ("iij,j->i", [(3, 3, 2), (2,)]), ("i...,i...->...", [(3, 2, 2), (3, 2, 2)]),
    ("j,ij->ij", [(1,), (2, 3)]), (",i->i", [(), (3,)]), ("ba,cb", [(2, 3), (4, 2)]),
]  # fmt: skip


@pytest.mark.parametrize(("subscripts", "shapes"), EINSUMS)
@pytest.mark.parametrize("optimize", ["auto", False])
def test_einsum(subscripts, shapes, optimize):
    arrays = [draw(*s) for s in shapes]
    close(einsum(subscripts, *arrays, optimize=optimize), np.einsum(subscripts, *arrays))


def test_einsum_with_lists_of_axes():
    x, y = draw(2, 3), draw(3, 4)
    close(einsum(x, [0, 1], y, [1, 2], [0, 2]), x @ y)
    close(einsum(x, [0, 1], y, [1, 2]), x @ y)


def test_einsum_of_two_is_one_dot_general():
    jaxpr = make_jaxpr(lambda x, y: einsum("bij,bjk->bik", x, y))(draw(5, 2, 3), draw(5, 3, 4))
    assert [eqn.primitive.name for eqn in jaxpr.eqns] == ["dot_general"]


def test_einsum_path_is_opt_einsums():
    path, report = einsum_path("ij,jk,kl->il", draw(2, 9), draw(9, 9), draw(9, 1))
    assert path == [(1, 2), (0, 1)]
    assert "FLOP" in str(report)


def test_einsum_takes_paths_with_and_without_numpys_first_word():
    x, y, z = draw(2, 5), draw(5, 4), draw(4, 3)
    for path in ([(1, 2), (0, 1)], ["einsum_path", (1, 2), (0, 1)], ((0, 1), (0, 1))):
        got = einsum("ij,jk,kl", x, y, z, optimize=path)
        np.testing.assert_allclose(got, x @ y @ z, rtol=1e-5)


def test_preferred_element_type_is_what_is_returned():
    x = draw(2, 2).astype(np.float16)
    assert matmul(x, x, preferred_element_type=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: matmul(draw(2, 3), draw(4, 5)), "(2, 3) and (4, 5): 3 and 4"),
        (lambda: matmul(draw(), draw(2, 2)), "ndim at least 1"),
        (lambda: matmul([1.0], draw(1)), "list"),
        (lambda: dot(draw(2, 3), draw(4, 5)), "axis 1 of the first"),
        (lambda: einsum("ij,jk->ik", draw(2, 3), draw(4, 5)), "'j' in 'ij,jk->ik' has lengths"),
        (lambda: einsum("ij->ik", draw(2, 3)), "'k' in the result but in no operand"),
        (lambda: einsum("ij", draw(2, 3), draw(2)), "names 1 operands, got 2"),
        (lambda: tensordot(draw(2, 3), draw(3, 2), 3), "axes=3"),
        (lambda: cross(draw(4), draw(4)), "2 or 3 components"),
    ],
)
def test_errors_say_what_was_got(call, text):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert text in str(caught.value)
