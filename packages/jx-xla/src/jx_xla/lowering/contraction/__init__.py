"""Lowering of contractions: one file for each file of the family in core.

`conv_cpu` has what differs on the CPU.
"""

from . import conv, conv_cpu, dot, ragged  # noqa: F401
