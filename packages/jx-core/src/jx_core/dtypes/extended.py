"""Extended dtypes: element types that NumPy has no dtype for, such as PRNG keys.

An array with an extended dtype holds several plain elements for each of its
own. This file has the base class and the scalar types by which `issubdtype`
tells kinds of them apart; each kind is defined where its operations are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np


class extended(np.generic):
    """The scalar type over all extended dtypes, for use with `issubdtype`.

    >>> jx.dtypes.issubdtype(jx.random.key(0).dtype, jx.dtypes.extended)
    True
    """


class prng_key(extended):
    """The scalar type of all PRNG key dtypes, for use with `issubdtype`.

    Example: ``jx.dtypes.issubdtype(jx.random.key(0).dtype, jx.dtypes.prng_key)``.

    >>> jx.dtypes.issubdtype(jx.random.key(0).dtype, jx.dtypes.prng_key)
    True
    """


class ExtendedDType(ABC):
    """A dtype beside NumPy's. Subclass it for each kind of extended element.

    ``name`` prints it (``key<fry>``), ``type`` is its scalar type (a subclass of
    `extended`), ``itemsize`` the bytes an element takes. Two dtypes are equal
    when they are of one class and name; a subclass that knows better overrides
    both ``__eq__`` and ``__hash__``.

    >>> dtype = jx.random.key(0).dtype
    >>> isinstance(dtype, ExtendedDType), dtype
    (True, key<fry>)
    """

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """What prints it.

        >>> jx.random.key(0).dtype.name
        'key<fry>'
        """

    @property
    @abstractmethod
    def type(self) -> type[extended]:
        """Its scalar type, a subclass of `extended`.

        >>> jx.random.key(0).dtype.type is jx.dtypes.prng_key
        True
        """

    @property
    @abstractmethod
    def itemsize(self) -> int:
        """The bytes that an element takes.

        >>> jx.random.key(0).dtype.itemsize
        8
        """

    def filled(self, number: Any) -> Any:
        """An array of this dtype and of the shape of `number`, each of whose elements is made of
        plain elements of that number alone.

        Raises:
            TypeError: there is no such element.

        >>> keys = jx.random.key(0).dtype.filled(np.uint32([5, 6]))
        >>> jx.random.key_data(keys).tolist()
        [[5, 5], [6, 6]]
        """
        raise TypeError(
            f"full: an array of dtype {self.name} needs a fill_value of that dtype, got {number!r}"
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.name == self.name

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__
