"""Special functions."""

# ruff: noqa: F403
from .exponential_integrals import *
from .trigonometric_integrals import *
from .faddeeva import *
from .dilogarithm import *
from .owens import *
from .hypergeometric import *
from .bessel_orders import *
from .spherical import *
