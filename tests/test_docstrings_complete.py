"""Every public function, class, method and property has a docstring with an example.

That the examples run is for `test_docstrings` and its kin to say.
"""

from __future__ import annotations

import importlib
import inspect
import operator
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx.core import Tracer
from jx_core.config.option import Option

MODULES = [
    "jx", "jx.ad_checkpoint", "jx.core", "jx.custom_batching", "jx.custom_derivatives", "jx.debug",
    "jx.dlpack", "jx.dtypes", "jx.errors", "jx.experimental", "jx.export", "jx.flatten_util",
    "jx.image", "jx.lax", "jx.lax.linalg", "jx.nn", "jx.nn.initializers", "jx.numpy",
    "jx.numpy.fft", "jx.numpy.linalg", "jx.ops", "jx.profiler", "jx.random", "jx.scipy.cluster.vq",
    "jx.scipy.fft", "jx.scipy.integrate", "jx.scipy.interpolate", "jx.scipy.linalg",
    "jx.scipy.ndimage", "jx.scipy.optimize", "jx.scipy.signal", "jx.scipy.sparse.linalg",
    "jx.scipy.spatial.transform", "jx.scipy.special", "jx.scipy.stats", "jx.sharding",
    "jx.stages", "jx.test_util", "jx.tree", "jx.tree_util", "jx.typing",
    *(
        x.__name__
        for name, x in vars(jx.scipy.stats).items()
        if isinstance(x, types.ModuleType) and not name.startswith("_")
    ),
]  # fmt: skip
# Whose classes keep the docstrings that they came with.
OTHERS = ("builtins", "collections", "jaxlib", "ml_dtypes", "numpy", "typing")
OUR_GETTERS = (types.FunctionType, operator.attrgetter)
# Names of types that are written out: such an alias has no docstring of its own.
ALIASES = {
    "ArrayLike", "CompilerOptions", "ConvGeneralDilatedDimensionNumbers", "DimSize",
    "DotDimensionNumbers", "KeyEntry", "KeyPath", "PrecisionLike", "Shape",
}  # fmt: skip


def public_names(module: Any) -> list[str]:
    return list(
        getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    )


def is_ours(x: Any) -> bool:
    return not (getattr(x, "__module__", None) or "").startswith(OTHERS)


def members_of(cls: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that the class itself defines."""
    for name, member in vars(cls).items():
        if name.startswith("_"):
            continue
        if isinstance(member, classmethod | staticmethod):
            member = member.__func__
        if inspect.isfunction(member) or isinstance(member, property):
            # jaxlib's own properties are of other functions than these.
            if not isinstance(member, property) or isinstance(member.fget, OUR_GETTERS):
                yield f"{cls.__name__}.{name}", member


def lacks_example(x: Any) -> bool:
    return ">>> " not in (inspect.getdoc(x) or "")


def without_example(module: Any) -> Iterator[str]:
    for name in public_names(module):
        x = getattr(module, name)
        if name in ALIASES or isinstance(x, types.ModuleType) or not (callable(x) and is_ours(x)):
            continue
        if lacks_example(x):
            yield name
        if isinstance(x, type):
            yield from (n for n, m in members_of(x) if is_ours(m) and lacks_example(m))


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_an_example(name: str) -> None:
    assert not list(without_example(importlib.import_module(name)))


@pytest.mark.parametrize("cls", [Tracer, type(jnp.ones(1))], ids=["Tracer", "Array"])
def test_every_member_of_arrays_has_an_example(cls: type) -> None:
    missing = [n for n, m in members_of(cls) if not n.endswith(".aval") and lacks_example(m)]
    assert not missing


def test_every_option_has_an_example() -> None:
    options = [x for name in dir(jx) if isinstance(x := getattr(jx, name), Option)]
    assert len(options) > 15
    assert not [option.name for option in options if lacks_example(option)]


def test_what_is_not_ours_and_what_has_no_example_is_told_from_the_rest() -> None:
    def bare() -> None:
        """Says what it does, and does not show it."""

    assert lacks_example(bare)
    assert not lacks_example(jnp.sum)
    assert is_ours(jnp.sum) and is_ours(jnp.float32) and not is_ours(np.float32)
