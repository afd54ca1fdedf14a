"""Errors as values: what a checked function returns beside its result.

An `Error` is a pytree of arrays, which goes through `jit`, `vmap`, loops and conditionals like
any other: a code, zero for no error, and for each place that can fail the values that its message
shows. The text is made when it is asked for, on the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import tree_util
from ..errors import ConcretizationTypeError
from ..ops.checks import Site
from ..trace import to_concrete

__all__ = [
    "DivisionByZeroError",
    "Error",
    "FailedCheckError",
    "JaxException",
    "JaxRuntimeError",
    "NaNError",
    "OOBError",
    "init_error",
]


class JaxException(Exception):
    """Base of the errors that a checked function can find; `Error.get_exception` gives one."""


class FailedCheckError(JaxException):
    """A `check` of the user failed."""


class NaNError(JaxException):
    """An operation gave NaN."""


class OOBError(JaxException):
    """An index was out of bounds."""


class DivisionByZeroError(JaxException):
    """A divisor was zero."""


class BatchedError(JaxException):
    """Errors of several rows of a batch."""


class JaxRuntimeError(ValueError):
    """What `Error.throw` and `check` raise."""


class Error:
    """What a checked function found: an error, or none.

    Made by `checkify`; `init_error` is the one that says there was none.

    Attributes:
        code: an int32 scalar, zero for no error; None where nothing could fail. Under `vmap`
            it has an axis for the rows.
        sites: the places that can fail.
        values: for each of them, the values that its message shows.
    """

    __slots__ = ("code", "sites", "values")

    def __init__(self, code: Any, sites: Sequence[Site], values: Sequence[Sequence[Any]]) -> None:
        self.code = code
        self.sites = tuple(sites)
        self.values = tuple(map(tuple, values))

    @classmethod
    def of(cls, sites: Sequence[Site], code: Any, values: Sequence[Any]) -> Error:
        """The error with these leaves: the code, and the values of all sites in a row."""
        following = iter(values)
        return cls(code, sites, [[next(following) for _ in s.avals] for s in sites])

    @property
    def flat_values(self) -> list[Any]:
        """The values of all sites in a row."""
        return [x for values in self.values for x in values]

    def get(self) -> str | None:
        """The message of the first check that failed, or None.

        For a batch of errors, a line for each row that has one.

        Raises:
            ConcretizationTypeError: the error is being traced; return it from the function.
        """
        error = self.get_exception()
        return None if error is None else str(error)

    def get_exception(self) -> JaxException | None:
        """The same as an exception of the class of the check that failed, not raised."""
        if self.code is None:
            return None
        codes = np.asarray(_known(self.code))
        if not codes.ndim:
            return self._exception(int(codes), ())
        failed = [(row, int(codes[row])) for row in np.ndindex(codes.shape) if codes[row]]
        if not failed:
            return None
        lines = [
            f"at mapped index {', '.join(map(str, row))}: {self._exception(code, row)}"
            for row, code in failed
        ]
        return BatchedError("\n".join(lines))

    def throw(self) -> None:
        """Raise a `JaxRuntimeError` if there is an error.

        Inside of a function that is checked itself, the error becomes one of that function's.
        """
        from .checks import check_error

        check_error(self)

    def raise_now(self) -> None:
        """Raise the error; its values must be known."""
        error = self.get_exception()
        if error is not None:
            raise JaxRuntimeError(str(error)) from error

    def _exception(self, code: int, row: tuple[int, ...]) -> JaxException | None:
        if not code:
            return None
        for place, values in zip(self.sites, self.values, strict=True):
            if place.code == code:
                shown = [np.asarray(_known(x))[row] for x in values]
                return place.category(place.message(shown))  # type: ignore[return-value]
        raise ValueError(f"an Error has the code {code}, which none of its places has")

    def __repr__(self) -> str:
        if self.code is not None and to_concrete(self.code) is None:
            return f"Error(<traced, of {len(self.sites)} places>)"
        return f"Error({self.get()})"


def _known(x: Any) -> Any:
    value = to_concrete(x)
    if value is None:
        raise ConcretizationTypeError(
            x,
            "It says whether a check failed, which is known only when the program has run: return "
            "the Error and look at it outside, or use checkify.check_error inside of a function "
            "that is checked itself.",
        )
    return value


def _flatten(error: Error) -> tuple[tuple[Any, ...], tuple[Site, ...]]:
    if error.code is None:
        return (), ()
    return (error.code, *error.flat_values), error.sites


def _unflatten(sites: tuple[Site, ...], leaves: Any) -> Error:
    leaves = tuple(leaves)
    if not leaves:
        return Error(None, (), ())
    return Error.of(sites, leaves[0], leaves[1:])


tree_util.register_pytree_node(Error, _flatten, _unflatten)

init_error = Error(None, (), ())
