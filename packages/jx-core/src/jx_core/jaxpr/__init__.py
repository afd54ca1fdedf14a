"""Jaxprs: the intermediate representation and what is done with it."""

from .checking import check_jaxpr
from .evaluate import eval_jaxpr, jaxpr_as_fun
from .ir import Atom, ClosedJaxpr, DropVar, Eqn, Jaxpr, Literal, Var, jaxprs_in, subjaxprs
from .notation import define_name, define_notation, read_value, write_value
from .passes import dead_code_elimination, define_pruning, live_equations, used_inputs

__all__ = [
    "Atom", "ClosedJaxpr", "DropVar", "Eqn", "Jaxpr", "Literal", "Var", "check_jaxpr",
    "dead_code_elimination", "define_name", "define_notation", "define_pruning", "eval_jaxpr",
    "jaxpr_as_fun", "jaxprs_in", "live_equations", "read_value", "subjaxprs", "used_inputs",
    "write_value",
]
