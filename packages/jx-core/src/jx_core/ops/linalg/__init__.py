"""Matrices taken apart and put together: decompositions, and what is solved with them."""

__all__: list[str] = []
