"""Classes as nodes: registration, dataclasses, static data, Partial."""

import dataclasses
import functools
import pickle
from collections import namedtuple

import pytest


class Pair:
    """Two children and a label that is static; registered anew by each test, as a subclass."""

    def __init__(self, x, y, label=None):
        self.x, self.y, self.label = x, y, label

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    def tree_flatten(self):
        return (self.x, self.y), self.label

    def tree_flatten_with_keys(self):
        return (("first", self.x), ("second", self.y)), self.label

    @classmethod
    def tree_unflatten(cls, label, children):
        return cls(*children, label)


@pytest.fixture
def cls():
    return type("Fresh", (Pair,), {})


def test_register_pytree_node(tu, cls):
    assert not tu.is_tree_node(cls)
    value = cls(1, [2, 3], "name")
    assert tu.tree_leaves(value) == [value]
    result = tu.register_pytree_node(cls, cls.tree_flatten, cls.tree_unflatten)
    assert result is None
    leaves, treedef = tu.tree_flatten(value)
    assert leaves == [1, 2, 3]
    assert repr(treedef) == "PyTreeDef(CustomNode(Fresh[name], [*, [*, *]]))"
    assert treedef.node_data() == (cls, "name")
    assert tu.tree_map(lambda x: -x, value) == cls(-1, [-2, -3], "name")
    assert tu.keystr(tu.tree_leaves_with_path(value)[0][0]) == "[<flat index 0>]"


def test_flatten_with_keys_func(tu, cls):
    tu.register_pytree_node(
        cls, cls.tree_flatten, cls.tree_unflatten,
        flatten_with_keys_func=cls.tree_flatten_with_keys,
    )  # fmt: skip
    assert [path for path, _ in tu.tree_leaves_with_path(cls(1, 2))] == [("first",), ("second",)]
    assert tu.tree_leaves(cls(1, 2)) == [1, 2]


def test_register_pytree_with_keys(tu, cls):
    tu.register_pytree_with_keys(cls, cls.tree_flatten_with_keys, cls.tree_unflatten)
    assert tu.tree_leaves_with_path(cls(1, 2)) == [(("first",), 1), (("second",), 2)]
    assert tu.tree_map(lambda x: -x, cls(1, 2, "n")) == cls(-1, -2, "n")


@pytest.mark.parametrize("decorator", ["node_class", "with_keys_class"])
def test_class_decorators(tu, cls, decorator):
    register = getattr(tu, f"register_pytree_{decorator}")
    assert register(cls) is cls
    assert tu.tree_map(lambda x: -x, cls(1, 2, "n")) == cls(-1, -2, "n")


def test_class_decorators_name_the_method_that_is_missing(tu):
    class Bare:
        def tree_flatten(self): ...

    with pytest.raises(TypeError, match="has no tree_unflatten"):
        tu.register_pytree_node_class(Bare)
    with pytest.raises(TypeError, match="has no tree_flatten_with_keys"):
        tu.register_pytree_with_keys_class(Bare)
    assert not tu.is_tree_node(Bare)


@pytest.mark.parametrize("taken", [list, dict, tuple])
def test_a_class_is_registered_once(tu, cls, taken):
    tu.register_pytree_node_class(cls)
    with pytest.raises(ValueError, match="Duplicate custom PyTreeDef type registration.*Fresh"):
        tu.register_pytree_node_class(cls)
    with pytest.raises(ValueError, match="Duplicate"):
        tu.register_pytree_node(taken, lambda x: ((), None), lambda a, c: None)


def test_only_classes_are_registered(tu):
    with pytest.raises(TypeError, match="nodetype should be a class, got a int: 3"):
        tu.register_pytree_node(3, lambda x: ((), None), lambda a, c: None)


def test_subclasses_are_leaves(tu, cls):
    tu.register_pytree_node_class(cls)
    sub = type("Sub", (cls,), {})(1, 2)
    assert tu.tree_leaves(sub) == [sub]


def test_a_namedtuple_may_be_given_other_children(tu):
    point = namedtuple("Tagged", "x tag")
    tu.register_pytree_node(point, lambda p: ((p.x,), p.tag), lambda tag, c: point(c[0], tag))
    assert tu.tree_leaves(point(1, "t")) == [1]
    assert tu.tree_map(lambda x: -x, point(1, "t")) == point(-1, "t")


def test_children_may_be_any_iterable(tu, cls):
    tu.register_pytree_node(cls, lambda p: (iter((p.x, p.y)), None), lambda _, c: cls(*c))
    assert tu.tree_map(lambda x: -x, cls(1, 2)) == cls(-1, -2)


@pytest.mark.parametrize("result", [3, (3, 3), ((1,), 2, 3)])
def test_flatten_functions_must_return_children_and_static_data(tu, cls, result):
    tu.register_pytree_node(cls, lambda _: result, cls.tree_unflatten)
    with pytest.raises(ValueError, match="should return a"):
        tu.tree_flatten(cls(1, 2))


def test_static_data_is_compared_not_hashed(tu, cls):
    tu.register_pytree_node_class(cls)
    one, same, other = (tu.tree_structure(cls(1, 2, label)) for label in ([1], [1], [2]))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other


def test_mismatched_static_data_is_shown(tu, cls):
    tu.register_pytree_node_class(cls)
    with pytest.raises(ValueError) as caught:
        tu.tree_map(lambda x, y: x, [cls(1, 2, "left")], [cls(1, 2, "right")])
    assert (
        "tree[0] is a Fresh with 2 children with static data 'left', "
        "but rest[0][0] is a Fresh with 2 children with static data 'right'"
    ) in str(caught.value)


def test_register_static(tu):
    @tu.register_static
    class Mode:
        def __init__(self, name):
            self.name = name

        def __eq__(self, other):
            return self.name == other.name

        def __hash__(self):
            return hash(self.name)

    fast = Mode("fast")
    assert tu.tree_leaves([fast, 1]) == [1]
    assert tu.tree_map(lambda x: x, fast) is fast
    assert tu.tree_structure(fast) == tu.tree_structure(Mode("fast"))
    assert tu.tree_structure(fast) != tu.tree_structure(Mode("slow"))


class TestDataclass:
    def test_fields_are_children_but_for_static_ones(self, tu, tree):
        @tu.register_dataclass
        @dataclasses.dataclass
        class Layer:
            weight: float
            bias: float
            name: str = tree.static(default="dense")
            kind: str = dataclasses.field(default="k", metadata={"static": True})

        value = Layer(1.0, 2.0)
        assert tu.tree_map(lambda x: -x, value) == Layer(-1.0, -2.0)
        assert repr(tu.tree_structure(value)) == (
            "PyTreeDef(CustomNode(Layer[('dense', 'k')], [*, *]))"
        )
        paths = [tu.keystr(path) for path, _ in tu.tree_leaves_with_path([value])]
        assert paths == ["[0].weight", "[0].bias"]
        assert tu.tree_structure(value) != tu.tree_structure(Layer(1.0, 2.0, "conv"))

    def test_named_fields_in_their_order(self, tu):
        @functools.partial(tu.register_dataclass, data_fields=["b", "a"], meta_fields=["c"])
        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Frozen:
            a: int
            b: int
            c: int

        value = Frozen(a=1, b=2, c=3)
        assert tu.tree_leaves(value) == [2, 1]
        assert tu.tree_map(lambda x: -x, value) == Frozen(a=-1, b=-2, c=3)

    def test_any_class_whose_constructor_takes_the_fields(self, tu):
        class Plain:
            def __init__(self, a, b):
                self.a, self.b = a, b

        assert tu.register_dataclass(Plain, ["a"], ["b"]) is Plain
        mapped = tu.tree_map(lambda x: -x, Plain(1, 2))
        assert (mapped.a, mapped.b) == (-1, 2)

    def test_dropped_fields_take_their_defaults(self, tu):
        @dataclasses.dataclass
        class Cached:
            a: int
            cache: int = 0

        tu.register_dataclass(Cached, ["a"], [], drop_fields=["cache"])
        assert tu.tree_map(lambda x: -x, Cached(1, 5)) == Cached(-1, 0)

    @pytest.mark.parametrize(
        ("data", "meta", "error", "says"),
        [
            (["a"], None, TypeError, "both data_fields and meta_fields"),
            (None, ["a"], TypeError, "both data_fields and meta_fields"),
            (["a"], [], ValueError, r"Missing fields: \['b'\]"),
            (["a", "b"], ["c"], ValueError, r"Unexpected fields: \['c'\]"),
            (["a", "b"], ["zz"], ValueError, r"Unexpected fields: \['zz'\]"),
            (["a", "b"], ["a"], ValueError, r"must not overlap, but both have \['a'\]"),
            (["a", "b", "a"], [], ValueError, r"\['a'\] are given more often"),
        ],
    )
    def test_fields_must_be_those_of_the_constructor(self, tu, data, meta, error, says):
        @dataclasses.dataclass
        class Checked:
            a: int
            b: int
            c: int = dataclasses.field(init=False, default=4)

        with pytest.raises(error, match=says):
            tu.register_dataclass(Checked, data, meta)
        assert not tu.is_tree_node(Checked)

    def test_other_classes_need_their_fields_named(self, tu):
        class Plain: ...

        with pytest.raises(TypeError, match="is not a dataclass"):
            tu.register_dataclass(Plain)
        with pytest.raises(TypeError, match="should be a class"):
            tu.register_dataclass(3)

    def test_static_keeps_other_metadata(self, tree):
        field = tree.static(metadata={"unit": "m"}, default=2)
        assert dict(field.metadata) == {"unit": "m", "static": True}
        assert field.default == 2


def difference(x, y, scale=1):
    return scale * (x - y)


class TestPartial:
    def test_arguments_are_children(self, tu):
        value = tu.Partial(difference, 5, scale=2)
        assert value(3) == 4
        assert isinstance(value, functools.partial)
        assert tu.tree_leaves(value) == [5, 2]
        mapped = tu.tree_map(lambda x: 10 * x, value)
        assert (mapped.func, mapped.args, mapped.keywords) == (difference, (50,), {"scale": 20})
        assert type(mapped) is tu.Partial

    def test_structure_tells_functions_apart(self, tu):
        same = tu.tree_structure(tu.Partial(difference, 1))
        assert same == tu.tree_structure(tu.Partial(difference, 2))
        assert same != tu.tree_structure(tu.Partial(max, 1))

    def test_a_partial_inside_keeps_its_arguments_to_itself(self, tu):
        for inner in (functools.partial(difference, 9), tu.Partial(difference, 9)):
            value = tu.Partial(inner, 4)
            assert value.func is inner
            assert value() == 5
            assert tu.tree_leaves(value) == [4]
            assert tu.tree_map(lambda x: x + 1, value)() == 4
            assert tu.tree_structure(value) == tu.tree_structure(tu.Partial(inner, 0))

    def test_it_can_be_pickled(self, tu):
        for value in (tu.Partial(difference, 5), tu.Partial(functools.partial(difference, 5), 1)):
            again = pickle.loads(pickle.dumps(value))
            assert type(again) is tu.Partial
            assert (again.args, again.keywords) == (value.args, value.keywords)
            assert tu.tree_leaves(again) == tu.tree_leaves(value)

    def test_it_needs_a_function(self, tu):
        with pytest.raises(TypeError, match="callable"):
            tu.Partial(3)
