"""`Rotation`: one rotation of space, or a stack of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jx_core import lax, typeof
from jx_core.errors import ShapeError

from .... import random as jx_random
from ....contraction.products import _matmul
from ....creation import asarray
from ....manipulation import concatenate
from ....operands import Array, ArrayLike, a_dtype, an_integer, promote_dtypes_inexact, strong
from . import quaternions

__all__ = ["Rotation"]


def _last(name: str, argument: str, x: Any, *lengths: int) -> Any:
    """An array that has vectors or matrices of these lengths on its last axes."""
    x = strong(promote_dtypes_inexact(f"Rotation.{name}", x)[0])
    shape = typeof(x).shape
    if shape[-len(lengths) :] != lengths:
        wanted = ", ".join(map(str, lengths))
        raise ShapeError(
            f"Rotation.{name}: {argument} must be of shape (..., {wanted}), got {shape}"
        )
    return x


def _axes(name: str, seq: str, least: int) -> tuple[tuple[int, ...], bool]:
    """The numbers of axes that letters stand for, and whether they turn with the body."""
    intrinsic = re.fullmatch("[XYZ]{1,3}", seq) is not None
    if not (intrinsic or re.fullmatch("[xyz]{1,3}", seq)) or len(seq) < least:
        count = "3" if least == 3 else "1 to 3"
        raise ValueError(
            f"Rotation.{name}: seq must be {count} letters of 'xyz' (fixed axes) or of 'XYZ' (axes "
            f"of the body), got {seq!r}"
        )
    if any(a == b for a, b in zip(seq, seq[1:])):
        raise ValueError(
            f"Rotation.{name}: letters of seq that follow each other must differ, got {seq!r}"
        )
    return tuple("xyz".index(letter) for letter in seq.lower()), intrinsic


class Rotation(NamedTuple):
    """A rotation of three-dimensional space, or a stack of them.

    It is a pytree of one array, so that it can be an argument and result of `jit`, `vmap` and
    `grad`.

    Attributes:
        quat: unit quaternions (x, y, z, w), an array of shape (4,), or (n, 4) for n rotations.

    >>> r = jx.scipy.spatial.transform.Rotation.from_euler("z", 90, degrees=True)
    >>> r.apply(jnp.array([1.0, 0.0, 0.0])).round(3)
    Array([0., 1., 0.], dtype=float32)
    """

    quat: Array

    @classmethod
    def concatenate(cls, rotations: Sequence[Rotation]) -> Rotation:
        """The stack of all rotations of several stacks.

        >>> Rotation.concatenate([Rotation.identity(2), Rotation.identity(1)]).as_quat().shape
        (3, 4)
        """
        return cls(concatenate([r.quat for r in rotations]))

    @classmethod
    def from_euler(cls, seq: str, angles: ArrayLike, degrees: bool = False) -> Rotation:
        """Rotations around axes, one after the other.

        Args:
            seq: the axes, one to three letters: of `"xyz"` for axes that stay where they are, of
                `"XYZ"` for axes that turn with the body.
            angles: a number for one axis; an array of shape (m,) for m axes; of shape (n, m), or
                (n,) for one axis, for n rotations.
            degrees: whether they are in degrees, and not in radians.

        Raises:
            ValueError: `seq` is no such thing, or there are not as many angles as axes.

        >>> Rotation.from_euler("z", 90.0, degrees=True).apply(jnp.array([1.0, 0, 0])).round(3)
        Array([0., 1., 0.], dtype=float32)
        """
        axes, intrinsic = _axes("from_euler", seq, 1)
        x = strong(promote_dtypes_inexact("Rotation.from_euler", angles)[0])
        shape = typeof(x).shape
        if len(axes) == 1 and (not shape or shape[-1] != 1):
            x = lax.expand_dims(x, (len(shape),))
        if typeof(x).shape[-1:] != (len(axes),):
            raise ShapeError(
                f"Rotation.from_euler: angles must be of shape (..., {len(axes)}) for seq "
                f"{seq!r}, got {shape}"
            )
        return cls(quaternions.from_euler(x, axes, intrinsic, bool(degrees)))

    @classmethod
    def from_matrix(cls, matrix: ArrayLike) -> Rotation:
        """The rotations of orthogonal matrices of determinant 1, of shape (..., 3, 3).

        >>> Rotation.from_matrix(jnp.eye(3)).as_quat()
        Array([0., 0., 0., 1.], dtype=float32)
        """
        return cls(quaternions.from_matrix(_last("from_matrix", "matrix", matrix, 3, 3)))

    @classmethod
    def from_mrp(cls, mrp: ArrayLike) -> Rotation:
        """Rotations of modified Rodrigues parameters: axes (..., 3), tan(angle / 4) long.

        >>> Rotation.from_mrp(jnp.array([0, 0, 1.0])).magnitude().round(4)
        Array(3.1416, dtype=float32)
        """
        return cls(quaternions.from_mrp(_last("from_mrp", "mrp", mrp, 3)))

    @classmethod
    def from_quat(cls, quat: ArrayLike) -> Rotation:
        """Rotations of quaternions (x, y, z, w) of any length, of shape (..., 4).

        >>> Rotation.from_quat(jnp.array([0, 0, 0, 2.0])).as_matrix()
        Array([[1., 0., 0.],
               [0., 1., 0.],
               [0., 0., 1.]], dtype=float32)
        """
        return cls(quaternions.normalized(_last("from_quat", "quat", quat, 4)))

    @classmethod
    def from_rotvec(cls, rotvec: ArrayLike, degrees: bool = False) -> Rotation:
        """Rotations around axes of shape (..., 3), by angles as great as these are long.

        >>> Rotation.from_rotvec(jnp.array([0, 0, 90.0]), degrees=True).magnitude().round(4)
        Array(1.5708, dtype=float32)
        """
        v = _last("from_rotvec", "rotvec", rotvec, 3)
        return cls(quaternions.from_rotvec(v, bool(degrees)))

    @classmethod
    def identity(cls, num: int | None = None, dtype: Any = float) -> Rotation:
        """The rotation that moves nothing, or `num` of it.

        >>> Rotation.identity(2).as_rotvec().tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
        """
        unit = np.array([0, 0, 0, 1]).astype(a_dtype("Rotation.identity", dtype))
        if num is not None:
            unit = np.tile(unit, (an_integer("Rotation.identity", num, "num"), 1))
        return cls(asarray(unit))

    @classmethod
    def random(cls, random_key: Any, num: int | None = None) -> Rotation:
        """A random rotation, or `num` of them, uniformly distributed.

        The direction of four normal numbers is uniform among quaternions; K. Shoemake, "Uniform
        random rotations", Graphics Gems III (1992).

        >>> turned = Rotation.random(jx.random.key(0)).apply(jnp.array([3.0, 4.0, 0.0]))
        >>> jnp.linalg.norm(turned).round(4)
        Array(5., dtype=float32)
        """
        shape = () if num is None else (an_integer("Rotation.random", num, "num"),)
        return cls.from_quat(jx_random.normal(random_key, (*shape, 4)))

    def __getitem__(self, indexer: Any) -> Rotation:  # type: ignore[override]
        """Some rotations of a stack."""
        if self.single:
            raise TypeError("a single Rotation can't be indexed")
        return Rotation(self.quat[indexer])

    def __len__(self) -> int:
        """How many rotations a stack has."""
        if self.single:
            raise TypeError("a single Rotation has no len()")
        return int(self.quat.shape[0])

    def __bool__(self) -> bool:
        return True

    def __mul__(self, other: Rotation) -> Rotation:  # type: ignore[override]
        """The rotation `other` and then this one; stacks broadcast."""
        if not isinstance(other, Rotation):
            return NotImplemented
        return Rotation.from_quat(quaternions.product(self.quat, other.quat))

    def apply(self, vectors: ArrayLike, inverse: bool = False) -> Array:
        """Vectors turned by the rotations.

        Args:
            vectors: an array of shape (3,) or (n, 3), which broadcasts with the rotations.
            inverse: turn them back.

        >>> turn = Rotation.from_rotvec(jnp.array([0, 0, jnp.pi / 2]))
        >>> turn.apply(jnp.array([1.0, 0, 0]), inverse=True).round(3)
        Array([ 0., -1.,  0.], dtype=float32)
        """
        v = _last("apply", "vectors", vectors, 3)
        return quaternions.applied(self.quat, v, bool(inverse))

    def as_euler(self, seq: str, degrees: bool = False) -> Array:
        """Euler's angles of the rotations, of shape (..., 3).

        Args:
            seq: three axes, as for `from_euler`.
            degrees: whether to give degrees, and not radians.

        Returns:
            The first and the third between -pi and pi; the second between -pi/2 and pi/2, or
            between 0 and pi where the first axis is the third. Where the first axis comes to lie
            on the third, so that only a sum is known, the third angle is zero.

        Raises:
            ValueError: `seq` is no such thing.

        >>> Rotation.from_euler("xyz", jnp.array([0.1, 0.2, 0.3])).as_euler("xyz").round(4)
        Array([0.1, 0.2, 0.3], dtype=float32)
        """
        axes, intrinsic = _axes("as_euler", seq, 3)
        return quaternions.to_euler(self.quat, axes, intrinsic, bool(degrees))

    def as_matrix(self) -> Array:
        """The matrices of the rotations, of shape (..., 3, 3).

        >>> Rotation.identity().as_matrix().tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        """
        return quaternions.to_matrix(self.quat)

    def as_mrp(self) -> Array:
        """Modified Rodrigues parameters: the axes, tan(angle / 4) long, of shape (..., 3).

        >>> Rotation.from_rotvec(jnp.array([0, 0, 2.0])).as_mrp().round(4)
        Array([0.    , 0.    , 0.5463], dtype=float32)
        """
        return quaternions.to_mrp(self.quat)

    def as_rotvec(self, degrees: bool = False) -> Array:
        """The axes, as long as the angles, of shape (..., 3).

        >>> Rotation.from_euler("z", jnp.array([90.0]), degrees=True).as_rotvec().round(4)
        Array([0.    , 0.    , 1.5708], dtype=float32)
        """
        return quaternions.to_rotvec(self.quat, bool(degrees))

    def as_quat(self, canonical: bool = False, scalar_first: bool = False) -> Array:
        """Unit quaternions, of shape (..., 4).

        Args:
            canonical: choose of q and -q the one whose first element of w, x, y, z that is not
                zero is positive.
            scalar_first: give (w, x, y, z) and not (x, y, z, w).

        >>> Rotation.identity().as_quat(scalar_first=True)
        Array([1., 0., 0., 0.], dtype=float32)
        """
        return quaternions.arranged(self.quat, bool(canonical), bool(scalar_first))

    def inv(self) -> Rotation:
        """The rotations back.

        >>> Rotation.from_rotvec(jnp.array([0, 0, 0.5])).inv().as_rotvec()[2].round(4)
        Array(-0.5, dtype=float32)
        """
        return Rotation(quaternions.inverse(self.quat))

    def magnitude(self) -> Array:
        """The angles of the rotations, between 0 and pi.

        >>> Rotation.from_rotvec(jnp.array([0, 3.0, 4.0]) / 5).magnitude().round(4)
        Array(1., dtype=float32)
        """
        return quaternions.magnitude(self.quat)

    def mean(self, weights: ArrayLike | None = None) -> Rotation:
        """The mean of a stack of rotations.

        It is the rotation of least mean square distance between matrices; F. L. Markley et al.,
        "Averaging quaternions", Journal of Guidance, Control, and Dynamics 30 (2007).

        Args:
            weights: how much each counts, of shape (n,); all the same if None.

        Raises:
            ValueError: there are not as many weights as rotations.

        >>> turns = Rotation.from_rotvec(jnp.array([[0, 0, 0.1], [0, 0, 0.3]]))
        >>> turns.mean().as_rotvec().round(4)
        Array([0. , 0. , 0.2], dtype=float32)
        """
        q = self.quat
        n = len(self)
        w = lax.full((n,), 1, typeof(q).dtype)
        if weights is not None:
            w = lax.convert_element_type(asarray(weights), typeof(q).dtype)
        if typeof(w).shape != (n,):
            raise ShapeError(
                f"Rotation.mean: weights must be of shape ({n},) for {n} rotations, got "
                f"{typeof(w).shape}"
            )
        weighted = lax.mul(q, lax.broadcast_in_dim(w, typeof(q).shape, (0,)))
        vectors, _ = lax.linalg.eigh(_matmul(lax.transpose(weighted, (1, 0)), q))
        return Rotation(lax.index_in_dim(vectors, 3, 1, keepdims=False))

    @property
    def single(self) -> bool:
        """Whether this is one rotation, and not a stack.

        >>> Rotation.identity().single, Rotation.identity(2).single
        (True, False)
        """
        return len(typeof(self.quat).shape) == 1
