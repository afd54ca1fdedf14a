"""The op families: one file each, holding primitives and the `lax` functions that bind them."""
