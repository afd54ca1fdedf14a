"""The errors a user of jx can cause, one class each.

Each class says when it is raised and how the program is mended, and builds a
message that holds both. The classes keep JAX's names where JAX has the error,
so that ``except jx.errors.TracerBoolConversionError`` reads as it would there.

Not here: filtering of tracebacks (`tracebacks.py`), and errors that Python or
NumPy already have the right class for (a wrong argument is a `TypeError` or a `ValueError`).
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ArgnumsError",
    "AxisError",
    "BackendError",
    "CheckNotFunctionalizedError",
    "ConcretizationTypeError",
    "DonatedArrayError",
    "InconclusiveDimensionOperation",
    "JAXIndexError",
    "JAXTypeError",
    "JXIndexError",
    "JXTypeError",
    "JaxRuntimeError",
    "JaxprTypeError",
    "KeyReuseError",
    "KeyTypeError",
    "LeakedTracerError",
    "MissingRuleError",
    "NonConcreteBooleanIndexError",
    "RefError",
    "ShapeError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "TypePromotionError",
    "UnexpectedTracerError",
    "concrete_or_error",
]


class JXTypeError(TypeError):
    """Base of the type errors that only a traced program can raise.

    Catch it to treat every "this needs a value, and tracing has none" error
    alike::

        try:
            jx.make_jaxpr(f)(x)
        except jx.errors.JXTypeError:
            ...  # f needs concrete values: run it without staging

    >>> @jx.jit
    ... def f(x):
    ...     return float(x)
    >>> try:
    ...     f(1.0)
    ... except jx.errors.JXTypeError as error:
    ...     print(type(error).__name__)
    ConcretizationTypeError
    """


class JXIndexError(IndexError):
    """Base of the index errors that only a traced program can raise.

    >>> try:
    ...     jx.jit(lambda x: x[x > 1])(jnp.arange(3))
    ... except jx.errors.JXIndexError as error:
    ...     print(type(error).__name__)
    NonConcreteBooleanIndexError
    """


JAXTypeError = JXTypeError
JAXIndexError = JXIndexError


class _TracerProblem(Exception):
    """Builds the message of an error about a traced value.

    The constructor takes the tracer, or a finished message in its place (which
    is also what lets such an error be pickled). ``context`` says what the
    caller was doing; ``origin`` says where the tracer comes from, for example
    ``"It depends on the argument 'x' of f, traced by jit."``, and is otherwise
    asked of the tracer itself (its method ``origin``, if it has one).
    """

    _problem = "A traced value was used: {value}."
    _cure = ""

    def __init__(self, tracer_or_message: Any, context: str = "", *, origin: str = "") -> None:
        if isinstance(tracer_or_message, str):
            parts = [tracer_or_message, context, origin]
        else:
            problem = self._problem.format(value=_describe(tracer_or_message))
            if not origin and hasattr(tracer_or_message, "origin"):
                origin = tracer_or_message.origin()
            parts = [problem, context, origin, self._cure]
        super().__init__("\n".join(part for part in parts if part))


def _describe(tracer: object) -> str:
    """The tracer's type as the user knows it: shape and dtype first."""
    aval = getattr(tracer, "aval", None)
    name = type(tracer).__name__
    return name if aval is None else f"{aval} ({name})"


class ConcretizationTypeError(_TracerProblem, JXTypeError):
    """A traced value was used where its concrete value is needed.

    Raised by ``int(x)``, ``float(x)``, ``complex(x)`` and by functions whose
    argument decides a shape or an axis, when ``x`` is traced: while a function
    is being traced its arguments have shapes and dtypes, but no values. Convert
    with ``x.astype(...)``, or make the argument static so that it stays a
    Python value::

        @partial(jx.jit, static_argnames="n")
        def f(x, n):
            return x.reshape(n, -1)

    >>> jx.jit(float)(1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.ConcretizationTypeError: A concrete value is needed here, and f32[] (...
    """

    _problem = "A concrete value is needed here, and {value} is traced."
    _cure = (
        "A traced value is not known until the compiled program runs. To convert its dtype use "
        "x.astype(int) or x.astype(float); if it decides a shape, an axis or a branch in Python, "
        "pass it as a static argument: jit(f, static_argnames=...)."
    )


def concrete_or_error(x: Any, what: str) -> Any:
    """``x`` itself, or the concrete value behind it if it is a tracer that has one.

    ``what`` says what the value is needed for, as in "an axis of jnp.sum". Raises
    ConcretizationTypeError for a tracer without a value. A tracer is known by its
    method ``concrete``, which returns its value or None.
    """
    if not hasattr(x, "concrete"):
        return x
    value = x.concrete()
    if value is None:
        raise ConcretizationTypeError(x, f"It is needed as {what}.")
    return value


class TracerBoolConversionError(ConcretizationTypeError):
    """The truth value of a traced array was asked for.

    Raised by ``if x > 0``, ``while x > 0``, ``x and y``, ``not x`` and
    ``assert x``, when ``x`` is traced. Choose with array operations, or mark
    the argument static::

        y = jnp.where(x > 0, x, -x)                # both sides are computed
        y = jx.lax.cond(x > 0, f, g, x)            # one of them is

    >>> jx.jit(lambda x: x if x > 0 else -x)(1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.TracerBoolConversionError: The truth value of bool[] (StagingTracer) was ...
    """

    _problem = "The truth value of {value} was asked for, and it is traced."
    _cure = (
        "Python's if, while, and, or, not and assert need a known value. Choose with "
        "jnp.where(condition, a, b) or lax.cond(condition, f, g, x), loop with lax.while_loop, "
        "combine conditions with &, | and ~, or pass what decides as a static argument: "
        "jit(f, static_argnames=...)."
    )


class TracerIntegerConversionError(ConcretizationTypeError):
    """A traced value was used where Python needs an integer.

    Raised when ``x.__index__`` is called on a traced ``x``: indexing a list or
    a NumPy array with it, ``range(x)``, a shape that holds it. Index a jx array
    instead, loop with ``lax.fori_loop``, or mark the argument static::

        jnp.asarray(table)[i]                      # not table[i], with a list

    >>> table = [1.0, 2.0, 3.0]
    >>> jx.jit(lambda i: table[i])(1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.TracerIntegerConversionError: A Python integer is needed here, and i32[] (...
    >>> float(jx.jit(lambda i: jnp.asarray(table)[i])(1))
    2.0
    """

    _problem = "A Python integer is needed here, and {value} is traced."
    _cure = (
        "To index with it, make what is indexed a jx array: jnp.asarray(table)[i]. To loop up to "
        "it, use lax.fori_loop. If it is a shape or a count that must be known while tracing, "
        "pass it as a static argument: jit(f, static_argnames=...)."
    )


class TracerArrayConversionError(_TracerProblem, JXTypeError):
    """A traced value was handed to NumPy.

    Raised by ``np.sin(x)``, ``np.asarray(x)``, ``x.item()`` and ``x.tolist()``
    when ``x`` is traced. Use the function of the same name in ``jx.numpy``, or
    call NumPy on what the traced function returns::

        jnp.sin(x)

    >>> jx.jit(np.sin)(1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.TracerArrayConversionError: A NumPy array was asked of f32[] (StagingTracer), ...
    """

    _problem = "A NumPy array was asked of {value}, and it is traced."
    _cure = (
        "Use jx.numpy in place of numpy inside traced functions (jnp.sin(x), not np.sin(x)), or "
        "return the value and use NumPy outside of them."
    )


class NonConcreteBooleanIndexError(_TracerProblem, JXIndexError):
    """An array was indexed with a traced boolean mask.

    Raised by ``x[mask]`` with a traced ``mask``: how many elements it selects,
    and so the result's shape, depends on values that tracing does not have.
    Keep the shape and blank out the rest, or say the size::

        jnp.where(mask, x, 0).sum()                # not x[mask].sum()
        i = jnp.nonzero(mask, size=10)

    >>> jx.jit(lambda x: x[x > 1])(jnp.arange(3))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.NonConcreteBooleanIndexError: Boolean indices must be concrete, and bool[3] ...
    """

    _problem = "Boolean indices must be concrete, and {value} is traced."
    _cure = (
        "The result's shape would depend on the mask's values. Use jnp.where(mask, x, fill), or "
        "jnp.nonzero(mask, size=n) for at most n indices; x.at[mask].set(value) works as it is."
    )


class UnexpectedTracerError(_TracerProblem, JXTypeError):
    """A tracer was used after the transformation that made it had ended.

    Raised when a traced function stores an intermediate value outside itself
    (in a global, an attribute, a list) and something uses it later. Return the
    value instead::

        def f(x):
            y = jnp.sin(x)
            return y * 2, y                        # not: cache.append(y)

    >>> cache = []
    >>> y = jx.jit(lambda x: cache.append(x) or x)(1.0)
    >>> cache[0] + 1  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.UnexpectedTracerError: f32[] (StagingTracer) was used outside the function in ...
    """

    _problem = "{value} was used outside the function in which it was traced."
    _cure = (
        "A traced function must return what it computes; it may not leave it in a global, an "
        "attribute or a container that outlives the call. To look at values inside of a jitted "
        "function, run it under jx.disable_jit()."
    )


class LeakedTracerError(Exception):
    """A traced value outlived the transformation that made it.

    Raised when a trace ends under ``jx.checking_leaks()`` or the option
    ``check_tracer_leaks``; the message names the values, where each was made and what
    refers to it. Return the value instead::

        with jx.checking_leaks():
            jx.jit(f)(x)

    >>> kept = []
    >>> with jx.checking_leaks():
    ...     jx.jit(lambda x: kept.append(x + 1))(1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.LeakedTracerError: Leaked trace StagingTrace of the function '<lambda>': ...
    """


class KeyReuseError(JXTypeError):
    """A random key was used twice.

    Raised under ``jx.debug_key_reuse(True)`` (also ``JX_DEBUG_KEY_REUSE=1``) where a typed key
    that has been drawn from or split is drawn from or split again, eagerly or inside of a
    staged program; the message names both lines. Two draws from one key are copies of each
    other. Split it first::

        k1, k2 = jx.random.split(key)
        x, y = jx.random.normal(k1), jx.random.normal(k2)

    Where the same numbers are meant, say so with ``jx.random.clone(key)``.

    >>> key = jx.random.key(0)
    >>> with jx.debug_key_reuse(True):
    ...     x = jx.random.normal(key)
    ...     y = jx.random.uniform(key)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.KeyReuseError: A random key was used ...
    """


class InconclusiveDimensionOperation(Exception):
    """Two symbolic dimensions cannot be compared.

    In a function traced with symbolic shapes, ``a < b`` may hold for some values
    of the dimension variables and not for others; ``int(b)`` has no value at
    all. Where the answer is always the same, say so with a constraint::

        a, b = jx.export.symbolic_shape("a, b", constraints=["b >= a + 1"])

    Elsewhere keep to arithmetic, `jx.core.max_dim` and `jx.core.min_dim`, which
    give symbolic dimensions, or export with that dimension constant.

    >>> a, b = jx.export.symbolic_shape("a, b")
    >>> a < b  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.InconclusiveDimensionOperation: ... 'a' < 'b' is inconclusive: ...
    >>> a, b = jx.export.symbolic_shape("a, b", constraints=["b >= a + 1"])
    >>> a < b
    True
    """


class CheckNotFunctionalizedError(ValueError):
    """A staged function holds a check whose error nothing asks for.

    Raised when a function with a ``checkify.check`` is compiled: a compiled program
    can't raise an error. Make the error a result with ``checkify``::

        error, out = jx.jit(checkify.checkify(f))(x)
        error.throw()

    >>> from jx.experimental import checkify
    >>> @jx.jit
    ... def f(x):
    ...     checkify.check(x > 0, "x must be positive")
    ...     return x
    >>> f(1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.CheckNotFunctionalizedError: ... checkify.check which was not ...
    >>> error, y = checkify.checkify(f)(-1.0)
    >>> error.get().split(" (")[0]
    'x must be positive'
    """


class JaxprTypeError(TypeError):
    """A Jaxpr is not well typed.

    Raised by the checker: a variable used before it is bound, an operand whose
    type its primitive does not take, a result or an effect other than the rule
    gives. The cure is in the pass or rule that built the Jaxpr; check after
    each pass to find it::

        jx.core.check_jaxpr(jx.make_jaxpr(f)(x))

    >>> closed = jx.make_jaxpr(jnp.sin)(1.0)
    >>> wrong = closed.jaxpr.replace(eqns=[])
    >>> jx.core.check_jaxpr(wrong)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.JaxprTypeError: a result of the program is ..., which is not defined before
    """


class JaxRuntimeError(RuntimeError):
    """A compiled program failed while it was compiled or run.

    Out of memory, a failing host callback, a computation the device cannot do.
    Nothing about the program's types was wrong; the message is the back end's.
    XLA's own error, which ``jx.errors.JaxRuntimeError`` stands for when XLA is
    installed, is a `RuntimeError` too.

    >>> with jx.core.backend.use("xla"):
    ...     lowered = jx.jit(jnp.sin).lower(1.0)
    >>> try:
    ...     lowered.compile({"no_such_flag": True})
    ... except jx.errors.JaxRuntimeError as error:
    ...     print(str(error).splitlines()[0])
    INVALID_ARGUMENT: No such compile option: 'no_such_flag'
    """


class BackendError(RuntimeError):
    """A back end, a platform or a device that was asked for cannot be had.

    Raised when ``JX_PLATFORMS`` names a platform that no installed package
    offers, when a plugin fails to start, and when a device number is out of
    range. The message lists what there is::

        JX_PLATFORMS=cpu python program.py
        jx.devices()

    >>> jx.devices("abacus")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.BackendError: platform 'abacus' was asked for, and this process has ...
    """


class DonatedArrayError(RuntimeError):
    """An array was read after its buffer was given away or deleted.

    ``jit(f, donate_argnums=0)`` lets the result of ``f(x)`` overwrite ``x``.
    Use the result from then on, or do not donate::

        state = step(state, batch)                 # not: new = step(state, batch)

    >>> with jx.core.backend.use("xla"):
    ...     x = jnp.arange(3)
    ...     y = jx.jit(lambda x: x + 1, donate_argnums=0)(x)
    ...     x + 1  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.DonatedArrayError: Array has been deleted with shape=int32[3]. ...
    """


class ShapeError(TypeError, ValueError):
    """The shapes of operands do not fit together.

    Both a `TypeError` (what JAX raises from ``jax.lax``) and a `ValueError`
    (what it, like NumPy, raises from the array functions), so that programs
    that catch either keep working. Reshape or broadcast one operand::

        x[:, None] + y[None, :]                    # (n, 1) and (1, m) give (n, m)

    >>> jnp.ones(2) + jnp.ones(3)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.ShapeError: add got incompatible shapes for broadcasting: (2,), (3,)...
    """


class AxisError(ShapeError, IndexError):
    """An axis that the array does not have.

    An `IndexError` beside what every `ShapeError` is, as NumPy's error of this name is and as
    the array API standard asks for. Axes count from 0, negative ones from the end::

        x.sum(-1)                                  # not x.sum(2), if x has two axes

    >>> jnp.ones((2, 3)).sum(2)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.AxisError: sum: axis 2 is out of bounds for array of dimension 2; ...
    """


class ArgnumsError(TypeError, ValueError):
    """`argnums` names an argument that the call does not have.

    Both a `TypeError` and a `ValueError`, as JAX raises one from ``grad`` and the other from
    ``jacfwd``. Pass the argument by position, as keyword arguments can't be differentiated::

        jx.grad(f, argnums=1)(x, y)                # and not f(x, y=y)

    >>> jx.grad(lambda x, y: x * y, argnums=1)(1.0, y=2.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.ArgnumsError: ... requires at least 2 positional arguments ...
    """


class KeyTypeError(TypeError, ValueError):
    """A typed PRNG key was given where a number is wanted.

    Keys are opaque: they can be moved about, compared for equality, and made
    into other keys and into random numbers, but not be computed with. Both a
    `TypeError` and a `ValueError`, for JAX raises now one, now the other. Draw
    numbers from a key, or derive a key from it and an integer::

        x + jx.random.uniform(key, x.shape)        # not: x + key
        jx.random.fold_in(key, step)               # not: key + step

    >>> jx.random.key(0) + 1  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.KeyTypeError: add does not accept dtypes key<fry>, int32: typed ...
    """


class TypePromotionError(ValueError):
    """Operands' dtypes have no common dtype that jx would choose by itself.

    Raised for 8-bit (and narrower) floats and for integers of up to 4 bits
    against other dtypes, and for nearly all mixtures under
    ``numpy_dtype_promotion='strict'``. Say which dtype is meant::

        x.astype(jnp.float32) + y                  # x is float8_e4m3fn

    >>> jnp.ones(3, jnp.float8_e4m3fn) + jnp.ones(3, jnp.float32)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.TypePromotionError: the types float8_e4m3fn and float32 do not combine ...
    """


class MissingRuleError(NotImplementedError):
    """A layer has no rule for a primitive.

    ``primitive`` is the primitive or its name, ``layer`` what lacks the rule
    ("batching", "XLA lowering for gpu"), ``how_to_define`` the one call that
    would define it, ``reason`` why the layer has none on purpose. A
    decomposition of the primitive serves every layer::

        @jx_batching.defbatch(my_primitive)
        def _(batch, operands, dims, **params): ...

    >>> costs = jx.core.RuleTable("cost", "costs.define({name}_p)(rule)")
    >>> costs.lookup(jx.lax.sin_p)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.MissingRuleError: the primitive 'sin' has no cost rule and no decomposition ...
    """

    def __init__(
        self, primitive: Any, layer: str, how_to_define: str, reason: str | None = None
    ) -> None:
        self.primitive = str(getattr(primitive, "name", primitive))
        self.layer = layer
        self.how_to_define = how_to_define
        self.reason = reason
        super().__init__(self.primitive, layer, how_to_define, reason)

    def __str__(self) -> str:
        if self.reason:
            return f"the primitive '{self.primitive}' has no {self.layer} rule: {self.reason}"
        return (
            f"the primitive '{self.primitive}' has no {self.layer} rule and no decomposition to "
            f"fall back on.\nDefine the rule with {self.how_to_define}, or give the primitive a "
            "decomposition into others, which serves every layer."
        )


class RefError(ValueError):
    """A Ref was used in a way that mutable arrays can't be.

    Raised when a Ref is used after `freeze`, or outside of the function in which it was
    made; when a function mapped by `vmap` writes to a Ref from outside, or a
    differentiated value is written to one that is not. The message says which, and what
    to do instead::

        total = jx.new_ref(0.0)
        jx.vmap(lambda x, row: row.addupdate(x))(xs, rows)     # rows: a Ref with a row for each

    >>> ref = jx.new_ref(1.0)
    >>> value = jx.freeze(ref)
    >>> ref[...]
    Traceback (most recent call last):
    jx_core.errors.RefError: a Ref{float32[]} can't be used: it has been frozen
    """
