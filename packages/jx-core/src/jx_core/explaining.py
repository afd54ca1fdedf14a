"""Why a function is traced again, and how long tracing took: what `explain_cache_misses` and
`log_compiles` log of this layer.

Messages go to the logger `jx_core`, as warnings, one for each trace. Loaded when one of the two
options is on and something is traced; costs nothing else.

Not here: what is logged of lowering and compiling (`jx_xla.compiling`).
"""

from __future__ import annotations

import functools
import logging
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from . import tree
from .aval import ShapedArray, typeof
from .dispatch import CallSpec, Signature, _argument_name, _keywords, _parameter_names
from .source import capture, is_internal
from .tree.mismatch import differences

_log = logging.getLogger("jx_core")

_SHOWN = 6  # changes listed in one message
_MOST = 1024  # functions remembered


def log_trace(name: str, avals: Sequence[ShapedArray], seconds: float) -> None:
    """The line of `log_compiles` for one trace."""
    _log.warning("Traced %s for (%s) in %.3f s", name, types_of(avals), seconds)


def types_of(avals: Sequence[ShapedArray]) -> str:
    """Types as a list for a message: `f32[3], i32[]`, with a middle left out if it is long."""
    words = [a.str_short() for a in avals]
    if len(words) > 16:
        words = [*words[:8], f"... {len(words) - 12} more ...", *words[-4:]]
    return ", ".join(words)


class _Seen:
    """What was last seen of the functions with one code object: weakly, but for the notes."""

    def __init__(self, fun: Any, closed_over: dict[str, str], signature: Signature) -> None:
        try:
            self.fun: Any = weakref.ref(fun)
        except TypeError:
            self.fun = lambda: fun
        self.closed_over = closed_over
        # Without static values, which may be anything and would be kept alive.
        self.types = signature[0], signature[1]


_seen: OrderedDict[Any, _Seen] = OrderedDict()


def explain_miss(spec: CallSpec, signature: Signature) -> None:
    """Log why `spec` is about to trace for `signature`, if its function was staged before."""
    if spec.transparent and spec.name.startswith("_"):
        return  # a part of an array function, which no user calls
    code = _code_of(spec.fun)
    before = _seen.get(code)
    if code is not None:
        _seen[code] = _Seen(spec.fun, _closed_over(spec.fun), signature)
        _seen.move_to_end(code)
        while len(_seen) > _MOST:
            _seen.popitem(last=False)
    earlier = list(spec.cache)
    if earlier:
        found = [changes(spec, known, signature) for known in reversed(earlier)]
        reasons = min(found, key=len)
        if len(earlier) > 1:
            reasons = [*reasons, f"(the nearest of {len(earlier)} earlier signatures is compared)"]
    elif before is None:
        return
    else:
        reasons = _without_cache(spec, before, signature)
    where = capture()
    _log.warning(
        "%s is traced again at %s:%d: %s", spec.name, where.file, where.line, "; ".join(reasons)
    )


def changes(spec: CallSpec, before: Signature, now: Signature) -> list[str]:
    """What differs between two signatures of a function, in words, an entry for each change."""
    names = _parameter_names(spec.fun)
    found = _changed_arguments(names, before, now)
    found += _changed_statics(names, before[2], now[2])
    was, is_ = dict(before[3].values), dict(now[3].values)
    found += [
        f"option {option} was {was.get(option)!r}, now {value!r}"
        for option, value in is_.items()
        if was.get(option) != value
    ]
    if before[4] != now[4]:
        found.append(f"named axes in scope were {before[4]}, now {now[4]}")
    if len(found) > _SHOWN:
        found = [*found[:_SHOWN], f"and {len(found) - _SHOWN} more changes"]
    return found


def _changed_arguments(names: Sequence[str], before: Signature, now: Signature) -> list[str]:
    if before[0] != now[0]:
        found = list(differences(before[0], now[0]))
        if any(len(d.path) < 2 for d in found):
            return [_changed_count(before[0], now[0])]
        return [
            f"argument {_argument_name(names, d.path)} was {d.first}, now {d.second}{d.detail}"
            for d in found
        ]
    dynamic = tree.unflatten(now[0], list(range(now[0].num_leaves)))
    paths = [path for path, _ in tree.leaves_with_path(dynamic)]
    return [
        f"argument {_argument_name(names, path)} {_changed_type(old, new)}"
        for path, old, new in zip(paths, before[1], now[1], strict=True)
        if old is not new
    ]


def _changed_count(before: Any, now: Any) -> str:
    """A change of the arguments' number or keywords, which is a difference at the top."""
    (old_args, old_kwargs), (new_args, new_kwargs) = before.children(), now.children()
    old, new = len(old_args.children()), len(new_args.children())
    was, is_ = _keywords(old_kwargs), _keywords(new_kwargs)
    if old == new:
        return f"keyword arguments were {was}, now {is_}"
    return f"positional arguments were {old}, now {new} (keyword arguments {was}, now {is_})"


def _changed_type(old: ShapedArray, new: ShapedArray) -> str:
    what = [
        word
        for word, differs in (
            ("shape", old.shape != new.shape),
            ("dtype", old.dtype != new.dtype),
            ("weak type", old.weak_type != new.weak_type),
        )
        if differs
    ]
    return f"changed {' and '.join(what) or 'type'}: was {_spell(old)}, now {_spell(new)}"


def _spell(aval: ShapedArray) -> str:
    return aval.str_short() + (" (weak)" if aval.weak_type else "")


def _changed_statics(names: Sequence[str], before: Any, now: Any) -> list[str]:
    was = {where: (kind, value) for where, kind, value in before}
    is_ = {where: (kind, value) for where, kind, value in now}
    found = []
    for where in {**was, **is_}:
        if was.get(where) == is_.get(where):
            continue
        name = names[where] if isinstance(where, int) and where < len(names) else where
        old, new = (_static(facts.get(where)) for facts in (was, is_))
        found.append(f"static argument {name} was {old}, now {new}")
        if old == new:
            found[-1] += " (another object that is not equal to the first)"
    return found


def _static(fact: Any) -> str:
    return "absent" if fact is None else f"{fact[1]!r:.80}"


def _without_cache(spec: CallSpec, before: _Seen, signature: Signature) -> list[str]:
    """The reasons where nothing is cached for the function object, but its code was seen."""
    earlier = before.fun()
    if earlier is spec.fun:
        if before.types == signature[:2]:
            return [
                "nothing was kept of the last trace: it closed over traced values of a function "
                "around it, or jit was given other options, or caches have been cleared"
            ]
        return ["jit was given other options, or caches have been cleared"]
    code = _code_of(spec.fun)
    reasons = [
        f"it is a new function object, made of the same code ({code.co_filename}:"
        f"{code.co_firstlineno}) as one staged before: define it, and jit it, once"
    ]
    now = _closed_over(spec.fun)
    reasons += [
        f"closed-over {name} was {before.closed_over.get(name, 'absent')}, now {value}"
        for name, value in now.items()
        if before.closed_over.get(name) != value
    ]
    return reasons


def _code_of(fun: Any) -> Any:
    """The code object that a user wrote for `fun`, None if there is none."""
    for _ in range(100):
        inner = getattr(fun, "__wrapped__", None)
        if inner is None and isinstance(fun, functools.partial):
            inner = fun.func
        if inner is None:
            inner = getattr(fun, "__func__", None)
        if inner is None:
            break
        fun = inner
    code = getattr(fun, "__code__", None)
    return None if code is None or is_internal(code.co_filename) else code


def _closed_over(fun: Any) -> dict[str, str]:
    """The variables that a function takes from around it, described."""
    code = getattr(fun, "__code__", None)
    cells = getattr(fun, "__closure__", None)
    if code is None or not cells:
        return {}
    found = {}
    for name, cell in zip(code.co_freevars, cells, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
        if isinstance(value, bool | int | float | complex | str | bytes | type(None)):
            found[name] = f"{value!r:.80}"
        else:
            try:
                found[name] = typeof(value).str_short()
            except TypeError:
                found[name] = f"a {type(value).__name__}"
    return found
