"""Primitives, the operations that programs are made of, and the tables of their rules.

A `Primitive` knows what core must know: its name, how the types of its operands
give those of its results, and what it computes, in NumPy (`reference`) or in
terms of other primitives (`decompose`). What a transformation does with it lies
in that transformation's `RuleTable`, in a package above.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from .aval import ShapedArray, typeof
from .errors import MissingRuleError
from .state import state

_CACHED_TYPES = 4096  # per primitive; past that the cache is dropped and begun anew

NO_EFFECTS: frozenset[Any] = frozenset()


class Primitive:
    """One operation.

    Args:
        name: as Jaxprs print it.
        abstract: `abstract(*avals, **params)` gives the result's `ShapedArray`, or a
            list of them for `multiple_results`. It checks the operands and raises
            TypeError or ValueError saying what was got and expected.
        reference: `reference(*ndarrays, **params)` computes the result in plain NumPy.
        decompose: `decompose(*operands, **params)` computes the result by binding other
            primitives. A layer without a rule for this primitive uses it.
        multiple_results: whether results come as a list.
        effects: `effects(**params)` gives the frozenset of the equation's effects.
        higher_order: whether params hold Jaxprs. `reference` then gets the operands as the
            back end's arrays, to run the Jaxprs on, and result types are not remembered
            (the memory would keep the Jaxprs alive).
        stage: `stage(operands, params)` gives both in the form that an equation of a program
            has, for a primitive that may carry Python functions until something records it.
            Eagerly such a primitive is run as its decomposition.

    A primitive defined outside of jx works at once in every layer through its
    decomposition:

    >>> from jx_core import lax
    >>> square_p = Primitive("my_square", abstract=lambda x: x,
    ...                      decompose=lambda x: lax.mul(x, x))
    >>> float(square_p.bind(3.0))
    9.0
    """

    __slots__ = (
        "_types",
        "abstract",
        "decompose",
        "effects",
        "family",
        "higher_order",
        "multiple_results",
        "name",
        "reference",
        "stage",
    )

    def __init__(
        self,
        name: str,
        *,
        abstract: Callable[..., Any],
        reference: Callable[..., Any] | None = None,
        decompose: Callable[..., Any] | None = None,
        multiple_results: bool = False,
        effects: Callable[..., frozenset[Any]] | None = None,
        higher_order: bool = False,
        stage: Callable[..., tuple[Any, dict[str, Any]]] | None = None,
    ) -> None:
        if reference is None and decompose is None:
            raise TypeError(
                f"Primitive {name!r} says nowhere what it computes: give reference= (in NumPy) "
                f"or decompose= (in other primitives), or both"
            )
        self.name = name
        self.abstract = abstract
        self.reference = reference
        self.decompose = decompose
        self.multiple_results = multiple_results
        self.effects = effects
        self.higher_order = higher_order
        self.stage = stage
        self.family = _family(abstract.__module__ or "")
        self._types: dict[Any, Any] = {}
        _all.append(self)

    def bind(self, *operands: Any, **params: Any) -> Any:
        """Apply the primitive under the current trace: to compute, record or transform it.

        Returns one array or tracer, or a list of them for `multiple_results`.

        >>> from jx_core import lax
        >>> float(lax.add_p.bind(1.0, 2.0))
        3.0
        """
        return state.trace.process(self, operands, params)

    def result_types(self, avals: tuple[ShapedArray, ...], params: dict[str, Any]) -> Any:
        """The type of the result, or the list of types of the results, remembered.

        >>> from jx_core import lax
        >>> vector = ShapedArray((3,), np.float32)
        >>> lax.gt_p.result_types((vector, vector), {})
        ShapedArray(bool[3])
        """
        if self.higher_order:
            return self.abstract(*avals, **params)
        key = (avals, *params.items()) if params else avals
        try:
            result = self._types.get(key)
        except TypeError:  # a param that can't be hashed
            return self.abstract(*avals, **params)
        if result is None:
            result = self.abstract(*avals, **params)
            if len(self._types) >= _CACHED_TYPES:
                self._types.clear()
            self._types[key] = result
        return result

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        return _by_name, (self.name,)


_all: list[Primitive] = []


def all_primitives() -> Iterator[Primitive]:
    """Every primitive defined so far in this process, in order of definition.

    >>> from jx_core import lax
    >>> lax.sin_p in all_primitives()
    True
    """
    return iter(tuple(_all))


def _family(module: str) -> str:
    """The op family of the module a primitive's shape rule lies in: the name under `ops`."""
    parts = module.split(".")
    return parts[parts.index("ops") + 1] if "ops" in parts[:-1] else parts[-1]


def _by_name(name: str) -> Primitive:
    for primitive in _all:
        if primitive.name == name:
            return primitive
    raise LookupError(f"no primitive named {name!r} is defined in this process")


Rule = Callable[..., Any]
R = TypeVar("R", bound=Rule)


class RuleTable:
    """One layer's rules, by primitive.

    Args:
        layer: the layer's name in error messages, such as `forward differentiation (jx_ad)`.
        define: the call that would define a missing rule, with `{name}` for the
            primitive's name, such as `jx_ad.defjvp({name}_p)(rule)`.
        module: the module whose import fills the table. It is imported when a rule is first
            asked for, so that importing a layer stays cheap.

    >>> table = RuleTable("cost", "cost_rules.define({name}_p)(rule)")
    >>> from jx_core import lax
    >>> table.define(lax.sin_p)(lambda x: x.size)  # doctest: +ELLIPSIS
    <function ...>
    >>> table.get(lax.sin_p)(typeof(1.0))
    1
    """

    def __init__(self, layer: str, define: str, module: str | None = None) -> None:
        self.layer = layer
        self._how = define
        self._module = module
        self.rules: dict[Primitive, Rule] = {}
        self._reasons: dict[Primitive, str] = {}

    def load(self) -> None:
        """Have the table filled. Whoever reads `rules` directly calls this once before.

        >>> table = RuleTable("cost", "cost_rules.define({name}_p)(rule)")
        >>> table.load()  # nothing to import: its rules are defined right here
        >>> table.rules
        {}
        """
        if self._module is not None:
            # Only once it is filled: another thread may look meanwhile, and waits in the import.
            importlib.import_module(self._module)
            self._module = None

    def define(self, *primitives: Primitive) -> Callable[[R], R]:
        """Decorator: the function it is put on becomes the rule of each of `primitives`.

        >>> from jx_core import lax
        >>> table = RuleTable("cost", "cost_rules.define({name}_p)(rule)")
        >>> @table.define(lax.sin_p, lax.cos_p)
        ... def cost_of_a_wave(x):
        ...     return 10 * x.size
        >>> table.rules[lax.cos_p] is cost_of_a_wave
        True
        """
        for primitive in primitives:
            if not isinstance(primitive, Primitive):
                raise TypeError(
                    f"rules for {self.layer} are defined for Primitives, got {primitive!r}"
                )

        def register(rule: R) -> R:
            for primitive in primitives:
                self.rules[primitive] = rule
            return rule

        return register

    def explain(self, reason: str, *primitives: Primitive) -> None:
        """Record why `primitives` have no rule here; the reason is part of the error.

        >>> from jx_core import lax
        >>> table = RuleTable("cost", "cost_rules.define({name}_p)(rule)")
        >>> table.explain("how long a loop runs is not known", lax.while_p)
        >>> table.lookup(lax.while_p)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        jx_core.errors.MissingRuleError: the primitive 'while' has no cost rule: how long ...
        """
        for primitive in primitives:
            self._reasons[primitive] = reason

    def reason(self, primitive: Primitive) -> str | None:
        """Why `primitive` has no rule here, where that was recorded.

        >>> from jx_core import lax
        >>> table = RuleTable("cost", "cost_rules.define({name}_p)(rule)")
        >>> table.explain("how long a loop runs is not known", lax.while_p)
        >>> table.reason(lax.while_p), table.reason(lax.sin_p)
        ('how long a loop runs is not known', None)
        """
        self.load()
        return self._reasons.get(primitive)

    def get(self, primitive: Primitive) -> Rule | None:
        """The rule of `primitive`, or None. Does not look at decompositions.

        >>> from jx_core import lax
        >>> table = RuleTable("cost", "cost_rules.define({name}_p)(rule)")
        >>> print(table.get(lax.sin_p))
        None
        """
        self.load()
        return self.rules.get(primitive)

    def lookup(self, primitive: Primitive) -> Rule:
        """The rule of `primitive`.

        Raises:
            MissingRuleError: there is none; it names the primitive, the layer, and the
                call that would define it.

        >>> from jx_core import lax
        >>> table = RuleTable("cost", "cost_rules.define({name}_p)(rule)")
        >>> rule = table.define(lax.sin_p)(lambda x: x.size)
        >>> table.lookup(lax.sin_p) is rule
        True
        >>> table.lookup(lax.cos_p)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        jx_core.errors.MissingRuleError: the primitive 'cos' has no cost rule and no ...
        """
        rule = self.get(primitive)
        if rule is None:
            raise MissingRuleError(
                primitive.name,
                self.layer,
                self._how.format(name=primitive.name),
                reason=self._reasons.get(primitive),
            )
        return rule

    def __contains__(self, primitive: Primitive) -> bool:
        self.load()
        return primitive in self.rules


def types_of(operands: tuple[Any, ...]) -> tuple[ShapedArray, ...]:
    """The abstract values of a primitive's operands."""
    return tuple(typeof(x) for x in operands)
