"""Batching rules of primitives that hold programs, one file each."""
