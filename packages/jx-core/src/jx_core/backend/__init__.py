"""Back ends: what they must offer, which are registered, which one is in use.

`register` adds one and may make it the default; `use` selects one for a block of
code; `current` is the one that eager operations go to now.

>>> from jx_core import backend, lax
>>> with backend.use("numpy"):
...     lax.add(1.0, 2.0)
Array(3., dtype=float32, weak_type=True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..array_methods import install
from ..errors import BackendError
from ..state import state
from ..trace import default_backend
from .interface import Backend
from .numpy_backend import Array, NumpyBackend

__all__ = [
    "Array", "Backend", "NumpyBackend", "current", "default", "register", "registered", "use",
]  # fmt: skip

_registered: dict[str, Backend] = {}


def register(backend: Backend, *, default: bool = False) -> None:
    """Make `backend` known under its name, install the operators on its arrays, and
    with `default=True` make it the one that every thread uses from now on.

    Raises:
        TypeError: `backend` is not an instance of `Backend`.
    """
    if not isinstance(backend, Backend):
        raise TypeError(
            f"register: expected an instance of jx_core.backend.Backend, got {backend!r}"
        )
    _registered[backend.name] = backend
    for cls in backend.array_types:
        install(cls, backend)
    if default:
        default_backend.value = backend


def registered() -> dict[str, Backend]:
    """The registered back ends by name."""
    return dict(_registered)


def current() -> Backend:
    """The back end that eager operations of this thread go to."""
    return state.backend or default_backend.value  # type: ignore[no-any-return]


def default() -> Backend:
    """The process-wide default back end."""
    return default_backend.value  # type: ignore[no-any-return]


def lookup(name: str) -> Backend:
    """The back end registered as `name`.

    Raises:
        BackendError: there is none of that name.
    """
    if name not in _registered:
        cure = "; `import jx_xla` registers it (package jx-xla)" if name == "xla" else ""
        raise BackendError(
            f"no back end named {name!r} is registered, only {sorted(_registered)}{cure}"
        )
    return _registered[name]


@contextmanager
def use(name: str) -> Iterator[Backend]:
    """Send this thread's eager operations to the back end `name` inside the block.

    Raises:
        BackendError: there is none of that name.
    """
    before = state.backend
    chosen = state.backend = lookup(name)
    for listener in selection_listeners:
        listener(chosen)
    try:
        yield chosen
    finally:
        state.backend = before
        for listener in selection_listeners:
            listener(before)


# Called with the Backend that a thread selects (None: back to the default), so that a
# compiled dispatcher can step aside while another back end is in use.
selection_listeners: list[Callable[[Backend | None], None]] = []

register(NumpyBackend(), default=True)
