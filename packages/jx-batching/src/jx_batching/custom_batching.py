"""`jx.custom_batching`: functions with batching rules of their own.

What the transformations make of a call of such a function is in `rules/control_flow/custom.py`
here and in `jx_ad`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import ShapedArray, lax, tree, typeof
from jx_core.custom_functions import CustomFunction, FlatCall, as_array, check_tree
from jx_core.ops.control_flow.custom import (
    CustomVmap,
    Mask,
    StagedVmap,
    custom_vmap_call_p,
    staged_form,
)
from jx_core.staging import check_outputs, function_name
from jx_core.tracebacks import filtered

from .programs import batch_aval
from .trace import row_aval

__all__ = ["custom_vmap", "sequential_vmap"]


class custom_vmap(CustomFunction):
    """Give a function a batching rule of its own, which `vmap` uses in place of the function.

    Args:
        fun: takes and returns pytrees of arrays.

    The rule is defined with `def_vmap`. Without `vmap` the function is what it was. A derivative
    is that of the function, and under `vmap` that of the rule, in forward and in reverse mode
    (JAX has forward mode only); for other derivatives put `custom_jvp` or `custom_vjp` outside.
    Reverse mode keeps the arguments alone of such a call, and computes its values again.

    >>> import numpy as np
    >>> from jx_batching import vmap
    >>> from jx_core import lax
    >>> @custom_vmap
    ... def solve(matrix, b):
    ...     return lax.dot(matrix, b)
    >>> @solve.def_vmap
    ... def _(axis_size, in_batched, matrix, b):
    ...     assert in_batched == [False, True]  # all rows share the matrix: one product does
    ...     return lax.dot(b, lax.transpose(matrix, (1, 0))), True
    >>> print(vmap(solve, in_axes=(None, 0))(np.eye(2), np.arange(6.0).reshape(3, 2)))
    [[0. 1.]
     [2. 3.]
     [4. 5.]]
    """

    def __init__(self, fun: Callable[..., Any]) -> None:
        super().__init__(fun)
        self.vmap_rule: Callable[..., Any] | None = None

    def def_vmap(self, vmap_rule: Callable[..., Any]) -> Callable[..., Any]:
        """Define the rule; may be used as a decorator.

        Args:
            vmap_rule: `vmap_rule(axis_size, in_batched, *args)` gives `(out, out_batched)`.
                `in_batched` is a list with a pytree of bools for each argument: which of its
                leaves are batches, with the rows along axis 0; the others come as they are, the
                same for all rows. `out_batched` says the same of the leaves of `out`.

        Returns:
            `vmap_rule`.

        >>> from jx_batching import vmap
        >>> from jx_core import lax
        >>> @custom_vmap
        ... def shifted(x, by):
        ...     return lax.add(x, by)
        >>> @shifted.def_vmap
        ... def _(axis_size, in_batched, x, by):
        ...     print(axis_size, in_batched)
        ...     return lax.add(x, lax.broadcast(by, (axis_size,))), True
        >>> print(vmap(shifted, in_axes=(0, None))(np.arange(3.0), 10.0))
        3 [True, False]
        [10. 11. 12.]
        """
        if not callable(vmap_rule):
            raise TypeError(
                f"def_vmap of {self._names.name}: the rule must be callable, got {vmap_rule!r}"
            )
        self.vmap_rule = vmap_rule
        self._names.forget()
        return vmap_rule

    @filtered
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.vmap_rule is None:
            raise AttributeError(
                f"No batching rule defined for custom_vmap function {self._names.name} using "
                f"def_vmap."
            )
        return self._apply(custom_vmap_call_p, _Rules, (), args, kwargs)


class _Rules(FlatCall, CustomVmap):
    """One call's function and rule, flat."""

    def batch(
        self, size: int, batched: Mask, consts: Sequence[Any], args: Sequence[Any]
    ) -> tuple[list[Any], Mask]:
        rows = [
            row_aval(typeof(x), 0) if on else typeof(x) for x, on in zip(args, batched, strict=True)
        ]
        expected = staged_form(StagedVmap, self, tuple(rows), 0)
        rule, in_tree = self.owner.vmap_rule, self.split.in_tree
        in_batched = list(tree.unflatten(in_tree, list(batched)))
        result = rule(size, in_batched, *tree.unflatten(in_tree, list(args)))
        what = f"the batching rule {function_name(rule)} of custom_vmap function {self.name}"
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise TypeError(
                f"{what} must return a pair (out, out_batched) of the batched output and which of "
                f"its leaves are batched, but got {result!r:.80}"
            )
        out, out_batched = result
        leaves, out_tree = tree.flatten(out)
        check_outputs(leaves, out_tree, f"{self.name}'s batching rule")
        check_tree(
            out_tree, expected.out_tree,
            f"{what} must return outputs of the structure that the function's own have, but they "
            f"differ:", ValueError,
        )  # fmt: skip
        flags, flag_tree = tree.flatten(out_batched)
        check_tree(
            flag_tree, out_tree,
            f"{what} must say for each leaf of its output whether it is batched, in a tree of the "
            f"same structure, but they differ:", ValueError,
        )  # fmt: skip
        outs = [as_array(x) for x in leaves]
        for (path, _), x, on, row in zip(
            tree.leaves_with_path(out), outs, flags, expected.call_jaxpr.out_avals, strict=True
        ):
            _check_result(typeof(x), bool(on), row, size, f"{what}: the output{tree.keystr(path)}")
        return outs, tuple(map(bool, flags))


def _check_result(have: ShapedArray, on: bool, row: ShapedArray, size: int, what: str) -> None:
    """Raise a TypeError unless a rule's result fits the function's."""
    want = batch_aval(row, 0 if on else None, size)
    if (have.shape, have.dtype) != (want.shape, want.dtype):
        kind = f"batched over {size} rows" if on else "not batched"
        raise TypeError(
            f"{what} is said to be {kind}, and the function gives {row.str_short()}; so expected "
            f"{want.str_short()}, got {have.str_short()}"
        )


def sequential_vmap(f: Callable[..., Any]) -> custom_vmap:
    """A function that `vmap` calls for one row after another, in a loop of the program.

    For functions that can't take batches, or would take too much memory for them.

    Args:
        f: takes and returns pytrees of arrays.

    Returns:
        A `custom_vmap` of it whose rule is `lax.map` over the batched arguments.

    >>> import numpy as np
    >>> from jx_batching import vmap
    >>> print(vmap(sequential_vmap(lambda x: x + 1.0))(np.arange(3.0)))
    [1. 2. 3.]
    """
    mapped = custom_vmap(f)

    @mapped.def_vmap
    def row_by_row(axis_size: int, in_batched: Any, *args: Any) -> tuple[Any, Any]:
        leaves, in_tree = tree.flatten(args)
        flags = tree.leaves(in_batched)

        def row(batches: Any) -> Any:
            following = iter(batches)
            full = [next(following) if on else x for x, on in zip(leaves, flags, strict=True)]
            return mapped(*tree.unflatten(in_tree, full))

        out = lax.map(row, [x for x, on in zip(leaves, flags, strict=True) if on])
        return out, tree.map(lambda _: True, out)

    return mapped
