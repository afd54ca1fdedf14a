"""The NumPy back end: primitives by their reference meaning, programs by interpretation.

The default where nothing else is installed, the oracle that other back ends are
tested against, and a way to step through a computation in plain NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..aval import ShapedArray
from ..config import debug_infs, debug_nans, no_execution
from ..dtypes import ExtendedDType, float0
from ..errors import UnexpectedTracerError
from ..primitive import Primitive, types_of
from ..trace import Tracer
from .interface import Backend

_nans, _infs, _forbidden = debug_nans.state, debug_infs.state, no_execution.state


class Array:
    """An immutable array that lives in host memory, wrapping an ndarray.

    Attributes:
        aval: its type.
        value: the ndarray, read-only. For extended dtypes (typed keys) it holds one
            opaque item of raw bytes an element, so that structural NumPy functions move
            elements whole.
    """

    __slots__ = ("__weakref__", "aval", "value")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    aval: ShapedArray
    value: np.ndarray

    def __init__(self, value: np.ndarray, aval: ShapedArray) -> None:
        value.flags.writeable = False
        self.value = value
        self.aval = aval

    shape = property(lambda self: self.aval.shape)
    dtype = property(lambda self: self.aval.dtype)
    ndim = property(lambda self: self.aval.ndim)
    size = property(lambda self: self.aval.size)
    weak_type = property(lambda self: self.aval.weak_type)
    nbytes = property(lambda self: self.value.nbytes)
    itemsize = property(lambda self: self.value.itemsize)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if isinstance(self.dtype, ExtendedDType):
            raise TypeError(
                f"an array of dtype {self.dtype.name} has no NumPy form; "
                f"jx.random.key_data(keys) gives its raw words"
            )
        return np.array(self.value, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.aval)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __complex__(self) -> complex:
        return complex(self.value)

    def __index__(self) -> int:
        return self.value.__index__()

    def __format__(self, spec: str) -> str:
        return format(self.value[()] if self.ndim == 0 else self, spec) if spec else str(self)

    def item(self, *index: int) -> Any:
        """The element at `index` (or the only one) as a Python number."""
        return self.value.item(*index)

    def tolist(self) -> Any:
        """The elements as nested Python lists."""
        return self.value.tolist()

    def block_until_ready(self) -> Array:
        """Computation here is never asynchronous: returns the array."""
        return self

    def devices(self) -> set[Any]:
        """The set of devices the array lies on."""
        return {HOST}

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """DLPack's protocol: a capsule that lends the memory, as `numpy.ndarray` does it.

        Raises:
            BufferError: the dtype is none of DLPack's, or the array is asked for elsewhere.
        """
        options = {
            "stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy
        }  # fmt: skip
        return self.value.__dlpack__(**{k: v for k, v in options.items() if v is not None})

    def __dlpack_device__(self) -> tuple[Any, int]:
        """DLPack's protocol: the kind and number of the device, here the CPU's."""
        return self.value.__dlpack_device__()

    device = property(lambda self: HOST)
    committed = False

    def __copy__(self) -> Array:
        return Array(self.value.copy(), self.aval)

    def __deepcopy__(self, memo: Any) -> Array:
        return Array(self.value.copy(), self.aval)

    def __reduce__(self) -> Any:
        return Array, (np.array(self.value), self.aval)

    def __repr__(self) -> str:
        if isinstance(self.dtype, ExtendedDType):
            words = np.ascontiguousarray(self.value).reshape(-1).view(np.uint32)
            shown = words.reshape((*self.shape, -1))
            return f"Array({self.shape}, dtype={self.dtype.name}) overlaying:\n{shown}"
        weak = ", weak_type=True" if self.weak_type else ""
        body = np.array2string(self.value, separator=", ", prefix="Array(")
        if not self.size and self.shape != (0,):
            body += f", shape={self.shape}"
        return f"Array({body}, dtype={self.dtype.name}{weak})"

    def __str__(self) -> str:
        return repr(self) if isinstance(self.dtype, ExtendedDType) else str(self.value)


class HostDevice:
    """The one device of the NumPy back end: the host's processor."""

    id = 0
    platform = "numpy"
    device_kind = "host"
    process_index = 0

    def __repr__(self) -> str:
        return "HostDevice(id=0)"


HOST: HostDevice = HostDevice()


def opaque_dtype(dtype: ExtendedDType) -> np.dtype:
    """The NumPy dtype that holds one element of an extended dtype as opaque bytes."""
    return np.dtype((np.void, dtype.itemsize))


def to_ndarray(x: Any, aval: ShapedArray) -> np.ndarray:
    """The operand `x` of type `aval` as an ndarray."""
    if type(x) is Array:
        return x.value
    if isinstance(x, Tracer):
        raise UnexpectedTracerError(x)
    if isinstance(aval.dtype, ExtendedDType):
        return x.value if hasattr(x, "value") else np.asarray(x)
    return np.asarray(x, aval.dtype)


class NumpyBackend(Backend):
    """Evaluates primitives by their reference meaning, in plain NumPy."""

    name = "numpy"
    array_types = (Array,)

    def evaluate(
        self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        for x in operands:
            if isinstance(x, Tracer):
                raise UnexpectedTracerError(x)
        if _forbidden.value:
            _debugging().refuse_execution(primitive.name)
        if primitive.higher_order and primitive.reference is not None:
            if primitive.effects is not None and primitive.stage is None:
                effects = primitive.effects(**params)
                if effects:
                    _refuse_checks(effects)
            if _nans.value or _infs.value:
                run = functools.partial(primitive.reference, *operands, **params)
                return _debugging().blaming_the_caller(params.get("jaxpr"), run)
            return primitive.reference(*operands, **params)
        avals = types_of(tuple(operands))
        types = primitive.result_types(avals, params)
        if primitive.reference is None:
            assert primitive.decompose is not None
            return primitive.decompose(*operands, **params)
        values = [to_ndarray(x, aval) for x, aval in zip(operands, avals, strict=True)]
        with np.errstate(all="ignore"):
            result = primitive.reference(*values, **params)
        if not primitive.multiple_results:
            results = [_wrap(result, types, primitive, values)]
        else:
            results = [_wrap(r, t, primitive, values) for r, t in zip(result, types, strict=True)]
        if _nans.value or _infs.value:
            _debugging().check_primitive(primitive.name, results, self.get)
        return results if primitive.multiple_results else results[0]

    def put(self, value: Any, aval: ShapedArray, placement: Any = None) -> Any:
        if placement is not None and not isinstance(placement, HostDevice):
            raise TypeError(
                f"the numpy back end has one device, {HOST}; can't put an array on {placement!r}"
            )
        if type(value) is Array and value.aval is aval:
            return value
        if aval.dtype == float0:
            return np.zeros(aval.shape, float0)  # the tangents of integers are plain ndarrays
        if isinstance(aval.dtype, ExtendedDType):
            return Array(np.array(value.value), aval)
        return Array(np.array(value, aval.dtype).reshape(aval.shape), aval)

    def get(self, array: Any) -> np.ndarray:
        return array.value if type(array) is Array else np.asarray(array)

    def devices(self, platform: str | None = None) -> list[Any]:
        return [HOST]


def _debugging() -> Any:
    from .. import debugging

    return debugging


def _refuse_checks(effects: frozenset[Any]) -> None:
    """What compiles programs can't raise a check's error, so a staged check is refused here too."""
    from ..ops.checks import refuse_checks

    refuse_checks(effects)


def _wrap(
    result: Any, aval: ShapedArray, primitive: Primitive, operands: Sequence[np.ndarray]
) -> Array:
    value = np.asarray(result)
    if value.dtype != aval.dtype and not isinstance(aval.dtype, ExtendedDType):
        value = value.astype(aval.dtype)
    if value.shape != aval.shape:
        raise AssertionError(
            f"the reference meaning of {primitive} gave shape {value.shape}, "
            f"its shape rule {aval.shape}"
        )
    if value.flags.writeable and (value.base is not None or any(value is x for x in operands)):
        value = value.copy()  # it shares memory with something its owner may write to
    return Array(value, aval)
