"""Batching of Fourier transforms."""
