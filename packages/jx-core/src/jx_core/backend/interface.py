"""What a back end must offer for jx's layers to run on it.

A back end computes: it evaluates one primitive, runs a staged program, holds
arrays, and may give `jit` a dispatcher that is faster than plain Python. The
NumPy one in this folder is the smallest; XLA's lives in `jx_xla`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..aval import ShapedArray
    from ..dispatch import CallSpec
    from ..primitive import Primitive


class Backend(ABC):
    """The interface of a back end. Subclass it, then `register` an instance.

    Attributes:
        name: what `backend.use(name)` calls it.
        array_types: the classes of its arrays. Each instance has `aval`, `shape`, `dtype`.
    """

    name: str
    array_types: tuple[type, ...]

    @abstractmethod
    def evaluate(
        self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        """Compute one primitive on arrays, NumPy values and Python scalars.

        A staged call arrives as the primitive `jit` with its program in `params["jaxpr"]`.
        Returns one array, or a list for a primitive with several results.

        Raises:
            UnexpectedTracerError: an operand is a tracer whose trace has ended.
        """

    @abstractmethod
    def put(self, value: Any, aval: ShapedArray, placement: Any = None) -> Any:
        """An array of this back end of type `aval` that holds a copy of `value`.

        Args:
            value: an ndarray, a Python number, or an array of any back end.
            aval: the type of the result.
            placement: a device or sharding of this back end, or None for its default.
        """

    @abstractmethod
    def get(self, array: Any) -> np.ndarray:
        """The array's elements as an ndarray (typed keys: their raw words)."""

    @abstractmethod
    def devices(self, platform: str | None = None) -> list[Any]:
        """The devices it computes on, the default one first."""

    def dispatcher(self, spec: CallSpec) -> Callable[..., Any] | None:
        """A fast callable for `spec`, or None to take the plain road.

        It must behave as `lambda *args, **kwargs: spec.miss(*args, **kwargs)[0]` does,
        and may answer repeated calls of one signature without calling `spec.miss`, which
        returns the result and, where the call may be remembered, the `Staged` program.
        """
        return None

    def lower(self, traced: Any, **options: Any) -> Any:
        """Lower a `Traced` call for ahead-of-time compilation.

        Raises:
            BackendError: this back end has no compiler.
        """
        from ..errors import BackendError

        raise BackendError(
            f"the {self.name} back end interprets programs and can't lower them: "
            f"use the XLA back end (install jx-xla and `import jx_xla`)"
        )
