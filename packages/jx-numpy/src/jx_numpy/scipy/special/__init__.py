"""Special functions."""

# ruff: noqa: F403
from .exponential_integrals import *
from .trigonometric_integrals import *
from .faddeeva import *
from .dilogarithm import *
from .owens import *
