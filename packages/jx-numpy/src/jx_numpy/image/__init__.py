"""`jx.image`: images resized, scaled and moved.

`kernels` says how samples are weighted by their distances, `resampling` applies that.
"""

from .kernels import ResizeMethod
from .resampling import resize, scale_and_translate

__all__ = ["ResizeMethod", "resize", "scale_and_translate"]
