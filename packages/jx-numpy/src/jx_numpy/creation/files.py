"""Arrays read from buffers, texts, files and other libraries, and written to files."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import backend, dtypes

from ..operands import Array, ArrayLike
from .conversion import asarray

__all__ = [
    "from_dlpack", "frombuffer", "fromfile", "fromiter", "fromstring", "load", "save", "savez",
]  # fmt: skip


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Array:
    """A one-dimensional array of the bytes of a buffer.

    Args:
        buffer: an object with the buffer interface, such as bytes.
        dtype: the dtype the bytes are read as.
        count: how many elements to read; all if -1.
        offset: where to begin, in bytes.

    Raises:
        ValueError: the buffer is too short, or no whole number of elements long.

    >>> jnp.frombuffer(bytes([1, 2, 3]), dtype=jnp.uint8)
    Array([1, 2, 3], dtype=uint8)
    """
    return asarray(np.frombuffer(buffer, _host_dtype(dtype), count, offset))


def fromstring(string: str, dtype: Any = float, count: int = -1, *, sep: str) -> Array:
    """A one-dimensional array of the numbers in a text.

    Args:
        string: the text.
        dtype: the numbers' dtype.
        count: how many to read; all if -1.
        sep: what separates them.

    >>> jnp.fromstring("1 2 3", dtype=int, sep=" ")
    Array([1, 2, 3], dtype=int32)
    """
    return asarray(np.fromstring(string, _host_dtype(dtype), count, sep=sep))


def fromfile(*args: Any, **kwargs: Any) -> Array:
    """A one-dimensional array read from a binary or text file, by `numpy.fromfile`.

    Args:
        args, kwargs: what `numpy.fromfile` takes.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     np.arange(3, dtype=np.uint8).tofile(file.name)
    ...     jnp.fromfile(file.name, dtype=np.uint8)
    Array([0, 1, 2], dtype=uint8)
    """
    return asarray(np.fromfile(*args, **kwargs))


def fromiter(*args: Any, **kwargs: Any) -> Array:
    """A one-dimensional array of what an iterable yields, by `numpy.fromiter`.

    Args:
        args, kwargs: what `numpy.fromiter` takes.

    >>> jnp.fromiter((i * i for i in range(3)), dtype=int)
    Array([0, 1, 4], dtype=int32)
    """
    return asarray(np.fromiter(*args, **kwargs))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """An array of one that another library holds, exchanged by DLPack.

    Args:
        x: an object with `__dlpack__` and `__dlpack_device__`.
        device: the device to put it on.
        copy: True to copy always; False to raise where a copy is needed.

    Raises:
        TypeError: `x` has no DLPack interface.
        ValueError: `copy` is False and the back end needs one.

    >>> jnp.from_dlpack(np.arange(3, dtype=np.int32))
    Array([0, 1, 2], dtype=int32)
    """
    if not hasattr(x, "__dlpack__"):
        raise TypeError(f"jnp.from_dlpack takes an object with __dlpack__, got {type(x).__name__}")
    if hasattr(x, "aval"):
        return asarray(x, copy=copy, device=device)
    importer = getattr(backend.current(), "from_dlpack", None)
    if importer is not None:
        return importer(x, device=device, copy=copy)
    if copy is False:
        raise ValueError("jnp.from_dlpack: copy=False, but this back end copies what it is given")
    return asarray(np.from_dlpack(x), device=device)


def _host_dtype(dtype: Any) -> np.dtype[Any]:
    own = getattr(dtype, "dtype", None)  # NumPy's classes have one, too, but it is no dtype
    return own if isinstance(own, np.dtype) else np.dtype(dtype)


def save(file: Any, arr: ArrayLike, allow_pickle: bool = True) -> None:
    """Write an array to a file in NumPy's format, by `numpy.save`.

    >>> import io
    >>> buffer = io.BytesIO()
    >>> jnp.save(buffer, jnp.arange(3))
    >>> _ = buffer.seek(0)
    >>> jnp.load(buffer)
    Array([0, 1, 2], dtype=int32)
    """
    np.save(file, np.asarray(arr), allow_pickle=allow_pickle)


def savez(file: Any, *args: ArrayLike, allow_pickle: bool = True, **kwds: ArrayLike) -> None:
    """Write several arrays to one file in NumPy's format, by `numpy.savez`.

    >>> import io
    >>> buffer = io.BytesIO()
    >>> jnp.savez(buffer, x=jnp.arange(3))
    >>> _ = buffer.seek(0)
    >>> np.load(buffer)["x"]
    array([0, 1, 2], dtype=int32)
    """
    arrays = [np.asarray(x) for x in args]
    np.savez(
        file, *arrays, allow_pickle=allow_pickle, **{k: np.asarray(v) for k, v in kwds.items()}
    )


def load(file: Any, *args: Any, **kwargs: Any) -> Any:
    """Read what `save` wrote: an array. Of a file of several, NumPy's mapping of them.

    dtypes that NumPy has no name for (bfloat16, say) come back as they were.

    >>> import io
    >>> buffer = io.BytesIO()
    >>> jnp.save(buffer, jnp.ones(2))
    >>> _ = buffer.seek(0)
    >>> jnp.load(buffer)
    Array([1., 1.], dtype=float32)
    """
    found = np.load(file, *args, **kwargs)
    if not isinstance(found, np.ndarray):
        return found
    if found.dtype.kind == "V" and found.dtype.itemsize == 2 and found.dtype.names is None:
        found = found.view(dtypes.bfloat16)  # NumPy's format keeps only the size of its items
    return asarray(found)
