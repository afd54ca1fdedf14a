"""Prefix trees, and what is said where one tree is no prefix of the other."""

from collections import OrderedDict, namedtuple

import pytest

Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("prefix", "full", "spread"),
    [
        (0, 5, [0]),
        (0, [1, (2, 3)], [0, 0, 0]),
        (0, [], []),
        ((0, 1), (5, 6), [0, 1]),
        ((0, 1), ([5, 6], {"a": 7, "b": (8, 9)}), [0, 0, 1, 1, 1]),
        ((0, {"a": 1, "b": 2}), (5, {"b": (8, 9), "a": 7}), [0, 1, 2, 2]),
        ([None, 1], [None, (2, 3)], [1, 1]),
        (Point(0, 1), Point((1, 2), 3), [0, 0, 1]),
        (OrderedDict(b=0, a=1), OrderedDict(b=[1, 2], a=3), [0, 0, 1]),
    ],
)
def test_each_leaf_gets_the_leaf_that_speaks_for_it(tree, prefix, full, spread):
    assert tree.flatten_prefix(prefix, full) == spread
    assert tree.flatten_prefix_to_treedef(prefix, tree.structure(full)) == spread
    assert tree.prefix_errors(prefix, full) == []
    assert tree.leaves(tree.broadcast(prefix, full)) == spread
    assert tree.structure(tree.broadcast(prefix, full)) == tree.structure(full)


def test_none_as_a_leaf(tree):
    full = ([1, 2], {"a": 3}, None)
    assert tree.flatten_prefix((0, None, None), full, none_is_leaf=True) == [0, 0, None]
    assert tree.flatten_prefix(None, full, none_is_leaf=True) == [None, None, None]
    with pytest.raises(
        ValueError, match=r"x\[1\] is None, but .*\[1\] is a dict with keys \['a'\]"
    ):
        tree.flatten_prefix((0, None, None), full, what="x")


def test_is_leaf_is_for_the_prefix(tree):
    def is_pair(x):
        return isinstance(x, tuple)

    assert tree.flatten_prefix({"a": (1, 2)}, {"a": (5, 6)}, is_pair) == [(1, 2), (1, 2)]
    assert tree.broadcast({"a": (1, 2)}, {"a": [5]}, is_leaf=is_pair) == {"a": [(1, 2)]}
    mixed = tree.flatten_prefix([(1, 2), None], [5, [6]], is_pair, none_is_leaf=True)
    assert mixed == [(1, 2), None]


@pytest.mark.parametrize(
    ("prefix", "full", "says"),
    [
        ((0, [0]), (1, [2, 3]),
         "in_axes[1] is a list of length 1, but args[1] is a list of length 2"),
        ((0, 0), (1,), "in_axes is a tuple of length 2, but args is a tuple of length 1"),
        (({"a": 0},), ({"a": 1, "b": 2},),
         "in_axes[0] is a dict with keys ['a'], but args[0] is a dict with keys ['a', 'b'] "
         "(with ['b'] besides)"),
        (({"a": 0, "b": 0},), ({"a": 1},),
         "in_axes[0] is a dict with keys ['a', 'b'], but args[0] is a dict with keys ['a'] "
         "(without ['b'])"),
        (({"w": {"k": 0}},), ({"w": [1]},),
         "in_axes[0]['w'] is a dict with keys ['k'], but args[0]['w'] is a list of length 1"),
        ((Point(0, [0]),), (Point(1, (2,)),),
         "in_axes[0].y is a list of length 1, but args[0].y is a tuple of length 1"),
        (([0],), (5,), "in_axes[0] is a list of length 1, but args[0] is a leaf (int)"),
        (([],), ([1],), "in_axes[0] is a list of length 0, but args[0] is a list of length 1"),
    ],
)  # fmt: skip
def test_errors_say_where_and_how(tree, prefix, full, says):
    assert tree.prefix_errors(prefix, full, what="in_axes", full_name="args") == [says]
    with pytest.raises(ValueError) as caught:
        tree.flatten_prefix(prefix, full, what="in_axes", full_name="args")
    assert str(caught.value) == (
        "in_axes must be a tree prefix of args: down to its leaves, each of which may stand for "
        f"a whole subtree, it must have the same containers; but: {says}."
    )
    without_leaf_types = says.replace(" (int)", "")
    with pytest.raises(ValueError) as caught:
        tree.flatten_prefix_to_treedef(
            prefix, tree.structure(full), what="in_axes", full_name="args"
        )
    assert without_leaf_types in str(caught.value)


def test_many_differences_are_cut_short(tree):
    with pytest.raises(ValueError) as caught:
        tree.flatten_prefix([[0]] * 20, [1] * 20)
    lines = str(caught.value).splitlines()
    assert len(lines) == 10
    assert lines[-1].strip() == "and in more places"
    assert len(tree.prefix_errors([[0]] * 20, [1] * 20)) == 20


def test_long_lists_of_keys_are_cut_short(tree):
    keys = {str(i): 0 for i in range(100)}
    (sentence,) = tree.prefix_errors(keys, {**keys, "more": 1})
    assert "..." in sentence
    assert "(with ['more'] besides)" in sentence
    assert len(sentence) < 250


def test_broadcast_names_its_arguments(tree):
    with pytest.raises(
        ValueError, match=r"tree_broadcast prefix_tree\['a'\] is .* full_tree\['a'\]"
    ):
        tree.broadcast({"a": (1,)}, {"a": 2})


class TestStructureDifferences:
    def test_equal_structures_have_none(self, tree):
        value = {"a": (1, [2, None])}
        assert tree.structure_differences(value, value) == []
        assert tree.structure_differences(tree.structure(value), value) == []

    def test_a_leaf_is_not_a_subtree(self, tree):
        assert tree.structure_differences((1, 2), (1, [2])) == [
            "first[1] is a leaf (int), but second[1] is a list of length 1"
        ]

    def test_of_treedefs(self, tree):
        first = tree.structure({"a": Point(1, [2]), "b": (1, 2)})
        second = tree.structure({"a": Point(1, 2), "b": [1, 2]})
        names = {"first_name": "carry in", "second_name": "carry out"}
        assert tree.structure_differences(first, second, **names) == [
            "carry in['a'].y is a list of length 1, but carry out['a'].y is a leaf",
            "carry in['b'] is a tuple of length 2, but carry out['b'] is a list of length 2",
        ]

    def test_of_treedefs_of_classes_that_check_their_fields(self, tree, tu):
        class Strict:
            def __init__(self, item):
                if not isinstance(item, str):
                    raise TypeError("not a string")
                self.item = item

        tu.register_pytree_node(Strict, lambda s: ((s.item,), None), lambda _, c: Strict(*c))
        first, second = tree.structure([Strict("a")]), tree.structure(["a"])
        assert tree.structure_differences(first, second) == [
            "first[0] is a Strict with 1 child, but second[0] is a leaf"
        ]
        assert tree.structure_differences(first.compose(first), first) == [
            "first[0][<flat index 0>] is a list of length 1, "
            "but second[0][<flat index 0>] is a leaf"
        ]

    def test_static_data_that_cannot_be_compared(self, tree, tu):
        class Odd:
            __hash__ = None

            def __eq__(self, other):
                raise RuntimeError("no")

            def __repr__(self):
                return "Odd"

        class Holder: ...

        tu.register_pytree_node(Holder, lambda _: ((), Odd()), lambda *_: Holder())
        (sentence,) = tree.structure_differences(Holder(), Holder())
        assert "with static data Odd" in sentence
