"""Mapping, reducing, transposing; and what trees of different structure get."""

from collections import OrderedDict, defaultdict, namedtuple

import pytest

Point = namedtuple("Point", "x y")


def add(x, y):
    return x + y


def group(a, b):
    return f"({a}{b})"


def test_map_keeps_structure_and_the_order_of_sorted_keys(tree):
    value = {"b": 1, "a": (2, None, [3])}
    assert tree.map(lambda x: 10 * x, value) == {"a": (20, None, [30]), "b": 10}


def test_map_over_several_trees(tree):
    assert tree.map(lambda *xs: xs, [1, 2], [3, 4], [5, 6]) == [(1, 3, 5), (2, 4, 6)]


def test_map_passes_subtrees_of_the_others(tree):
    assert tree.map(lambda x, sub: (x, sub), {"a": 1}, {"a": [2, 3]}) == {"a": (1, [2, 3])}


def test_map_with_is_leaf(tree):
    mapped = tree.map(lambda x, y: (x, y), [None, 1], [(3,), 4], is_leaf=lambda x: x is None)
    assert mapped == [(None, (3,)), (1, 4)]


@pytest.mark.parametrize("error", [StopIteration, ValueError, KeyError, AttributeError])
def test_an_error_in_the_function_is_the_users_own(tree, error):
    def broken(_):
        raise error("mine")

    with pytest.raises(error, match="mine"):
        tree.map(broken, [1, 2])


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({"b": (1, 2)}, {"b": [1, 2]},
         "tree['b'] is a tuple of length 2, but rest[0]['b'] is a list of length 2."),
        ({"b": (1, 2)}, {"b": (1, 2, 3)},
         "tree['b'] is a tuple of length 2, but rest[0]['b'] is a tuple of length 3."),
        ({"b": (1, 2)}, {"b": 4},
         "tree['b'] is a tuple of length 2, but rest[0]['b'] is a leaf (int)."),
        ([None], [4], "tree[0] is None, but rest[0][0] is a leaf (int)."),
        ({"a": 1, "b": 2}, {"a": 1, "c": 2},
         "tree is a dict with keys ['a', 'b'], but rest[0] is a dict with keys ['a', 'c'] "
         "(without ['b'], with ['c'] besides)."),
        (OrderedDict(a=1, b=2), OrderedDict(b=1, a=2),
         "tree is an OrderedDict with keys ['a', 'b'], "
         "but rest[0] is an OrderedDict with keys ['b', 'a']."),
        (Point(1, 2), (1, 2),
         "tree is a Point with 2 children, but rest[0] is a tuple of length 2."),
        (defaultdict(int, a=1), defaultdict(list, a=1),
         "tree is a defaultdict with keys ['a'] with static data (<class 'int'>, ('a',)), but "
         "rest[0] is a defaultdict with keys ['a'] with static data (<class 'list'>, ('a',))."),
    ],
)  # fmt: skip
def test_map_says_where_and_how_trees_differ(tree, first, second, says):
    with pytest.raises(ValueError) as caught:
        tree.map(add, first, second)
    assert str(caught.value) == f"tree_map: the trees differ in structure: {says}"


def test_map_names_the_tree_that_differs_and_all_places(tree):
    one = {"a": [1], "b": (1, 2)}
    with pytest.raises(ValueError) as caught:
        tree.map(lambda *xs: xs, one, one, {"a": [1, 2], "b": {"c": 3}})
    assert str(caught.value).splitlines() == [
        "tree_map: the trees differ in structure:",
        "  tree['a'] is a list of length 1, but rest[1]['a'] is a list of length 2",
        "  tree['b'] is a tuple of length 2, but rest[1]['b'] is a dict with keys ['c']",
    ]


def test_arrays_are_described_by_dtype_and_shape(tree):
    numpy = pytest.importorskip("numpy")
    with pytest.raises(ValueError, match=r"is a leaf \(float32\[3,2\]\)"):
        tree.map(add, [(1,)], [numpy.ones((3, 2), "float32")])


def test_classes_of_one_name_are_told_apart(tree):
    namesake = namedtuple("Point", "x y", module="elsewhere")
    with pytest.raises(ValueError, match=r"2 children \(elsewhere\.Point\)"):
        tree.map(add, Point(1, 2), namesake(1, 2))


def test_all(tree):
    assert tree.all([1, {"a": True}]) and tree.all([]) and tree.all([None])
    assert not tree.all([1, {"a": 0}])
    assert not tree.all([None], is_leaf=lambda x: x is None)


def test_reduce_folds_from_the_left(tree):
    assert tree.reduce(group, ["a", ("b", "c")]) == "((ab)c)"
    assert tree.reduce(group, ["a"], "z") == "(za)"
    assert tree.reduce(lambda a, b: b, [], None) is None
    assert tree.reduce(add, [None, 1], is_leaf=lambda x: x == [None, 1]) == [None, 1]


def test_reduce_of_nothing_needs_an_initializer(tree):
    with pytest.raises(TypeError, match="has no leaves; pass initializer="):
        tree.reduce(add, {"a": None})


@pytest.mark.parametrize(
    ("leaves", "result"),
    [("a", "a"), ("abc", "(a(bc))"), ("abcd", "((ab)(cd))"), ("abcde", "((ab)(c(de)))"),
     ("abcdefg", "((a(bc))((de)(fg)))")],
)  # fmt: skip
def test_reduce_associative_halves(tree, leaves, result):
    assert tree.reduce_associative(group, list(leaves)) == result
    assert tree.reduce_associative(group, list(leaves), identity="unused") == result


def test_reduce_associative_of_nothing(tree):
    assert tree.reduce_associative(group, [], identity="e") == "e"
    with pytest.raises(TypeError, match="pass identity="):
        tree.reduce_associative(group, [])


def test_transpose(tree):
    outer, inner = tree.structure([0, 0]), tree.structure({"a": 0, "b": 0})
    value = [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    turned = {"a": [1, 3], "b": [2, 4]}
    assert tree.transpose(outer, inner, value) == turned
    assert tree.transpose(outer, None, value) == turned
    assert tree.transpose(inner, outer, turned) == value


def test_transpose_of_nothing(tree):
    assert tree.transpose(tree.structure([]), tree.structure({"a": 0}), []) == {"a": []}
    assert tree.transpose(tree.structure([0, 0]), tree.structure({}), [{}, {}]) == {}
    with pytest.raises(ValueError, match="pass inner_treedef"):
        tree.transpose(tree.structure([]), None, [])


def test_transpose_refuses_another_number_of_leaves(tree):
    outer, inner = tree.structure([0, 0]), tree.structure({"a": 0, "b": 0})
    with pytest.raises(TypeError, match=r"with 2 \* 2 leaves, got one of structure .* with 2"):
        tree.transpose(outer, inner, [{"a": 1, "b": 2}])
    with pytest.raises(TypeError, match="outer_treedef should be a PyTreeDef"):
        tree.transpose([0, 0], inner, [])
