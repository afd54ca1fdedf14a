"""`jx.ad_checkpoint`: what is kept for derivatives, and a look at it."""

from .checkpointing import checkpoint, checkpoint_name, print_saved_residuals
from .policies import Offloadable, Recompute, Saveable, checkpoint_policies

__all__ = [
    "Offloadable", "Recompute", "Saveable", "checkpoint", "checkpoint_name", "checkpoint_policies",
    "print_saved_residuals",
]  # fmt: skip
