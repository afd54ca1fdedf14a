"""The example in the docstring of every public function of the namespace runs as shown."""

import doctest
import inspect

import numpy as np
import pytest

import jx_numpy as jnp


def _documented():
    seen = set()
    for name in sorted(set(jnp.__all__)):
        value = getattr(jnp, name)
        if inspect.ismodule(value) or id(value) in seen:
            continue
        if getattr(value, "__module__", "").startswith("jx_numpy"):
            seen.add(id(value))
            yield name, value


DOCUMENTED = dict(_documented())


def test_namespace_lists_each_name_once():
    names = [n for n in jnp.__all__ if jnp.__all__.count(n) > 1]
    assert not names


@pytest.mark.parametrize("name", DOCUMENTED)
def test_example(name):
    value = DOCUMENTED[name]
    doc = inspect.getdoc(value)
    assert doc, f"jnp.{name} has no docstring"
    globs = {"jnp": jnp, "np": np, **vars(jnp)}
    globs.update({value.__name__: value} if hasattr(value, "__name__") else {})
    test = doctest.DocTestParser().get_doctest(doc, globs, name, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    messages = []
    runner.run(test, out=messages.append)
    assert not runner.failures, "".join(messages)
