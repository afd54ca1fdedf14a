"""Differentiation: a shift is linear, and its transpose is the shift back."""

from jx_ad import deflinear, deftranspose

from .operations import shift, shift_p

deflinear(shift_p)


@deftranspose(shift_p)
def _(ct, x, *, by):
    return [shift(ct, -by)]
