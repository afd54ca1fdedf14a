"""Batching: the rows of a batch are shifted alike, so the batch axis only has to be in front."""

from jx_batching import defbatch
from jx_core import lax

from .operations import shift, shift_p


@defbatch(shift_p)
def _(batch, operands, dims, *, by):
    (x,), (dim,) = operands, dims
    order = (dim, *[axis for axis in range(x.ndim) if axis != dim])
    return shift(lax.transpose(x, order), by), 0
