"""Flattening, unflattening and tree definitions."""

import copy
import pickle
from collections import OrderedDict, defaultdict, namedtuple

import pytest

Point = namedtuple("Point", "x y")
Other = namedtuple("Other", "x y")


class SubclassOfDict(dict):
    pass


class SubclassOfList(list):
    pass


TREES = [
    (5, "*", [5]),
    (None, "None", []),
    ((), "()", []),
    ([], "[]", []),
    ({}, "{}", []),
    ((1,), "(*,)", [1]),
    ((1, [2, 3]), "(*, [*, *])", [1, 2, 3]),
    ({"b": 1, "a": (2, None)}, "{'a': (*, None), 'b': *}", [2, 1]),
    ({2: 20, 1: 10}, "{1: *, 2: *}", [10, 20]),
    (Point(1, (2,)), "CustomNode(namedtuple[Point], [*, (*,)])", [1, 2]),
    (OrderedDict([("b", 1), ("a", 2)]), "CustomNode(OrderedDict[('b', 'a')], [*, *])", [1, 2]),
    (
        defaultdict(list, b=1, a=2),
        "CustomNode(defaultdict[(<class 'list'>, ('a', 'b'))], [*, *])",
        [2, 1],
    ),
    (SubclassOfDict(a=1), "*", [{"a": 1}]),
    (SubclassOfList([1]), "*", [[1]]),
]
IDS = [text for _, text, _ in TREES]


@pytest.mark.parametrize(("value", "text", "leaves"), TREES, ids=IDS)
def test_leaves_structure_and_back(tu, value, text, leaves):
    found, treedef = tu.tree_flatten(value)
    assert found == leaves
    assert repr(treedef) == str(treedef) == f"PyTreeDef({text})"
    assert treedef.num_leaves == len(leaves)
    rebuilt = tu.tree_unflatten(treedef, found)
    assert rebuilt == value
    assert type(rebuilt) is type(value)


@pytest.mark.parametrize(("value", "text", "leaves"), TREES, ids=IDS)
def test_equal_structures_are_equal_and_hash_alike(tu, value, text, leaves):
    one, other = tu.tree_structure(value), tu.tree_structure(copy.deepcopy(value))
    assert one == other
    assert hash(one) == hash(other)
    for unlike, unlike_text, _ in TREES:
        if unlike_text != text:
            assert one != tu.tree_structure(unlike)


@pytest.mark.parametrize(("value", "text", "leaves"), TREES, ids=IDS)
def test_a_treedef_can_be_pickled_and_copied(tu, value, text, leaves):
    treedef = tu.tree_structure(value)
    for again in (pickle.loads(pickle.dumps(treedef)), copy.copy(treedef), copy.deepcopy(treedef)):
        assert again == treedef
        assert repr(again) == repr(treedef)
        assert tu.tree_unflatten(again, leaves) == value


@pytest.mark.parametrize(("value", "text", "leaves"), TREES, ids=IDS)
def test_node_data_and_children_rebuild_a_treedef(tu, value, text, leaves):
    def rebuild(treedef):
        children = [rebuild(child) for child in treedef.children()]
        return tu.PyTreeDef.from_node_data_and_children(
            tu.default_registry, treedef.node_data(), children
        )

    treedef = tu.tree_structure(value)
    assert rebuild(treedef) == treedef


def test_two_namedtuple_classes_of_equal_fields_differ(tu):
    assert tu.tree_structure(Point(1, 2)) != tu.tree_structure(Other(1, 2))


def test_defaultdicts_of_different_factories_differ(tu):
    assert tu.tree_structure(defaultdict(int)) != tu.tree_structure(defaultdict(list))


def test_node_data(tu):
    data = {
        name: tu.tree_structure(value).node_data()
        for name, value in {
            "leaf": 1, "none": None, "tuple": (1,), "dict": {"b": 1, "a": 2}, "named": Point(1, 2)
        }.items()
    }  # fmt: skip
    assert data == {
        "leaf": None,
        "none": (type(None), None),
        "tuple": (tuple, None),
        "dict": (dict, ["a", "b"]),
        "named": (Point, None),
    }


def test_counts_of_nodes(tu):
    treedef = tu.tree_structure((1, {"a": [2, None]}))
    assert (treedef.num_leaves, treedef.num_nodes) == (2, 6)


def test_is_leaf_stops_the_descent(tu):
    value = (1, {"a": [2, None]})
    assert tu.tree_leaves(value, is_leaf=lambda x: isinstance(x, list)) == [1, [2, None]]
    assert tu.tree_leaves(value, is_leaf=lambda x: x is None) == [1, 2, None]
    assert tu.tree_leaves(value, is_leaf=lambda x: None) == [1, 2]
    assert tu.tree_leaves(value, lambda x: True) == [value]


def test_is_leaf_must_answer_yes_or_no(tu):
    with pytest.raises(ValueError, match="is_leaf predicate returned a non-boolean value 'yes'"):
        tu.tree_flatten([1], is_leaf=lambda x: "yes")


def test_an_error_in_is_leaf_is_the_users_own(tu):
    def broken(_):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        tu.tree_flatten([1], is_leaf=broken)


@pytest.mark.parametrize("kind", [dict, lambda d: defaultdict(int, d)], ids=["dict", "defaultdict"])
def test_keys_that_cannot_be_sorted_are_named(tu, kind):
    with pytest.raises(ValueError) as caught:
        tu.tree_flatten([0, {"inner": kind({1: 2, "a": 3})}])
    message = str(caught.value)
    assert "[1]['inner'] has keys 1 (int) and 'a' (str)" in message
    assert "'<' not supported between instances of" in message
    assert "OrderedDict" in message
    with pytest.raises(ValueError, match="has keys 1"):
        tu.tree_flatten_with_path({"x": kind({1: 2, "a": 3})})


def test_a_container_that_holds_itself_is_refused(tu):
    endless = []
    endless.append(endless)
    with pytest.raises(RecursionError, match="contains itself"):
        tu.tree_flatten(endless)
    assert tu.tree_leaves([1, [2]]) == [1, 2]


@pytest.mark.parametrize("leaves", [[1], [1, 2, 3], []])
def test_the_number_of_leaves_must_fit(tu, leaves):
    treedef = tu.tree_structure((0, [0]))
    few_or_many = "few" if len(leaves) < 2 else "many"
    with pytest.raises(ValueError, match=f"Too {few_or_many} leaves for PyTreeDef; expected 2"):
        tu.tree_unflatten(treedef, leaves)


def test_unflatten_takes_any_iterable(tu):
    treedef = tu.tree_structure((0, [0]))
    assert tu.tree_unflatten(treedef, (n for n in (1, 2))) == (1, [2])
    assert tu.tree_unflatten(treedef, "ab") == ("a", ["b"])


def test_unflatten_says_when_it_is_given_no_treedef(tu):
    with pytest.raises(TypeError, match=r"treedef should be a PyTreeDef.*got a list: \[1\]"):
        tu.tree_unflatten([1], tu.tree_structure([1]))


def test_flatten_up_to_gives_subtrees(tu):
    treedef = tu.tree_structure({"a": 0, "b": (0, None)})
    assert treedef.flatten_up_to({"a": [1, 2], "b": (3, None)}) == [[1, 2], 3]


@pytest.mark.parametrize(
    "other",
    [5, {"a": 1}, {"a": 1, "c": (1, None)}, {"a": 1, "b": [1, None]}, {"a": 1, "b": (1, 2)},
     {"a": 1, "b": (1, None, None)}, OrderedDict(a=1, b=(1, None))],
)  # fmt: skip
def test_flatten_up_to_refuses_other_structures(tu, other):
    with pytest.raises(ValueError):
        tu.tree_structure({"a": 0, "b": (0, None)}).flatten_up_to(other)


def test_flatten_up_to_compares_static_data(tu):
    with pytest.raises(ValueError):
        tu.tree_structure(OrderedDict(a=1, b=2)).flatten_up_to(OrderedDict(b=1, a=2))


def test_compose_puts_a_structure_at_every_leaf(tu):
    outer, inner = tu.tree_structure([0, (0, None)]), tu.tree_structure({"a": 0})
    assert outer.compose(inner) == tu.tree_structure([{"a": 0}, ({"a": 0}, None)])


def test_walk_folds_a_tree(tu):
    treedef = tu.tree_structure((0, {"a": [0]}))
    seen = treedef.walk(lambda children, data: (children, data), lambda leaf: -leaf, [1, 2])
    assert seen == ((-1, ((((-2,), None),), ["a"])), None)


def test_build_tree_takes_nested_iterables(tu):
    treedef = tu.tree_structure({"a": 0, "b": (0, [0])})
    assert tu.build_tree(treedef, [1, [2, (3,)]]) == {"a": 1, "b": (2, [3])}
    with pytest.raises(ValueError, match="Arity mismatch"):
        tu.build_tree(treedef, [1])


def test_treedef_helpers(tu):
    leaf, pair = tu.tree_structure(0), tu.tree_structure((0, [0]))
    assert tu.treedef_children(pair) == [leaf, tu.tree_structure([0])]
    assert tu.treedef_tuple(iter([leaf, pair])) == tu.tree_structure((0, (0, [0])))
    assert tu.treedef_tuple(()) == tu.tree_structure(())
    assert tu.treedef_is_leaf(leaf) and not tu.treedef_is_leaf(pair)
    with pytest.raises(TypeError, match=r"treedefs\[1\] should be a PyTreeDef"):
        tu.treedef_tuple([leaf, 3])


def test_a_treedef_is_made_by_no_constructor(tu):
    with pytest.raises(TypeError):
        tu.PyTreeDef()


def test_all_leaves(tu):
    assert tu.all_leaves([1, "a", 2.0])
    assert not tu.all_leaves([1, (2,)])
    assert not tu.all_leaves([None])
    assert tu.all_leaves([(1,), None], is_leaf=lambda x: True)
    assert not tu.all_leaves([1, None], is_leaf=lambda x: False)


def test_is_tree_node(tu):
    for nodes in (list, tuple, dict, type(None), Point, OrderedDict, defaultdict, tu.Partial):
        assert tu.is_tree_node(nodes)
    for leaves in (int, str, object, SubclassOfDict, SubclassOfList):
        assert not tu.is_tree_node(leaves)


def test_flatten_one_level(tu):
    def children(value):
        items, aux = tu.flatten_one_level(value)
        return list(items), aux

    assert children([1, (2,)]) == ([1, (2,)], None)
    assert children(None) == ([], None)
    assert children(OrderedDict(b=1, a=2)) == ([1, 2], ("b", "a"))
    items, keys = children({"b": 1, "a": (2,)})
    assert items == [(2,), 1]
    assert list(keys) == ["a", "b"]
    with pytest.raises(ValueError, match="can't tree-flatten type: <class 'int'>"):
        tu.flatten_one_level(1)
