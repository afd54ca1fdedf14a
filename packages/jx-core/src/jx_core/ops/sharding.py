"""Identities that say where an array lies: sharding constraints, and moves to devices.

They change no element, so that programs that use them run on every back end; one with
several devices heeds them. What a sharding must offer is in `jx_core.shardings`. Moving
arrays outside of programs (`jx.device_put`) is the back end's.
"""

from __future__ import annotations

from typing import Any

from .. import shardings as _shardings
from .. import tree
from ..aval import ShapedArray
from ..primitive import Primitive

__all__ = ["device_put_p", "sharding_constraint_p", "with_sharding_constraint"]


def _constraint_type(
    operand: ShapedArray, *, sharding: Any, unconstrained_dims: frozenset[int]
) -> ShapedArray:
    sharding.check_compatible_aval(operand.shape)
    if any(not 0 <= d < operand.ndim for d in unconstrained_dims):
        raise ValueError(
            f"sharding_constraint: unconstrained_dims {sorted(unconstrained_dims)} are not all "
            f"axes of an operand of type {operand.str_short()}"
        )
    return operand


# Params: sharding; unconstrained_dims, the axes whose layout is left to the compiler.
sharding_constraint_p = Primitive(
    "sharding_constraint", abstract=_constraint_type, reference=lambda x, **params: x.copy()
)

# Params: device, a device, a sharding, a memory.Space or None (wherever it is); src, where the
# operand comes from and its cotangent goes back to, or None.
device_put_p = Primitive(
    "device_put",
    abstract=lambda operand, *, device, src: operand,
    reference=lambda x, **params: x.copy(),
)


def with_sharding_constraint(x: Any, shardings: Any) -> Any:
    """`x`, laid out over devices as `shardings` says from here on in the program.

    Inside `jit` this tells the compiler how to split a value that it would otherwise
    split by its own judgement. On arrays it moves them, between the devices they are on.

    Args:
        x: a pytree of arrays.
        shardings: a sharding, a PartitionSpec (which needs a mesh in context), or a pytree
            of them that is a prefix of `x`.

    Returns:
        The same pytree.

    Raises:
        TypeError: a leaf of `shardings` is no sharding.
        ValueError: a leaf is None; the trees don't fit together; a sharding does not fit
            its array.
        RuntimeError: a PartitionSpec without a mesh in context.

    With a mesh of four devices and an axis "data"::

        @jx.jit
        def layer(x, w):
            hidden = jx.lax.with_sharding_constraint(x @ w, NamedSharding(mesh, P("data")))
            return jx.nn.relu(hidden)

    >>> mesh = jx.make_mesh((1,), ("rows",))
    >>> rows = jx.sharding.NamedSharding(mesh, jx.P("rows"))
    >>> step = jx.jit(lambda x: jx.lax.with_sharding_constraint(x * 2, rows))
    >>> step(np.float32([1, 2])).tolist()
    [2.0, 4.0]
    """
    leaves, structure = tree.flatten(x)
    what = "with_sharding_constraint's shardings"
    chosen = _shardings.flatten_prefix(shardings, structure, what)
    if any(s is None for s in chosen):
        raise ValueError(
            f"{what} must name a sharding for each array, got None for some; to constrain a "
            f"part of a pytree, call it on that part"
        )
    return tree.unflatten(
        structure,
        [
            sharding_constraint_p.bind(
                leaf, sharding=s, unconstrained_dims=frozenset(s.unconstrained_dims)
            )
            for leaf, s in zip(leaves, chosen, strict=True)
        ],
    )
