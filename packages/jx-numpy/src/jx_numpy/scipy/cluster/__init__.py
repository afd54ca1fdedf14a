"""`jx.scipy.cluster`: vector quantization, in `vq`."""

from . import vq as vq

__all__ = ["vq"]
