"""Which jaxlib this process uses, and the guard that keeps it for jx alone.

jaxlib lends its array class to one owner in a process: whoever sets methods on
it. jx and the package `jax` both do, so this module refuses to load beside
`jax`, and makes a later ``import jax`` fail with the reason instead of letting
one corrupt the other. Other packages that merely look whether `jax` is
installed (`importlib.util.find_spec`) are told the truth.

Here too is process-wide set-up that must happen once. Not here: what jaxlib
expects to find in Python (`lookups`), and anything about devices.
"""

from __future__ import annotations

import gc
import importlib.machinery
import os
import re
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

__all__ = ["JAXLIB_VERSION", "hlo", "jaxlib_version", "xla"]

MINIMUM = (0, 10, 2)
BELOW = (0, 13)

_ONE_OWNER = (
    "jx and jax can't be imported in one process: both put their own methods on jaxlib's array "
    "class, which has room for one owner. {cure}"
)


def parse_version(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: ``"0.12.0.1"`` gives (0, 12, 0, 1)."""
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def check_version(text: str) -> tuple[int, ...]:
    """The version as numbers.

    Raises:
        ImportError: it is none that jx supports.
    """
    version = parse_version(text)
    if not MINIMUM <= version < BELOW:
        at_least, below = ".".join(map(str, MINIMUM)), ".".join(map(str, BELOW))
        raise ImportError(
            f"jx needs jaxlib >={at_least},<{below}, and jaxlib {text} is installed: "
            f'run pip install "jaxlib>={at_least},<{below}"'
        )
    return version


# Finder and loader are plain classes: importlib.abc, their base, takes 6 ms to import.
class _Refusal:
    """A loader that says why it does not load."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> NoReturn:
        raise ImportError(
            _ONE_OWNER.format(
                cure="jx is imported already: run the part that needs jax in a process of its "
                "own, or use jx's module of the same name (jx.numpy for jax.numpy)."
            ),
            name=spec.name,
        )

    def exec_module(self, module: ModuleType) -> None:
        """Never reached: `create_module` raises."""


class _JaxFinder:
    """Finds `jax` where it is installed, and has it refuse to load."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "jax":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Refusal()  # type: ignore[assignment]
        return spec


def _keep_for_jx() -> None:
    if "jax" in sys.modules:
        raise ImportError(
            _ONE_OWNER.format(
                cure="jax is imported already: import only one of them in this process."
            )
        )
    sys.meta_path.insert(0, _JaxFinder())  # type: ignore[arg-type]


_keep_for_jx()

# Read by jaxlib's logging when it is loaded: errors only, unless the user wants more.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

try:
    from jaxlib.version import __version__ as jaxlib_version
except ImportError as error:
    raise ImportError(
        'the XLA back end of jx needs jaxlib: run pip install "jaxlib>=0.10.2,<0.13"'
    ) from error

JAXLIB_VERSION = check_version(jaxlib_version)

from jaxlib import _hlo as hlo  # noqa: E402
from jaxlib import _jax as xla  # noqa: E402

# jaxlib records a stack trace with every array it makes, for its heap profiles. That
# costs a dispatch 5 to 15%, and jx keeps the user's line with the program instead.
xla.set_tracebacks_enabled(False)


def _free_deferred_references(phase: str, info: dict[str, int]) -> None:
    """Release Python objects whose last owner was a C++ thread without the GIL."""
    if phase == "stop":
        xla.collect_garbage()


gc.callbacks.append(_free_deferred_references)


_OF_THE_BODY = {
    "__annotations__", "__dict__", "__firstlineno__", "__module__", "__static_attributes__",
    "__weakref__",
}  # fmt: skip


def furnish(cpp_class: type) -> Any:
    """A class decorator: put the class body's members on a class of jaxlib's instead.

    jaxlib's C++ recognises its own classes by identity and answers for subclasses
    slowly or not at all, so jx gives those classes their Python half in place.
    """

    def move(body: type) -> type:
        for name, member in body.__dict__.items():
            if name not in _OF_THE_BODY:
                setattr(cpp_class, name, member)
        return cpp_class

    return move
