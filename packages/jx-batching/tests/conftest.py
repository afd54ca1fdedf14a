"""These tests are about this layer, so they run on the NumPy back end even where the whole
suite has loaded another one in the same process."""

from collections.abc import Iterator

import pytest

from jx_core import backend


@pytest.fixture(autouse=True)
def numpy_back_end() -> Iterator[None]:
    with backend.use("numpy"):
        yield
