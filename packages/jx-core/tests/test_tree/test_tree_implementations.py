"""The two implementations agree, and one of them is chosen for the process."""

import inspect
import os
import subprocess
import sys
from collections import OrderedDict, namedtuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Point = namedtuple("Point", "x y")

keys = st.text("abc", max_size=2)
trees = st.recursive(
    st.integers() | st.none(),
    lambda sub: st.one_of(
        st.lists(sub, max_size=3),
        st.lists(sub, max_size=3).map(tuple),
        st.dictionaries(keys, sub, max_size=3),
        st.dictionaries(keys, sub, max_size=3).map(OrderedDict),
        st.tuples(sub, sub).map(lambda xy: Point(*xy)),
    ),
    max_leaves=12,
)


def same(one, other):
    """Whether two results are equal, key entries and structures by their text."""
    return repr(one) == repr(other)


@settings(max_examples=150, deadline=None)
@given(value=trees, prefix=trees, stop=st.integers(0, 2))
def test_both_give_the_same(both, value, prefix, stop):
    def is_leaf(x):
        return isinstance(x, (list, dict, Point)[stop])

    def results(tu):
        leaves, treedef = tu.tree_flatten(value)
        assert tu.tree_unflatten(treedef, leaves) == value
        yield leaves, treedef, treedef.num_leaves, treedef.num_nodes
        yield tu.tree_flatten_with_path(value)
        yield tu.tree_flatten(value, is_leaf)
        yield tu.tree_flatten_with_path(value, is_leaf)
        yield treedef.children(), treedef.compose(tu.tree_structure(prefix))
        yield treedef == tu.tree_structure(prefix)
        yield tu.all_leaves([value, prefix])
        try:
            yield tu.tree_structure(prefix).flatten_up_to(value)
        except ValueError:
            yield "not a prefix"
        try:
            yield tu.tree_broadcast(prefix, value)
        except ValueError as error:
            yield str(error)

    python, native = both
    for one, other in zip(results(python), results(native), strict=True):
        assert same(one, other)


@settings(max_examples=100, deadline=None)
@given(value=trees, prefix=trees)
def test_a_prefix_is_what_flatten_up_to_accepts(both, value, prefix):
    for tu in both:
        try:
            tu.tree_structure(prefix).flatten_up_to(value)
            accepted = True
        except ValueError:
            accepted = False
        try:
            tu.tree_broadcast(prefix, value)
            spread = True
        except ValueError as error:
            assert "full_tree" in str(error)
            spread = False
        assert accepted == spread


def test_what_one_pickled_the_other_can_read():
    pytest.importorskip("jaxlib")
    make = (
        "import pickle, sys; from jx_core.tree_util import tree_structure as s; "
        "d = s({'a': (1, [None]), 'b': __import__('collections').OrderedDict(c=2)}); "
    )
    for writer, reader in (("python", "native"), ("native", "python")):
        written = run(make + "print(pickle.dumps(d).hex())", JX_PYTREES=writer).stdout.strip()
        read = run(
            make + f"print(pickle.loads(bytes.fromhex('{written}')) == d)", JX_PYTREES=reader
        )
        assert read.stdout.strip() == "True", read.stderr


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


PRINT_NAME = "from jx_core.tree import implementation; print(implementation.NAME)"


def test_the_environment_chooses(tu):
    assert run(PRINT_NAME, JX_PYTREES="python").stdout.strip() == "python"
    refused = run(PRINT_NAME, JX_PYTREES="rust")
    assert "JX_PYTREES='rust': expected 'python' or 'native'" in refused.stderr


def test_python_serves_where_jaxlib_is_missing():
    hide = "import sys; sys.modules['jaxlib'] = None; "
    assert run(hide + PRINT_NAME, JX_PYTREES="").stdout.strip() == "python"
    assert "No module named 'jaxlib" in run(hide + PRINT_NAME, JX_PYTREES="native").stderr


def test_jaxlib_serves_where_it_is_installed():
    pytest.importorskip("jaxlib")
    assert run(PRINT_NAME, JX_PYTREES="").stdout.strip() == "native"
    assert run(PRINT_NAME, JX_PYTREES="native").stdout.strip() == "native"


def test_python_trees_load_no_jaxlib():
    code = "import jx_core.tree_util, sys; print('jaxlib' in sys.modules)"
    assert run(code, JX_PYTREES="python").stdout.strip() == "False"


def test_the_default_registry_of_jaxlib_is_left_alone():
    pytest.importorskip("jaxlib")
    code = (
        "import jx_core.tree_util, collections; from jaxlib._jax import pytree; "
        "print(pytree.default_registry().is_node(collections.OrderedDict))"
    )
    assert run(code, JX_PYTREES="native").stdout.strip() == "False"


SIGNATURES = {
    "all_leaves": "iterable, is_leaf=None",
    "flatten_one_level": "tree",
    "is_tree_node": "typ",
    "keystr": "keys, *, simple=False, separator=''",
    "register_dataclass": "nodetype, data_fields=None, meta_fields=None, drop_fields=()",
    "register_pytree_node": "nodetype, flatten_func, unflatten_func, flatten_with_keys_func=None",
    "register_pytree_with_keys": "nodetype, flatten_with_keys, unflatten_func, flatten_func=None",
    "register_static": "cls",
    "tree_all": "tree, *, is_leaf=None",
    "tree_broadcast": "prefix_tree, full_tree, is_leaf=None",
    "tree_flatten": "tree, is_leaf=None",
    "tree_flatten_with_path": "tree, is_leaf=None, is_leaf_takes_path=False",
    "tree_map": "f, tree, *rest, is_leaf=None",
    "tree_map_with_path": "f, tree, *rest, is_leaf=None, is_leaf_takes_path=False",
    "tree_transpose": "outer_treedef, inner_treedef, pytree_to_transpose",
    "tree_unflatten": "treedef, leaves",
    "treedef_tuple": "treedefs",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_public_signatures(tu, name):
    signature = inspect.signature(getattr(tu, name))
    bare = signature.replace(
        parameters=[
            p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()
        ],
        return_annotation=inspect.Signature.empty,
    )
    assert str(bare) == f"({SIGNATURES[name]})"


def test_docstring_examples(package):
    import doctest

    modules = [
        getattr(package.tree, name) for name in ("functions", "paths", "prefix", "registration")
    ]
    names = {**vars(package.tree_util), "static": package.tree.static}
    for module in modules:
        failed, attempted = doctest.testmod(module, extraglobs=names)
        assert attempted > 0
        assert failed == 0
