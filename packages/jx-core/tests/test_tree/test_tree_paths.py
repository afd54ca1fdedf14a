"""Key paths and key entries."""

import pickle
from collections import OrderedDict, defaultdict, namedtuple

import pytest

Point = namedtuple("Point", "x y")


def entries(tu):
    return (
        tu.SequenceKey(0),
        tu.DictKey("a"),
        tu.DictKey(3),
        tu.GetAttrKey("field"),
        tu.FlattenedIndexKey(4),
    )


def test_text_of_entries(tu):
    assert [str(key) for key in entries(tu)] == [
        "[0]",
        "['a']",
        "[3]",
        ".field",
        "[<flat index 4>]",
    ]
    assert repr(entries(tu)) == (
        "(SequenceKey(idx=0), DictKey(key='a'), DictKey(key=3), GetAttrKey(name='field'), "
        "FlattenedIndexKey(key=4))"
    )


def test_keystr(tu):
    path = (*entries(tu), "other", 5)
    assert tu.keystr(()) == ""
    assert tu.keystr(path) == "[0]['a'][3].field[<flat index 4>]other5"
    assert tu.keystr(path, simple=True) == "0a3field4other5"
    assert tu.keystr(path, simple=True, separator="/") == "0/a/3/field/4/other/5"
    assert tu.keystr(path[:2], separator=" ") == "[0] ['a']"


def test_entries_are_values(tu):
    for one, again in zip(entries(tu), entries(tu), strict=True):
        assert one == again
        assert hash(one) == hash(again)
        assert pickle.loads(pickle.dumps(one)) == one
    assert len(set(entries(tu))) == 5
    assert tu.SequenceKey(0) != tu.DictKey(0)
    assert tu.SequenceKey(4) != tu.FlattenedIndexKey(4)
    assert tu.SequenceKey(0) != 0


def test_entries_are_immutable_and_named(tu):
    key = tu.SequenceKey(idx=3)
    with pytest.raises(AttributeError):
        key.idx = 4
    assert (key.idx, tu.DictKey(key="a").key, tu.GetAttrKey(name="n").name) == (3, "a", "n")
    match tu.DictKey("matched"):
        case tu.DictKey(found):
            assert found == "matched"


def test_paths_of_every_kind_of_node(tu):
    value = {
        "d": defaultdict(int, z=1, y=2),
        "l": [3, (4, None)],
        "o": OrderedDict(z=5, y=6),
        "p": Point(7, 8),
        "q": tu.Partial(print, 9, end=10),
    }
    pairs, treedef = tu.tree_flatten_with_path(value)
    assert {tu.keystr(path): leaf for path, leaf in pairs} == {
        "['d']['y']": 2,
        "['d']['z']": 1,
        "['l'][0]": 3,
        "['l'][1][0]": 4,
        "['o']['z']": 5,
        "['o']['y']": 6,
        "['p'].x": 7,
        "['p'].y": 8,
        "['q'][<flat index 0>][0]": 9,
        "['q'][<flat index 1>]['end']": 10,
    }
    assert treedef == tu.tree_structure(value)
    assert [leaf for _, leaf in pairs] == tu.tree_leaves(value)


def test_the_path_of_a_leaf_alone_is_empty(tu):
    assert tu.tree_leaves_with_path(5) == [((), 5)]
    assert tu.tree_leaves_with_path(None) == []


def test_is_leaf_with_and_without_path(tu):
    value = {"a": [1, (2, None)]}
    by_value = tu.tree_leaves_with_path(value, lambda x: x == (2, None))
    by_path = tu.tree_leaves_with_path(value, lambda path, _: len(path) == 2, True)
    stop = (tu.DictKey("a"), tu.SequenceKey(1))
    assert by_value == by_path
    assert by_value[1] == (stop, (2, None))


def test_map_with_path(tu):
    mapped = tu.tree_map_with_path(lambda p, x, y: (tu.keystr(p), x, y), {"a": [1]}, {"a": [2]})
    assert mapped == {"a": [("['a'][0]", 1, 2)]}
    assert tu.tree_map_with_path(lambda p, x: (len(p), x), [1, [2]]) == [(1, 1), [(2, 2)]]
    whole = tu.tree_map_with_path(
        lambda p, x, y: (x, y),
        [(1,)],
        [2],
        is_leaf=lambda p, x: len(p) == 1,
        is_leaf_takes_path=True,
    )
    assert whole == [((1,), 2)]


def test_map_with_path_says_where_trees_differ(tu):
    with pytest.raises(ValueError) as caught:
        tu.tree_map_with_path(lambda *a: a, {"a": [1, (2,)]}, {"a": [1, [2]]})
    assert str(caught.value) == (
        "tree_map_with_path: the trees differ in structure: tree['a'][1] is a tuple of length 1, "
        "but rest[0]['a'][1] is a list of length 1."
    )


def test_generate_key_paths_is_leaves_with_path(tu):
    assert tu.generate_key_paths([7]) == [((tu.SequenceKey(0),), 7)]


def test_flatten_one_level_with_keys(tu):
    def level(value):
        return [(str(key), child) for key, child in tu.flatten_one_level_with_keys(value)[0]]

    assert level([1, [2]]) == [("[0]", 1), ("[1]", [2])]
    assert level({"b": 1, "a": 2}) == [("['a']", 2), ("['b']", 1)]
    assert level(Point(1, 2)) == [(".x", 1), (".y", 2)]
    assert level(None) == []
    with pytest.raises(ValueError, match="can't tree-flatten type"):
        tu.flatten_one_level_with_keys(1)
