"""Lowering of special functions."""
