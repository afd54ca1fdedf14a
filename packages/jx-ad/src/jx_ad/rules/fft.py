"""Differentiation of Fourier transforms."""
