"""jx-core: primitives, tracing, Jaxprs and staging, evaluated in plain NumPy.

Everything here runs without a compiled runtime. Transformations (`jx_ad`,
`jx_batching`) and back ends (`jx_xla`) are packages above, built on the names below.
"""

import importlib as _importlib
from typing import Any as _Any

from . import backend, dtypes, errors, source, symbolic, tree, tree_util
from ._version import __version__
from .array import Array
from .array_methods import define as define_array_member
from .aval import ShapedArray, ShapeDtypeStruct, typeof
from .config import config
from .dispatch import compiled
from .jaxpr import (
    ClosedJaxpr,
    Eqn,
    Jaxpr,
    Literal,
    Var,
    check_jaxpr,
    dead_code_elimination,
    eval_jaxpr,
    jaxpr_as_fun,
)
from .jit import jit
from .primitive import Primitive, RuleTable, all_primitives
from .source import named_scope
from .staging import eval_shape, make_jaxpr
from .symbolic import is_symbolic_dim
from .symbolic import maximum as max_dim
from .symbolic import minimum as min_dim
from .trace import Trace, Tracer, ensure_compile_time_eval

__all__ = [
    "Array", "ClosedJaxpr", "Eqn", "Jaxpr", "Literal", "Primitive", "RuleTable",
    "ShapeDtypeStruct", "ShapedArray", "Trace", "Tracer", "Var", "__version__",
    "all_primitives", "backend", "check_jaxpr", "compiled", "config", "dead_code_elimination",
    "define_array_member", "dtypes", "ensure_compile_time_eval", "errors", "eval_jaxpr",
    "eval_shape", "is_symbolic_dim", "jaxpr_as_fun", "jit", "lax", "make_jaxpr", "max_dim",
    "min_dim", "named_scope", "operators", "source", "symbolic", "tree", "tree_util", "typeof",
]  # fmt: skip


def __getattr__(name: str) -> _Any:
    # The op families are most of jx-core; they load when something is first computed.
    if name in ("lax", "operators"):
        return _importlib.import_module(f"jx_core.{name}")
    raise AttributeError(f"module 'jx_core' has no attribute {name!r}")
