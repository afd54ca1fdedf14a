"""Python functions as programs hold them, and calling them: arguments in, checked results out."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ... import dtypes, tree
from ...aval import ShapedArray, typeof
from ...jaxpr.notation import define_name, define_notation
from ...staging import function_name
from ...state import state, swap_trace
from ...trace import EVAL, Tracer


class HostFunction:
    """A Python function that programs call.

    Attributes:
        name: what printed programs call it.
        what: the user's call that made it, for messages: `pure_callback of interpolate`.
    """

    __slots__ = ("__weakref__", "fun", "in_tree", "name", "out_tree", "what")

    def __init__(self, fun: Callable[..., Any], in_tree: Any, out_tree: Any, caller: str) -> None:
        """
        Args:
            fun: takes and returns pytrees of arrays.
            in_tree: the tree of (args, kwargs).
            out_tree: the tree of the result, None where that does not matter.
            caller: the public function that was given `fun`.
        """
        self.fun = fun
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.what = f"{caller} of {function_name(fun)}"
        self.name = _register(self, function_name(fun))

    def __call__(self, result_avals: Sequence[ShapedArray], *leaves: Any) -> list[np.ndarray]:
        """Call the function on arrays.

        Raises:
            TypeError: the result has another tree, or an array in it another dtype.
            ValueError: an array in the result has another shape.
        """
        args, kwargs = tree.unflatten(self.in_tree, leaves)
        result = self.fun(*args, **kwargs)
        if self.out_tree is None:
            return []
        values = self._leaves(result)
        return [
            _host_value(x, aval, self, i)
            for i, (x, aval) in enumerate(zip(values, result_avals, strict=True))
        ]

    def _leaves(self, result: Any) -> list[Any]:
        values, got = tree.flatten(result)
        if got != self.out_tree and _paths(got) != _paths(self.out_tree):
            raise TypeError(
                f"the result of {self.what} does not have the tree of result_shape_dtypes:\n"
                f"  expected {self.out_tree}\n"
                f"  got      {got}"
            )
        return values

    def where(self, position: int) -> str:
        """What to call a leaf of the result: `['x']`, or nothing where it is the whole."""
        return _paths(self.out_tree)[position]


class Rows:
    """A function of batches that calls one of rows for each of them, in order."""

    __slots__ = ("__weakref__", "dims", "name", "row", "size", "what")

    def __init__(self, row: Any, dims: Sequence[int | None], size: int) -> None:
        self.row = row
        self.dims = tuple(dims)
        self.size = size
        self.what = row.what
        self.name = _register(self, f"rows_of_{row.name}")

    def __call__(self, result_avals: Sequence[ShapedArray], *batches: Any) -> list[np.ndarray]:
        avals = [a.update(shape=a.shape[1:]) for a in result_avals]
        parts = [
            itertools.repeat(x, self.size) if d is None else rows_of(x, d)
            for x, d in zip(batches, self.dims, strict=True)
        ]
        rows = [self.row(avals, *row) for row in _zip(parts, self.size)]
        if not rows:
            return [np.zeros(a.shape, storage_dtype(a)) for a in result_avals]
        return [np.stack(column) for column in zip(*rows, strict=True)]


def _zip(parts: Sequence[Any], size: int) -> Any:
    return zip(*parts, strict=False) if parts else itertools.repeat((), size)


def rows_of(batch: Any, dim: int) -> Any:
    """The rows of an array on the host, as arrays of the same back end."""
    from ... import backend
    from ...lax import index_in_dim

    aval = typeof(batch)
    here = backend.current()
    if isinstance(aval.dtype, dtypes.ExtendedDType):
        return (index_in_dim(batch, i, dim, keepdims=False) for i in range(aval.shape[dim]))
    row = aval.update(shape=aval.shape[:dim] + aval.shape[dim + 1 :])
    return (here.put(value, row) for value in np.moveaxis(np.asarray(here.get(batch)), dim, 0))


@contextmanager
def outside_of_tracing() -> Iterator[None]:
    """Have this thread compute at once, whatever it is tracing."""
    before, place = swap_trace(EVAL), state.source
    state.source = None
    try:
        yield
    finally:
        swap_trace(before)
        state.source = place


def evaluate(
    callback: Any, result_avals: Sequence[ShapedArray], operands: Sequence[Any]
) -> list[Any]:
    """What an equation of a callback computes, on and as arrays of the current back end."""
    from ... import backend
    from ...errors import UnexpectedTracerError

    for x in operands:
        if isinstance(x, Tracer):
            raise UnexpectedTracerError(x)
    here = backend.current()
    arrays = [x if hasattr(x, "aval") else here.put(x, typeof(x)) for x in operands]
    with outside_of_tracing():
        values = callback(result_avals, *arrays)
    return [to_array(v, a) for v, a in zip(values, result_avals, strict=True)]


def to_array(value: np.ndarray, aval: ShapedArray) -> Any:
    """What a callback has returned as an array of the current back end."""
    from ... import backend

    return backend.current().put(_Words(value) if _extended(aval) else value, aval)


class _Words:
    """The words of typed keys, as back ends take them."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value


def storage_dtype(aval: ShapedArray) -> Any:
    """The NumPy dtype that elements of a type are held in on the host."""
    from ...backend.numpy_backend import opaque_dtype

    return opaque_dtype(aval.dtype) if _extended(aval) else aval.dtype


def _extended(aval: ShapedArray) -> bool:
    return isinstance(aval.dtype, dtypes.ExtendedDType)


def _host_value(x: Any, aval: ShapedArray, function: HostFunction, position: int) -> np.ndarray:
    """A leaf of a result as an ndarray of the type that was promised."""
    if type(x) is np.ndarray and x.dtype == aval.dtype and x.shape == aval.shape:
        return x
    try:
        have = typeof(x)
    except TypeError:
        x = np.asarray(x)  # another library's array
        have = typeof(x)
    if have.shape != aval.shape:
        raise ValueError(
            f"the result{function.where(position)} of {function.what} has the wrong shape: "
            f"expected {aval.str_short()}, got {have.str_short()}"
        )
    if have.dtype != aval.dtype and not _fits(x, aval):
        raise TypeError(
            f"the result{function.where(position)} of {function.what} has the wrong dtype: "
            f"expected {aval.str_short()}, got {have.str_short()}; return it as "
            f"{aval.dtype.name}, or say in result_shape_dtypes what it is"
        )
    if _extended(aval):
        return _key_words(x, aval)
    from ... import backend

    value = backend.current().get(x) if hasattr(x, "aval") else x
    return np.asarray(value, aval.dtype)


def _key_words(x: Any, aval: ShapedArray) -> np.ndarray:
    """Typed keys as opaque elements of the size of their words."""
    from ... import backend

    words: np.ndarray = np.ascontiguousarray(backend.current().get(x))
    whole: np.ndarray = words.view(storage_dtype(aval))
    return whole.reshape(aval.shape)


_KINDS = {bool: 0, int: 1, float: 2, complex: 3}


def _fits(x: Any, aval: ShapedArray) -> bool:
    """Whether `x` is a Python number, which takes the dtype that is asked for if it can."""
    if type(x) not in _KINDS or _extended(aval):
        return False
    kinds = (np.integer, np.floating, np.complexfloating)
    wanted = next((i + 1 for i, k in enumerate(kinds) if dtypes.issubdtype(aval.dtype, k)), 0)
    return _KINDS[type(x)] <= wanted


def _paths(structure: Any) -> list[str]:
    leaves = tree.leaves_with_path(tree.unflatten(structure, range(structure.num_leaves)))
    return [tree.keystr(path) for path, _ in leaves]


def result_types(what: str, result_shape_dtypes: Any) -> tuple[tuple[ShapedArray, ...], Any]:
    """The types of the promised results, and their tree.

    Raises:
        TypeError: a leaf has no shape and dtype.
        ValueError: a dtype needs `enable_x64`.
    """
    leaves, out_tree = tree.flatten(result_shape_dtypes)
    avals = []
    for i, leaf in enumerate(leaves):
        if not (hasattr(leaf, "shape") and hasattr(leaf, "dtype")):
            raise TypeError(
                f"{what}: result_shape_dtypes must be a pytree of objects with a shape and a "
                f"dtype (jx.ShapeDtypeStruct), got {leaf!r} of type {type(leaf).__name__} at "
                f"result_shape_dtypes{_paths(out_tree)[i]}"
            )
        dtype = leaf.dtype
        if not isinstance(dtype, dtypes.ExtendedDType):
            dtype = np.dtype(dtype)
            if (held := dtypes.canonicalize_dtype(dtype)) != dtype:
                raise ValueError(
                    f"{what}: result_shape_dtypes cannot specify 64-bit types when enable_x64 is "
                    f"off, got {dtype.name}: ask for {held.name}, or set "
                    f"jx.config.update('jx_enable_x64', True)"
                )
        avals.append(ShapedArray(tuple(leaf.shape), dtype))
    return tuple(avals), out_tree


def check_sharding(what: str, sharding: Any) -> None:
    """Raise a TypeError unless a callback's sharding names one device, or is None."""
    if sharding is not None and getattr(sharding, "num_devices", None) != 1:
        raise TypeError(
            f"{what}: sharding must be a sharding of one device, which runs the callback "
            f"(jx.sharding.SingleDeviceSharding), got {sharding!r}"
        )


def flatten_arguments(what: str, args: Any, kwargs: Any) -> tuple[list[Any], Any]:
    """The leaves and tree of a callback's arguments, which must be arrays.

    Raises:
        TypeError: one is not.
    """
    leaves, in_tree = tree.flatten((args, kwargs))
    for i, x in enumerate(leaves):
        try:
            typeof(x)
        except TypeError as error:
            path: Any = tree.leaves_with_path((args, kwargs))[i][0]
            named = tree.keystr(path[1:2]) if path[0].idx == 0 else path[1].key
            raise TypeError(
                f"{what}: argument {named}{tree.keystr(path[2:])} must be an array: {error}. "
                f"Pass other values to the function by closure or functools.partial"
            ) from None
    return leaves, in_tree


# Functions by name, so that programs that hold them can be printed and read.
_functions: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
_numbers = itertools.count(2)


def _register(function: Any, wanted: str) -> str:
    base = "".join(c if c.isalnum() or c == "_" else "_" for c in wanted).strip("_")
    name = f"{base}_cb" if base[:1].isalpha() else f"_{base}_cb"
    if name in _functions:
        name = f"{name}{next(_numbers)}"
    _functions[name] = function
    return name


for _class in (HostFunction, Rows):
    define_name(_class, lambda f: f.name, _functions.get)
define_notation(
    ShapedArray, lambda a: {"shape": a.shape, "dtype": a.dtype, "weak_type": a.weak_type}
)
