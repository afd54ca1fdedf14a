"""Programs that act beside computing: running them in order, waiting for them, their errors.

A program with ordered effects takes an array without elements and gives one. Each thread passes
what the last such program gave to the next, which so begins when the other is done.

Every program with effects gives a runtime token as well; `effects_barrier` waits for those of
all threads.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import threading
import traceback
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core.aval import ShapedArray

from .executables import Executable, JaxRuntimeError, result_handler
from .hlo_shardings import REPLICATED
from .placement import put_sharded
from .shardings import Sharding, from_hlo

__all__ = ["TOKEN", "EffectfulExecutable", "effects_barrier", "note_failure", "token_sharding"]

TOKEN = ShapedArray((0,), np.dtype(bool))  # what goes for a token between programs
_MOST_PENDING = 64  # programs whose end nobody has waited for yet; then the oldest is waited for
_MOST_FAILURES = 16


class _Order(threading.local):
    """What the last program with ordered effects of a thread gave."""

    token: Any = None


_order = _Order()
_pending: collections.deque[Any] = collections.deque()
_failures: collections.deque[BaseException] = collections.deque(maxlen=_MOST_FAILURES)
_unreported: list[JaxRuntimeError] = []


def note_failure(error: BaseException) -> None:
    """Remember what a callback raised: what comes out of the program is another error."""
    _failures.append(error)


def _with_cause(error: JaxRuntimeError) -> JaxRuntimeError:
    """A program's error, with what its callback raised as the cause."""
    text = str(error)
    for cause in reversed(_failures):
        if traceback.format_exception_only(cause)[-1].strip() in text:
            error.__cause__ = cause
            with contextlib.suppress(ValueError):  # another thread has been here
                _failures.remove(cause)
            break
    return error


def token_sharding(devices: Sequence[Any]) -> Sharding:
    """How the array that stands for a token lies: on all of the program's devices."""
    return from_hlo(devices, REPLICATED if len(devices) > 1 else None)


class EffectfulExecutable(Executable):
    """A program that calls Python.

    Attributes:
        effects: whether somebody may have to wait for what it does.
        ordered: whether it takes and gives a token before everything else.
    """

    __slots__ = ("_token_sharding", "effects", "ordered")

    def __init__(self, *args: Any, effects: bool, ordered: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.effects = effects
        self.ordered = ordered
        if ordered:
            self._token_sharding = token_sharding(self.devices)
            self._handlers.insert(0, result_handler(TOKEN, self._token_sharding, True))

    def execute(self, arrays: Sequence[Any]) -> list[Any]:
        """Run on arrays that are in place, after the ordered effects before."""
        self._check_alive(arrays)
        if self.ordered:
            arrays = [self._token(), *arrays]
        try:
            results = self.loaded.execute_sharded(arrays, with_tokens=self.effects)
        except JaxRuntimeError as error:
            raise _with_cause(error) from error.__cause__
        if self.effects:
            _wait_later(results.consume_token())
        outs = results.consume_with_handlers(self._handlers)
        if self.ordered:
            _order.token, *outs = outs
        return outs  # type: ignore[no-any-return]

    def _token(self) -> Any:
        """What the program has to wait for."""
        last = _order.token
        if last is not None and not last.is_ready():
            if last._sharding == self._token_sharding:
                return last
            with contextlib.suppress(JaxRuntimeError):  # effects_barrier tells of it
                last.block_until_ready()
        return put_sharded(np.zeros((0,), bool), TOKEN, self._token_sharding)


def _wait_later(token: Any) -> None:
    _pending.append(token)
    while len(_pending) > _MOST_PENDING:
        _wait_for_oldest()


def _wait_for_oldest() -> None:
    try:
        token = _pending.popleft()
    except IndexError:  # another thread has taken it
        return
    try:
        token.block_until_ready()
    except JaxRuntimeError as error:
        _unreported.append(_with_cause(error))


def effects_barrier() -> None:
    """Wait until all programs called so far have done what they do beside computing: printing,
    calling back.

    Raises:
        JaxRuntimeError: a callback of one of them failed.

    >>> effects_barrier()
    """
    while _pending:
        _wait_for_oldest()
    if _unreported:
        first = _unreported[0]
        _unreported.clear()
        _failures.clear()
        raise first


atexit.register(effects_barrier)
