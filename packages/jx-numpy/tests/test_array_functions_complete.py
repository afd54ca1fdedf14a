"""The op database of array functions has calls of every public function, with every parameter."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import jx_numpy as jnp
from array_functions import calls
from jx_numpy import flatten_util, image, methods, nn, ops, scipy

MODULES = {
    "numpy": jnp, "numpy.linalg": jnp.linalg, "numpy.fft": jnp.fft, "nn": nn, "ops": ops,
    "flatten_util": flatten_util, "image": image, "scipy.cluster.vq": scipy.cluster.vq,
    "scipy.fft": scipy.fft, "scipy.integrate": scipy.integrate,
    "scipy.interpolate": scipy.interpolate, "scipy.ndimage": scipy.ndimage,
    "scipy.signal": scipy.signal,
}  # fmt: skip

# Functions that have no calls, and why.
WITHOUT_CALLS = {
    "numpy.fromfile": "reads a file: its example is run",
    "numpy.load": "called with numpy.save and numpy.savez",
    "numpy.get_printoptions": "NumPy's own",
    "numpy.printoptions": "NumPy's own",
    "numpy.set_printoptions": "NumPy's own",
}

# Parameters that no call gives, and why.
NOT_GIVEN = {
    "out": "must be None: arrays are immutable",
    "out_sharding": "where results lie is the subject of the tests of meshes",
    "precision": "a hint to accelerators, given to the products of matrices",
    "device": "of one kind here: creation has its own tests",
    "_dot_general": "a hook for quantised products",
    "overwrite_input": "must be False: arrays are immutable",
    "overwrite_data": "must be None: arrays are immutable",
    "inplace": "must be False: arrays are immutable",
    "allow_pickle": "of files",
}


def functions() -> dict[str, Any]:
    """The public functions by name."""
    found = {}
    for module, home in MODULES.items():
        names = getattr(home, "__all__", None) or [n for n in dir(home) if not n.startswith("_")]
        for name in names:
            function = getattr(home, name)
            if callable(function) and not isinstance(function, type):
                found[f"{module}.{name}"] = function
    scalar_types = {n for n in found if type(found[n]).__name__ == "ScalarType"}
    return {n: f for n, f in found.items() if n not in scalar_types}


FUNCTIONS = functions()
CALLS = [call for made in calls().values() for call in made]
BY_FUNCTION: dict[int, list[Any]] = {}
for _call in CALLS:
    BY_FUNCTION.setdefault(id(_call.function), []).append(_call)


def calls_of(name: str) -> list[Any]:
    return BY_FUNCTION.get(id(FUNCTIONS[name]), []) + calls().get(name, [])


def test_every_public_function_has_calls():
    missing = {n for n in FUNCTIONS if not calls_of(n)}
    assert missing == set(WITHOUT_CALLS)


def given(function: Any, made: list[Any]) -> set[str]:
    """The parameters that calls give."""
    signature = inspect.signature(function)
    names: set[str] = set()
    for call in made:
        if call.function is function:
            names.update(signature.bind(*call.args, **call.kwargs).arguments)
        else:  # through a function of its own: by name
            names.update(call.kwargs)
    return names


# Functions called through others, so that which parameters they are given is not seen.
THROUGH_OTHERS = {
    "numpy.argpartition", "numpy.frompyfunc", "numpy.from_dlpack", "numpy.save", "numpy.savez",
    "numpy.vectorize", "numpy.array_repr", "numpy.array_str", "numpy.partition",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - set(WITHOUT_CALLS) - THROUGH_OTHERS))
def test_every_parameter_is_given_by_some_call(name):
    function = FUNCTIONS[name]
    parameters = inspect.signature(function).parameters.values()
    named = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    unused = {"where"} if isinstance(function, jnp.ufunc) else set()  # must be None, as in JAX
    assert named - given(function, calls_of(name)) <= set(NOT_GIVEN) | unused


def test_every_method_has_calls():
    have = {name.removeprefix("Array.") for name in calls() if name.startswith("Array.")}
    members = {*methods._METHODS, *methods._PROPERTIES}
    assert members - have == {"__array_module__"}  # tells NumPy whom to call


def test_what_is_left_out_is_public():
    assert set(WITHOUT_CALLS) | THROUGH_OTHERS <= set(FUNCTIONS)
