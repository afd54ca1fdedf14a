"""The examples of what jx puts on jaxlib's own classes run, and give what they say.

Those classes say that they are jaxlib's, so looking through jx's modules for docstrings, as
`test_docstrings` does, passes them by.
"""

import doctest

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx.sharding import NamedSharding, Sharding, SingleDeviceSharding

COMMON = {"np": np, "jnp": jnp, "jx": jx}


@pytest.mark.parametrize("cls", [Sharding, NamedSharding, SingleDeviceSharding])
def test_examples_of_class(cls: type) -> None:
    told: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags)
    for test in doctest.DocTestFinder().find(cls, cls.__name__, module=False, globs=COMMON):
        runner.run(test, out=told.append)
    assert runner.tries > 1
    assert not runner.failures, "".join(told)
