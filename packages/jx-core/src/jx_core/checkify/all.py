"""Importing this module fills the table of checks."""

from . import programs, rules  # noqa: F401
