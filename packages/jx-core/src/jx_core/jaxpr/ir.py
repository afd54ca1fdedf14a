"""The intermediate representation: a typed program in A-normal form.

A `Jaxpr` is a function as data: input variables, equations in order, outputs. A
`ClosedJaxpr` is one with the arrays it closes over. Printing, checking, evaluating
and rewriting lie in the modules beside this one; building lies in `staging.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..aval import ShapedArray, typeof
from ..primitive import NO_EFFECTS, Primitive
from ..source import UNKNOWN, Source


class Var:
    """A variable, defined once. Its identity is its name; printing gives it a letter.

    >>> from jx_core import lax, make_jaxpr
    >>> program = make_jaxpr(lax.sin)(1.0).jaxpr
    >>> x, y = program.invars[0], program.outvars[0]
    >>> x.aval.str_short(), x is program.eqns[0].invars[0], x is y
    ('f32[]', True, False)
    """

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    def __repr__(self) -> str:
        return f"Var(id={id(self)}):{self.aval.str_short()}"


class Literal:
    """A scalar constant written in place of a variable: a Python or NumPy number.

    >>> from jx_core import lax, make_jaxpr
    >>> program = make_jaxpr(lambda x: lax.mul(x, 2.0))(1.0)
    >>> [type(v).__name__ for v in program.eqns[0].invars], program.eqns[0].invars[1]
    (['Var', 'Literal'], Literal(2.0))
    """

    __slots__ = ("aval", "val")

    def __init__(self, val: Any, aval: ShapedArray | None = None) -> None:
        self.val = val
        self.aval = typeof(val) if aval is None else aval

    def __repr__(self) -> str:
        return f"Literal({self.val})"


Atom = Var | Literal


class DropVar(Var):
    """A result that nothing uses; printed as `_`."""

    __slots__ = ()


class Eqn:
    """One application of a primitive: `outvars = primitive[params] invars`.

    >>> from jx_core import lax, make_jaxpr
    >>> (eqn,) = make_jaxpr(lambda x: lax.reduce_sum(x, (0,)))(np.ones(3)).eqns
    >>> eqn.primitive, eqn.params["axes"], [v.aval.str_short() for v in eqn.outvars]
    (reduce_sum, (0,), ['f32[]'])
    """

    __slots__ = ("effects", "invars", "outvars", "params", "primitive", "source")

    def __init__(
        self,
        primitive: Primitive,
        invars: Sequence[Atom],
        outvars: Sequence[Var],
        params: dict[str, Any],
        effects: frozenset[Any] = NO_EFFECTS,
        source: Source = UNKNOWN,
    ) -> None:
        self.primitive = primitive
        self.invars = invars
        self.outvars = outvars
        self.params = params
        self.effects = effects
        self.source = source

    def replace(self, **changes: Any) -> Eqn:
        """The same equation with some fields replaced.

        >>> from jx_core import lax, make_jaxpr
        >>> (eqn,) = make_jaxpr(lax.sin)(1.0).eqns
        >>> eqn.replace(primitive=lax.cos_p).primitive, eqn.primitive
        (cos, sin)
        """
        return Eqn(**{**{name: getattr(self, name) for name in self.__slots__}, **changes})

    def __repr__(self) -> str:
        from .printing import format_equation

        return format_equation(self)


class Jaxpr:
    """A program: `lambda constvars ; invars . let eqns in outvars`.

    Attributes:
        constvars: variables for the arrays the program closes over.
        invars: variables for its arguments.
        outvars: its results, variables or literals.
        eqns: the equations, in an order in which every variable is defined before use.
        effects: the union of the equations' effects.
        debug_name: the name of the Python function it was traced from.

    >>> from jx_core import lax, make_jaxpr
    >>> program = make_jaxpr(lambda x: lax.mul(x, lax.sin(x)))(1.0).jaxpr
    >>> program
    { lambda ; a:f32[]. let b:f32[] = sin a; c:f32[] = mul a b in (c,) }
    >>> [eqn.primitive.name for eqn in program.eqns]
    ['sin', 'mul']
    """

    __slots__ = ("__weakref__", "constvars", "debug_name", "effects", "eqns", "invars", "outvars")

    def __init__(
        self,
        constvars: Sequence[Var],
        invars: Sequence[Var],
        outvars: Sequence[Atom],
        eqns: Sequence[Eqn],
        debug_name: str = "",
    ) -> None:
        self.constvars = list(constvars)
        self.invars = list(invars)
        self.outvars = list(outvars)
        self.eqns = list(eqns)
        self.debug_name = debug_name
        effects = {e for eqn in self.eqns if eqn.effects for e in eqn.effects}
        self.effects = frozenset(effects) if effects else NO_EFFECTS

    @property
    def in_avals(self) -> list[ShapedArray]:
        """The types of the arguments.

        >>> from jx_core import lax, make_jaxpr
        >>> make_jaxpr(lax.add)(np.ones(3), np.ones(3)).jaxpr.in_avals
        [ShapedArray(float32[3]), ShapedArray(float32[3])]
        """
        return [v.aval for v in self.invars]

    @property
    def out_avals(self) -> list[ShapedArray]:
        """The types of the results.

        >>> from jx_core import lax, make_jaxpr
        >>> make_jaxpr(lambda x: lax.reduce_sum(x, (0,)))(np.ones(3)).jaxpr.out_avals
        [ShapedArray(float32[])]
        """
        return [v.aval for v in self.outvars]

    def replace(self, **changes: Any) -> Jaxpr:
        """The same program with some fields replaced.

        >>> from jx_core import lax, make_jaxpr
        >>> program = make_jaxpr(lambda x: (lax.sin(x), lax.cos(x)))(1.0).jaxpr
        >>> program.replace(outvars=program.outvars[1:])
        { lambda ; a:f32[]. let b:f32[] = sin a; c:f32[] = cos a in (c,) }
        """
        names = ("constvars", "invars", "outvars", "eqns", "debug_name")
        return Jaxpr(**{**{name: getattr(self, name) for name in names}, **changes})

    def pretty_print(self, *, source_info: bool = False, name_stack: bool = False) -> str:
        """The program as text; `source_info` adds each equation's file and line.

        >>> from jx_core import lax, make_jaxpr
        >>> print(make_jaxpr(lax.sin)(1.0).jaxpr.pretty_print())
        { lambda ; a:f32[]. let b:f32[] = sin a in (b,) }
        """
        from .printing import format_jaxpr

        return format_jaxpr(self, source_info=source_info, name_stack=name_stack)

    def __repr__(self) -> str:
        return self.pretty_print()


class ClosedJaxpr:
    """A `Jaxpr` together with the values of its `constvars`.

    Compared and hashed by identity: caches of derived programs hang on it.

    >>> from jx_core import lax, make_jaxpr
    >>> table = np.arange(3.0, dtype=np.float32)
    >>> closed = make_jaxpr(lambda x: lax.add(x, table))(np.ones(3))
    >>> closed.jaxpr
    { lambda a:f32[3]; b:f32[3]. let c:f32[3] = add b a in (c,) }
    >>> print(*closed.consts)
    [0. 1. 2.]
    """

    __slots__ = ("__weakref__", "consts", "derived", "jaxpr")

    def __init__(self, jaxpr: Jaxpr, consts: Sequence[Any] = ()) -> None:
        if len(jaxpr.constvars) != len(consts):
            raise TypeError(
                f"ClosedJaxpr: the jaxpr has {len(jaxpr.constvars)} constvars, "
                f"got {len(consts)} consts"
            )
        self.jaxpr = jaxpr
        self.consts = list(consts)
        # Programs that transformations derive from this one (its linearisation, its batched
        # form), keyed by who derived it and how. They die with this program, so derivation
        # happens once per program and the cache can't outlive its users.
        self.derived: dict[Any, Any] = {}

    @property
    def in_avals(self) -> list[ShapedArray]:
        """The types of the arguments.

        >>> from jx_core import lax, make_jaxpr
        >>> make_jaxpr(lax.sin)(np.ones(3)).in_avals
        [ShapedArray(float32[3])]
        """
        return [v.aval for v in self.jaxpr.invars]

    @property
    def out_avals(self) -> list[ShapedArray]:
        """The types of the results.

        >>> from jx_core import lax, make_jaxpr
        >>> make_jaxpr(lambda x: lax.gt(x, 0.0))(np.float32(1)).out_avals
        [ShapedArray(bool[])]
        """
        return [v.aval for v in self.jaxpr.outvars]

    @property
    def eqns(self) -> list[Eqn]:
        """The equations of the program.

        >>> from jx_core import lax, make_jaxpr
        >>> make_jaxpr(lax.sin)(1.0).eqns
        [b:f32[] = sin a]
        """
        return self.jaxpr.eqns

    @property
    def literals(self) -> list[Any]:
        """The values of the `constvars`: `consts` by another name.

        >>> from jx_core import lax, make_jaxpr
        >>> closed = make_jaxpr(lambda x: lax.add(x, np.ones(3)))(np.ones(3))
        >>> closed.literals is closed.consts
        True
        """
        return self.consts

    @property
    def effects(self) -> frozenset[Any]:
        """The effects of a run of the program, such as printing.

        >>> from jx_core import debug, lax, make_jaxpr
        >>> make_jaxpr(lax.sin)(1.0).effects
        frozenset()
        >>> make_jaxpr(lambda x: debug.print("{}", x))(1.0).effects
        frozenset({DebugEffect})
        """
        return self.jaxpr.effects

    def replace(self, **changes: Any) -> ClosedJaxpr:
        """The same program with `jaxpr` or `consts` replaced.

        >>> from jx_core import eval_jaxpr, lax, make_jaxpr
        >>> closed = make_jaxpr(lambda x: lax.add(x, np.ones(2)))(np.ones(2))
        >>> other = closed.replace(consts=[np.array([10.0, 20.0], np.float32)])
        >>> print(*eval_jaxpr(other.jaxpr, other.consts, np.ones(2, np.float32)))
        [11. 21.]
        """
        return ClosedJaxpr(**{"jaxpr": self.jaxpr, "consts": self.consts, **changes})

    def pretty_print(self, *, source_info: bool = False, name_stack: bool = False) -> str:
        """The program as text; `source_info` adds each equation's file and line.

        >>> from jx_core import lax, make_jaxpr
        >>> print(make_jaxpr(lax.exp)(1.0).pretty_print())
        { lambda ; a:f32[]. let b:f32[] = exp a in (b,) }
        """
        return self.jaxpr.pretty_print(source_info=source_info, name_stack=name_stack)

    def __repr__(self) -> str:
        return self.pretty_print()


def jaxprs_in(params: dict[str, Any]) -> Iterator[Jaxpr]:
    """The programs held in an equation's params: bodies of calls, loops and branches."""
    for value in params.values():
        for item in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(item, ClosedJaxpr):
                yield item.jaxpr
            elif isinstance(item, Jaxpr):
                yield item


def subjaxprs(jaxpr: Jaxpr) -> Iterator[Jaxpr]:
    """The programs held directly in the equations of `jaxpr`."""
    for eqn in jaxpr.eqns:
        yield from jaxprs_in(eqn.params)
