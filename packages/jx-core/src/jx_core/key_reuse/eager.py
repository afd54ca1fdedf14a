"""Keys that are at hand: the labels of arrays, and the check of each operation that is run."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import source
from ..aval import typeof
from ..debugging import ARRAY_FUNCTION
from ..jaxpr.ir import ClosedJaxpr, jaxprs_in
from ..primitive import Primitive
from ..trace import Tracer
from .ledger import Ledger, fresh
from .programs import Follower, Keys, has_keys, is_key, known_integers

_lock = threading.Lock()
_ledger = Ledger()
# The labels of arrays, by identity; the reference is there to tell when the array is gone.
_labels: dict[int, tuple[Any, np.ndarray]] = {}
_SWEEP = 4096
_gone = 0


class _Inside(threading.local):
    """Whether this thread is running an operation that has been checked as a whole."""

    active = False


_inside = _Inside()


def checked(
    run: Callable[..., Any], primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
) -> Any:
    """`run(primitive, operands, params)`, after a check that it uses no key a second time.

    Raises:
        KeyReuseError: it does; the message names both lines.
    """
    if _inside.active or not _concerns_keys(primitive, operands, params):
        return run(primitive, operands, params)
    ledger = Ledger(_ledger)
    closed = params.get("jaxpr")
    line = source.capture()
    by_caller = isinstance(closed, ClosedJaxpr) and ARRAY_FUNCTION in closed.derived
    follower = Follower(ledger, line if by_caller else None, _value)
    avals = tuple(typeof(x) for x in operands)
    types = primitive.result_types(avals, params)
    values = [_value(x) for x in operands]
    out_avals = types if primitive.multiple_results else [types]
    found = follower.equation(primitive, values, params, out_avals, line)
    _inside.active = True
    try:
        results = run(primitive, operands, params)
    finally:
        _inside.active = False
    with _lock:
        ledger.commit()
        for x, value in zip(
            results if primitive.multiple_results else [results], found, strict=True
        ):
            if isinstance(value, Keys):
                _keep(x, value.labels)
    return results


def _concerns_keys(primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]) -> bool:
    if any(isinstance(x, Tracer) for x in operands):
        return False  # an error, which is the back end's to raise
    if primitive.stage is not None:
        return False  # run as its parts, each of which comes here
    if primitive.higher_order:
        return any(map(has_keys, jaxprs_in(params)))
    return any(is_key(x) for x in operands)


def _value(x: Any) -> Any:
    """What is followed of an array: labels of keys, elements of a few integers."""
    if not is_key(x):
        return known_integers(x) if getattr(x, "is_fully_addressable", True) else None
    with _lock:
        entry = _labels.get(id(x))
        if entry is None or entry[0]() is not x:
            return Keys(_keep(x, fresh(x.shape)))
        return Keys(entry[1])


def _keep(x: Any, labels: np.ndarray) -> np.ndarray:
    """Remember an array's labels until it is gone, with `_lock` held."""
    place = id(x)

    def forget(ref: Any) -> None:
        # Runs wherever Python drops the array, under the lock too: single dict operations only.
        global _gone
        entry = _labels.get(place)
        if entry is not None and entry[0] is ref:
            _labels.pop(place, None)
        _gone += 1

    if _gone > _SWEEP:
        _sweep()
    _labels[place] = (weakref.ref(x, forget), labels)
    return labels


def _sweep() -> None:
    """Forget the uses of keys that no array has any more."""
    global _gone
    _gone = 0
    entries = list(_labels.values())
    alive = {label for _, labels in entries for label in labels.reshape(-1).tolist()}
    _ledger.uses = {label: use for label, use in _ledger.uses.items() if label in alive}
