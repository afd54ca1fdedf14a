"""Lowering: how programs and primitives become StableHLO.

The rules load (`rules.py`) when the first program is lowered.
"""
