"""Settings for every test run in this repository, whichever package's tests they are.

They are set here, above all packages, because they must be in place before
the first import that starts a back end. Fixtures belong beside their tests.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

# Virtual devices, so that the tests of sharding run on any machine.
os.environ.setdefault("JX_NUM_CPU_DEVICES", "8")
# XLA's informational lines would drown a failure's own output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# The same examples in every run: a red run can be repeated, and a first compilation
# that takes seconds is no failure. JX_HYPOTHESIS=search looks for new examples.
settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("JX_HYPOTHESIS", "repeatable"))

# They search the whole heap, many times: in a young process that takes a sixth of the time.
SEARCHING_THE_HEAP = ("test_leaks", "test_lifetimes")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in SEARCHING_THE_HEAP)
