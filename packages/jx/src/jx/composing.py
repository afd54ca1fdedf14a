"""`compose` and `TransformPipeline`: lists of transformations as values.

A pipeline is a function of functions, which shows its steps. It knows nothing of what the
transformations do, and works with anything that takes a function and returns one.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jx_core.staging import function_name
from jx_core.tracebacks import hide_internal_frames

__all__ = ["Step", "TransformPipeline", "compose"]

_LINE = 88  # what a description may have of characters before it is broken


class Step:
    """One transformation with its options.

    Attributes:
        transform: called as `transform(fun, **options)`.
        options: its keyword arguments, by name.

    Steps are immutable and hashable; they are equal where transformation and options are.
    """

    __slots__ = ("_key", "options", "transform")

    transform: Callable[..., Any]
    options: Mapping[str, Any]
    _key: tuple[Any, ...]

    def __init__(self, transform: Callable[..., Any], options: Mapping[str, Any]) -> None:
        values = dict(options)
        while isinstance(transform, functools.partial) and not transform.args:
            values = {**transform.keywords, **values}
            transform = transform.func
        object.__setattr__(self, "transform", transform)
        object.__setattr__(self, "options", types.MappingProxyType(values))
        key = (_hashable(transform), frozenset((k, _hashable(v)) for k, v in values.items()))
        object.__setattr__(self, "_key", key)

    def __call__(self, fun: Callable[..., Any]) -> Any:
        """The transformed function."""
        return self.transform(fun, **self.options)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Step can't be changed (its {name} was to be set)")

    def __eq__(self, other: Any) -> bool:
        return self._key == other._key if isinstance(other, Step) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> Any:
        return Step, (self.transform, dict(self.options))

    def __repr__(self) -> str:
        return f"{_name(self.transform)}({_written(self.options)})"


class _Same:
    """Something that can't be hashed, which is equal to itself alone."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: Any) -> bool:
        return type(other) is _Same and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def _hashable(value: Any) -> Any:
    """A stand-in for an option's value that can be hashed, equal where the values are."""
    if isinstance(value, (list, tuple)):
        return type(value), tuple(map(_hashable, value))
    if isinstance(value, dict):
        return dict, frozenset((_hashable(k), _hashable(v)) for k, v in value.items())
    if isinstance(value, (set, frozenset)):
        return type(value), frozenset(map(_hashable, value))
    try:
        hash(value)
    except TypeError:
        return _Same(value)
    return type(value), value  # True and 1 are different options


def _name(transform: Any) -> str:
    if isinstance(transform, functools.partial):
        inside = [*map(repr, transform.args), *([_written(transform.keywords)] * bool(
            transform.keywords))]  # fmt: skip
        return f"partial({_name(transform.func)}, {', '.join(inside)})"
    return function_name(transform)


def _written(options: Mapping[str, Any]) -> str:
    def shown(value: Any) -> str:
        return function_name(value) if isinstance(value, types.FunctionType) else repr(value)

    return ", ".join(f"{k}={shown(v)}" for k, v in options.items())


def _steps(given: Any, place: int, count: int) -> tuple[Step, ...]:
    """The steps that an argument of `compose` stands for."""
    if isinstance(given, TransformPipeline):
        return given.steps
    if isinstance(given, Step):
        return (given,)
    options: Mapping[str, Any] = {}
    transform = given
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], Mapping):
        transform, options = given
    where = f"compose: step {place + 1} of {count}"
    if not callable(transform):
        raise TypeError(
            f"{where} must be a transformation, or a pair of one and a dict of its options, got "
            f"{given!r:.80}"
        )
    bad = [k for k in options if not isinstance(k, str)]
    if bad:
        raise TypeError(
            f"{where}, {_name(transform)}: options are keyword arguments, so their names are "
            f"strings, got {bad[0]!r}"
        )
    return (Step(transform, options),)


class TransformPipeline:
    """Transformations to apply to a function, the leftmost first.

    `TransformPipeline(a, b, c)(f)` is `c(b(a(f)))`: the function goes in on the left, and each
    step transforms what the step before made, as in a pipe. So `jit` goes last, and a `vmap` on
    the right of a `grad` maps gradients.

    Args:
        transforms: transformations, pairs `(transformation, {option: value})`, or pipelines, whose
            steps are put in. Any callable that takes a function will do.

    Attributes:
        steps: the `Step`s, in order.

    Pipelines are immutable, hashable and comparable. They are sequences of their steps: slices
    and sums of pipelines are pipelines. A pipeline may be used as a decorator. The method of a
    transformation's name gives the pipeline with that step at its end; `then` is for others.

    >>> import jx
    >>> import jx.numpy as jnp
    >>> pipeline = TransformPipeline().grad(argnums=1).vmap(in_axes=(0, None)).jit()
    >>> pipeline
    TransformPipeline(grad(argnums=1), vmap(in_axes=(0, None)), jit())
    >>> pipeline.written("f")
    'jit(vmap(grad(f, argnums=1), in_axes=(0, None)))'
    >>> print(pipeline(lambda x, y: x * y**2)(jnp.arange(3.0), 2.0))
    [0. 4. 8.]
    >>> pipeline[:1] + jx.compose(jx.jit)
    TransformPipeline(grad(argnums=1), jit())
    """

    __slots__ = ("steps",)

    steps: tuple[Step, ...]

    def __init__(self, *transforms: Any) -> None:
        found = [_steps(t, i, len(transforms)) for i, t in enumerate(transforms)]
        object.__setattr__(self, "steps", tuple(step for group in found for step in group))

    def __call__(self, fun: Callable[..., Any]) -> Any:
        """The function after all steps.

        An exception of a step, in its making or when what it made is called, has a note that
        says which it was.
        """
        if not callable(fun):
            raise TypeError(
                f"a pipeline is applied to a function, got {fun!r:.80}; the arguments go to what "
                f"it returns: pipeline(fun)(...)"
            )
        made = fun if not self.steps else _watched(fun, None)
        for i, step in enumerate(self.steps):
            note = (
                f"This was step {i + 1} of {len(self.steps)}, {step}, of the pipeline "
                f"{self.written(function_name(fun))}"
            )
            try:
                made = step(made)
            except Exception as error:
                _noted(error, note)
                hide_internal_frames(error)
                raise
            last = i + 1 == len(self.steps)
            if not callable(made):
                if last:
                    break
                raise TypeError(f"the step returned {made!r:.80}, which is no function. {note}")
            # What has methods of its own, as jit's has, is left alone at the end.
            if not last or _plain(made, fun):
                made = _watched(made, note)
        return made

    def then(self, transform: Callable[..., Any], /, **options: Any) -> TransformPipeline:
        """The pipeline with one more step, any transformation, at its end.

        >>> import jx
        >>> TransformPipeline().then(jx.jit, inline=True)
        TransformPipeline(jit(inline=True))
        """
        return self + TransformPipeline((transform, options))

    def written(self, name: str = "f") -> str:
        """What applying the pipeline to a function of this name comes to, as Python.

        >>> TransformPipeline().grad().jit().written("loss")
        'jit(grad(loss))'
        """
        text = name
        for step in self.steps:
            options = _written(step.options)
            text = f"{_name(step.transform)}({text}{', ' * bool(options)}{options})"
        return text

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, index: Any) -> Any:
        found = self.steps[index]
        return TransformPipeline(*found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> TransformPipeline:
        if not isinstance(other, TransformPipeline):
            return NotImplemented
        return TransformPipeline(*self.steps, *other.steps)

    def __eq__(self, other: Any) -> bool:
        return self.steps == other.steps if isinstance(other, TransformPipeline) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.steps)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"a TransformPipeline can't be changed (its {name} was to be set); + and slices make "
            f"others of it"
        )

    def __reduce__(self) -> Any:
        return TransformPipeline, self.steps

    def __repr__(self) -> str:
        steps = [repr(step) for step in self.steps]
        line = f"TransformPipeline({', '.join(steps)})"
        if len(line) <= _LINE:
            return line
        return "TransformPipeline(\n" + "".join(f"    {step},\n" for step in steps) + ")"


def _plain(made: Any, fun: Any) -> bool:
    """Whether a transformed function has nothing that the first had not, such as methods."""
    if type(made) is not types.FunctionType:
        return False
    return not vars(made).keys() - getattr(fun, "__dict__", {}).keys() - {"__wrapped__"}


def _noted(error: BaseException, note: str | None) -> None:
    """Say which step an exception is of, the innermost that it has been through."""
    if not hasattr(error, "_jx_step"):
        error._jx_step = note  # type: ignore[attr-defined]
        if note is not None:
            error.add_note(note)


def _watched(fun: Callable[..., Any], note: str | None) -> Callable[..., Any]:
    """`fun`, whose exceptions are noted; without a note they are the user's own."""

    @functools.wraps(fun, updated=("__dict__",) if type(fun) is types.FunctionType else ())
    def watched(*args: Any, **kwargs: Any) -> Any:
        try:
            return fun(*args, **kwargs)
        except Exception as error:
            _noted(error, note)
            hide_internal_frames(error)
            raise

    return watched


def compose(*transforms: Any) -> TransformPipeline:
    """One transformation made of several, the leftmost applied first.

    `compose(a, b, c)(f)` is `c(b(a(f)))`; read it as a pipe that the function goes through.

    Args:
        transforms: as for `TransformPipeline`.

    Returns:
        The `TransformPipeline`.

    Raises:
        TypeError: one of them can't be called; the message says which.

    >>> import jx
    >>> @jx.compose(jx.grad, (jx.vmap, {"in_axes": (0, None)}), jx.jit)
    ... def slopes(x, scale):
    ...     return scale * x**2
    >>> print(slopes(jx.numpy.arange(3.0), 10.0))
    [ 0. 20. 40.]
    """
    return TransformPipeline(*transforms)


# The transformations of jx that a pipeline has methods for, each with options for an example.
_FLUENT = {
    "checkpoint": "prevent_cse=False", "custom_gradient": "", "derivative": "argnums=1",
    "grad": "argnums=1", "hessian": "argnums=1", "jacfwd": "argnums=1", "jacobian": "argnums=1",
    "jacrev": "argnums=1", "jit": "inline=True", "named_call": "name='layer'",
    "remat": "prevent_cse=False", "value_and_grad": "has_aux=True", "vmap": "in_axes=(0, None)",
}  # fmt: skip


def _fluent(name: str, options: str) -> Callable[..., TransformPipeline]:
    def method(self: TransformPipeline, **options: Any) -> TransformPipeline:
        import jx

        return self.then(getattr(jx, name), **options)

    method.__name__ = name
    method.__qualname__ = f"TransformPipeline.{name}"
    method.__doc__ = f"""The pipeline with `jx.{name}` and these options at its end.

    >>> import jx
    >>> pipeline = TransformPipeline().{name}({options})
    >>> pipeline == jx.compose((jx.{name}, dict({options})))
    True
    """
    return method


for _method, _options in _FLUENT.items():
    setattr(TransformPipeline, _method, _fluent(_method, _options))

Sequence.register(TransformPipeline)
