"""`Slerp`: a path through rotations, along the shortest way from each to the next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jx_core import lax, typeof
from jx_core.errors import ShapeError
from jx_core.trace import Tracer

from ....calculus import diff
from ....creation import asarray
from ....operands import Array, ArrayLike
from ....sorting import searchsorted
from .rotation import Rotation

__all__ = ["Slerp"]


class Slerp(NamedTuple):
    """A path through rotations at given times, turning evenly between each and the next.

    K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985. `Slerp.init` makes one;
    it is a pytree.

    Attributes:
        times: the times, of shape (n,).
        timedelta: how long it takes from each to the next.
        rotations: the rotations but the last.
        rotvecs: from each to the next, as axes that are as long as angles.

    >>> transform = jx.scipy.spatial.transform
    >>> turns = transform.Rotation.from_euler("z", jnp.array([0.0, 90.0]), degrees=True)
    >>> path = transform.Slerp.init(jnp.array([0.0, 1.0]), turns)
    >>> path(0.5).as_euler("xyz", degrees=True).round(3)
    Array([ 0.,  0., 45.], dtype=float32)
    """

    times: Array
    timedelta: Array
    rotations: Rotation
    rotvecs: Array

    @classmethod
    def init(cls, times: ArrayLike, rotations: Rotation) -> Slerp:
        """The path through a stack of at least two rotations at increasing times.

        Raises:
            TypeError: `rotations` is no `Rotation`.
            ValueError: there are less than two of them, or not as many times, or the times, where
                they are known, do not increase.

        >>> turns = Rotation.from_rotvec(jnp.array([[0, 0, 0.0], [0, 0, 1.0]]))
        >>> Slerp.init(jnp.array([0.0, 1.0]), turns)(0.25).magnitude().round(4)
        Array(0.25, dtype=float32)
        """
        if not isinstance(rotations, Rotation):
            raise TypeError(f"Slerp.init: rotations must be a Rotation, got {rotations!r:.80}")
        if rotations.single or len(rotations) < 2:
            raise ValueError("Slerp.init: rotations must be a stack of at least two rotations")
        q = rotations.quat
        t = asarray(times, dtype=typeof(q).dtype)
        n = len(rotations)
        if typeof(t).shape != (n,):
            raise ShapeError(
                f"Slerp.init: times must be of shape ({n},) for {n} rotations, got "
                f"{typeof(t).shape}"
            )
        steps = diff(t)
        if not isinstance(steps, Tracer) and not np.all(np.asarray(steps) > 0):
            raise ValueError("Slerp.init: times must increase from each to the next")
        starts = Rotation(lax.slice_in_dim(q, 0, n - 1))
        turns = starts.inv() * Rotation(lax.slice_in_dim(q, 1, n))
        return cls(t, steps, starts, turns.as_rotvec())

    def __call__(self, times: ArrayLike) -> Rotation:
        """The rotations at some times.

        Args:
            times: a number, or an array of shape (m,). Before the first and after the last the
                path turns on as it did beside them.

        Raises:
            ValueError: there is more than one axis.
        """
        t = asarray(times, dtype=typeof(self.times).dtype)
        if typeof(t).ndim > 1:
            raise ShapeError(f"Slerp: times must have at most one axis, got {typeof(t).shape}")
        last = typeof(self.times).shape[0] - 2
        place = lax.convert_element_type(searchsorted(self.times, t) - 1, np.int32)
        place = lax.clamp(np.int32(0), place, np.int32(last))
        part = (t - self.times[place]) / self.timedelta[place]
        turn = self.rotvecs[place] * part[..., None]
        return self.rotations[place] * Rotation.from_rotvec(turn)
