"""`jx.numpy.linalg`: linear algebra on stacks of matrices, as in `numpy.linalg`.

Every function takes arrays of shape (..., m, n), the leading axes being a stack of matrices.
`decompositions` holds what is a primitive's result in NumPy's form, `solving` what is solved or
inverted with them, `determinants`, `norms` and `products` what their names say.
"""

from .decompositions import *  # noqa: F403
from .decompositions import __all__ as _decompositions
from .determinants import *  # noqa: F403
from .determinants import __all__ as _determinants
from .norms import *  # noqa: F403
from .norms import __all__ as _norms
from .products import *  # noqa: F403
from .products import __all__ as _products
from .pseudo_inverse import *  # noqa: F403
from .pseudo_inverse import __all__ as _pseudo_inverse
from .solving import *  # noqa: F403
from .solving import __all__ as _solving

__all__ = [  # noqa: PLE0604
    *_decompositions, *_determinants, *_norms, *_products, *_pseudo_inverse, *_solving,
]  # fmt: skip
