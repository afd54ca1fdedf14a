"""The version of jx-batching. Written by ci/set_version.py, the same in all seven packages."""

__version__ = "0.1.0"
