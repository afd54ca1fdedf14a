"""Functions with rules of their own, under every transformation and in mixes of them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import custom_derivatives as cd
from jx import custom_jvp, custom_vjp, grad, jit, jvp, lax, vjp, vmap
from jx_core import backend

SCALE = 10.0  # the rules' mark: true derivatives are a tenth of theirs


@pytest.fixture(params=["xla", "numpy"], autouse=True)
def each_back_end(request):
    with backend.use(request.param):
        yield


def make_jvp():
    @custom_jvp
    def f(x, y):
        return jnp.sin(x) * y

    @f.defjvp
    def _(primals, tangents):
        (x, y), (dx, dy) = primals, tangents
        return f(x, y), SCALE * jnp.cos(x) * y * dx + jnp.sin(x) * dy

    return f


def make_vjp():
    @custom_vjp
    def f(x, y):
        return jnp.sin(x) * y

    def fwd(x, y):
        return f(x, y), (jnp.cos(x), jnp.sin(x), y)

    def bwd(residuals, ct):
        c, s, y = residuals
        return SCALE * c * y * ct, s * ct

    f.defvjp(fwd, bwd)
    return f


@pytest.fixture(params=[make_jvp, make_vjp], ids=["jvp", "vjp"])
def f(request):
    return request.param()


XS = np.float32([0.5, 1.0, 2.0])
YS = np.float32([2.0])
WANT = SCALE * np.cos(XS) * 2


@pytest.mark.parametrize(
    "way",
    {
        "row by row": lambda f: [grad(f)(x, 2.0) for x in XS],
        "jit of grad": lambda f: [jit(grad(f))(x, 2.0) for x in XS],
        "grad of jit": lambda f: [grad(jit(f))(x, 2.0) for x in XS],
        "vmap of grad": lambda f: vmap(grad(f), (0, None))(XS, 2.0),
        "grad of vmap": lambda f: grad(lambda x: vmap(f, (0, None))(x, 2.0).sum())(XS),
        "jit all over": lambda f: jit(vmap(jit(grad(jit(f))), (0, None)))(XS, 2.0),
        "vmap of vmap": lambda f: vmap(vmap(grad(f), (0, None)), (None, 0))(XS, YS)[0],
        "scan": lambda f: grad(
            lambda x: lax.scan(lambda c, v: (c + f(v, 2.0), None), 0.0, x)[0]
        )(XS),
        "cond": lambda f: [
            grad(lambda x: lax.cond(x > 0, f, lambda a, b: a, x, 2.0))(x) for x in XS
        ],
    }.items(),
    ids=lambda item: item[0],
)
def test_the_rule_is_used(f, way):
    np.testing.assert_allclose(np.asarray(way[1](f)), WANT, rtol=1e-5)


def test_the_rule_is_differentiated_in_turn(f):
    want = -SCALE * np.sin(1.0) * 2
    for second in (grad(grad(f)), jit(grad(jit(grad(f)))), grad(jit(grad(f)))):
        np.testing.assert_allclose(second(1.0, 2.0), want, rtol=1e-5)


def test_an_operand_that_rows_share_gets_the_sum_of_their_cotangents(f):
    got = grad(lambda y: vmap(f, (0, None))(XS, y).sum())(2.0)
    np.testing.assert_allclose(got, np.sin(XS).sum(), rtol=1e-5)


def test_values_are_those_of_the_function(f):
    want = np.sin(1.0) * 2
    for value in (f(1.0, 2.0), jit(f)(1.0, 2.0), vmap(f, (None, 0))(1.0, YS)[0]):
        np.testing.assert_allclose(value, want, rtol=1e-6)
        assert hasattr(value, "aval"), "an array, also where the function gives a number"


def test_forward_mode():
    _, t = jvp(make_jvp(), (1.0, 2.0), (1.0, 0.0))
    np.testing.assert_allclose(t, SCALE * np.cos(1.0) * 2, rtol=1e-5)
    for g in (make_vjp(), jit(make_vjp())):
        with pytest.raises(TypeError, match=r"can't apply forward-mode .* custom_vjp function: f"):
            jvp(g, (1.0, 2.0), (1.0, 0.0))


def test_rules_see_values_where_gradients_do():
    @custom_jvp
    def f(x):
        return x * 2 if x > 0 else x * 3

    f.defjvp(lambda p, t: (f(*p), t[0] * (5.0 if p[0] > 0 else 6.0)))
    assert grad(f)(1.0) == 5.0 and grad(f)(-1.0) == 6.0


def closing_jvp(s, x):
    @custom_jvp
    def f(x):
        return jnp.sin(s * x)

    f.defjvp(lambda p, t: (f(*p), SCALE * jnp.cos(s * p[0]) * s * t[0]))
    return f(x)


def closing_vjp(s, x):
    @custom_vjp
    def f(x):
        return jnp.sin(s * x)

    f.defvjp(lambda x: (f(x), (s, x)), lambda r, ct: (SCALE * jnp.cos(r[0] * r[1]) * r[0] * ct,))
    return f(x)


@pytest.mark.parametrize("h", [closing_jvp, closing_vjp])
def test_values_closed_over_are_differentiated_through_the_function(h):
    want = [np.cos(6.0) * 3, SCALE * np.cos(6.0) * 2]
    for way in (grad(h, (0, 1)), jit(grad(h, (0, 1))), grad(jit(h), (0, 1))):
        np.testing.assert_allclose(way(2.0, 3.0), want, rtol=1e-5)
    batch = vmap(grad(jit(h), (0, 1)))(np.float32([2.0]), np.float32([3.0]))
    np.testing.assert_allclose(np.ravel(batch), want, rtol=1e-5)


def test_undifferentiated_arguments_are_handed_on():
    @partial(custom_jvp, nondiff_argnums=(0,))
    def apply(fun, x):
        return fun(x)

    apply.defjvp(lambda fun, p, t: (fun(p[0]), 7.0 * t[0]))

    @partial(custom_vjp, nondiff_argnums=(1,))
    def clip(x, bound):
        return x

    clip.defvjp(lambda x, b: (x, None), lambda b, _, ct: (jnp.clip(ct, -b, b),))
    for wrap in (lambda g: g, jit):
        assert wrap(grad(lambda x: apply(jnp.sin, x)))(1.0) == 7.0
        assert wrap(grad(lambda x: 9.0 * clip(x, 2.0)))(1.0) == 2.0
        assert wrap(grad(lambda x: 9.0 * clip(x, bound=2.0)))(1.0) == 2.0


def test_methods_and_partials_can_be_decorated():
    class Layer:
        scale = 2.0

        @partial(custom_jvp, nondiff_argnums=(0,))
        def __call__(self, x):
            return self.scale * x

        @__call__.defjvp
        def _rule(self, primals, tangents):
            return self(*primals), 5.0 * tangents[0]

    assert grad(Layer())(1.0) == 5.0
    g = custom_jvp(partial(lambda a, x: a * x, 3.0))
    g.defjvp(lambda p, t: (g(*p), 4.0 * t[0]))
    assert g(2.0) == 6.0 and grad(g)(2.0) == 4.0


def test_one_function_for_each_argument():
    f = custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda t, out, x, y: SCALE * t * y, None)
    np.testing.assert_allclose(grad(f, (0, 1))(2.0, 3.0), [30.0, 0.0])


def test_pytrees_and_integers_pass():
    @custom_vjp
    def f(p, n):
        return {"out": p["a"] * n, "n": n + 1}

    f.defvjp(lambda p, n: (f(p, n), n), lambda n, ct: ({"a": 3.0 * ct["out"], "b": None}, None))
    p = {"a": 2.0, "b": 1.0}
    for wrap in (lambda g: g, jit):
        got = wrap(grad(lambda p: f(p, 4)["out"]))(p)
        assert got["a"] == 3.0 and got["b"] == 0.0


def test_symbolic_zeros_say_what_is_differentiated():
    seen = []

    @custom_vjp
    def f(x, y):
        return x, y

    def fwd(x, y):
        seen.append((x.perturbed, y.perturbed))
        return (x.value, y.value), None

    def bwd(_, cts):
        seen.append(tuple(isinstance(ct, cd.SymbolicZero) for ct in cts))
        return 2.0 * cts[0], None

    f.defvjp(fwd, bwd, symbolic_zeros=True)
    assert grad(lambda x: f(x, 1.0)[0])(1.0) == 2.0
    assert seen == [(True, False), (False, True)]
    g = custom_jvp(lambda x, y: x * y)

    def rule(primals, tangents):
        seen.append(tuple(isinstance(t, cd.SymbolicZero) for t in tangents))
        return g(*primals), tangents[0]

    g.defjvp(rule, symbolic_zeros=True)
    assert grad(g)(2.0, 3.0) == 1.0 and seen[-1] == (False, True)


JVP_ERRORS = {
    "pair": (lambda p, t: (p[0],), "must produce a pair"),
    "tree": (lambda p, t: (p[0], (t[0],)), r"(?s)equal container.*expected.*\*.*got"),
    "shape": (lambda p, t: (p[0], jnp.ones(3)), r"expected f32\[\], got f32\[3\]"),
}


def with_rules(fun, fwd, bwd, **options):
    f = custom_vjp(fun)
    f.defvjp(fwd, bwd, **options)
    return f


def test_backward_rules_run_on_values_where_gradients_do():
    seen = []

    def bwd(x, ct):
        seen.append((float(x), type(np.asarray(ct))))
        return (np.asarray(ct) if ct > 0 else -ct,)

    f = with_rules(lambda x: x, lambda x: (x, x), bwd)
    assert grad(f)(jnp.float32(2.0)) == 1.0
    assert grad(lambda x: -3.0 * f(x))(jnp.float32(2.0)) == 3.0
    assert seen == [(2.0, np.ndarray)] * 2
    assert vjp(f, jnp.float32(4.0))[1](jnp.float32(5.0)) == (5.0,)


@pytest.mark.parametrize("outer", [lambda g: g, jit, lambda g: lambda *a: jit(g)(*a)])
@pytest.mark.parametrize("inner", [lambda f: f, jit])
def test_pythons_numbers_among_residuals_stay_such(outer, inner):
    kinds = []

    def bwd(residuals, ct):
        times, on, half, none, shape, x = residuals
        kinds.append([type(r) for r in (times, on, half, none, *shape)])
        return (ct * len(range(times)) * half * x if on else None,)

    f = with_rules(lambda x: x, lambda x: (x, (3, True, 0.5, None, x.shape, x)), bwd)
    np.testing.assert_array_equal(
        outer(grad(lambda x: inner(f)(x).sum()))(jnp.full(2, 4.0)), [6.0, 6.0]
    )
    assert kinds == [[int, bool, float, type(None), int]]
    rows = vmap(outer(grad(lambda x: inner(f)(x).sum())))(jnp.full((3, 2), 4.0))
    np.testing.assert_array_equal(rows, np.full((3, 2), 6.0))


@pytest.mark.parametrize("wrap", [lambda f: f, jit, lambda f: lambda *a: vmap(f)(*a)])
def test_backward_rules_are_told_what_their_forward_rules_were(wrap):
    """A program's rules are traced for each choice of differentiated arguments."""

    def fwd(x, y):
        return x.value * y.value, (x.value, y.value, x.perturbed, y.perturbed)

    def bwd(residuals, ct):
        x, y, of_x, of_y = residuals
        asked.append((of_x, of_y))
        return (ct * y if of_x else None, ct * x if of_y else None)

    asked = []
    f = with_rules(lambda x, y: x * y, fwd, bwd, symbolic_zeros=True)
    g = wrap(f)
    x, y = jnp.full(1, 2.0), jnp.full(1, 3.0)

    def total(x, y):
        return g(x, y).sum()

    pulls = [vjp(lambda x: total(x, y), x)[1], vjp(total, x, y)[1], vjp(partial(total, x), y)[1]]
    assert [pull(1.0) for pull in pulls] == [(3.0,), (3.0, 2.0), (2.0,)]
    assert asked == [(True, False), (True, True), (False, True)]
    assert grad(lambda x: grad(total, 1)(x, y).sum())(x) == 1.0


@pytest.mark.parametrize("name", JVP_ERRORS)
def test_wrong_results_of_jvp_rules(name):
    rule, text = JVP_ERRORS[name]
    f = custom_jvp(lambda x: x)
    f.defjvp(rule)
    for wrap in (lambda g: g, jit):
        with pytest.raises(TypeError, match=text):
            wrap(grad(lambda x: f(x)))(1.0)


VJP_ERRORS = {
    "pair": (lambda x: x, lambda r, ct: (ct,), "must produce a pair"),
    "tuple": (lambda x: (x, None), lambda r, ct: ct, "must produce a tuple"),
    "length": (lambda x: (x, None), lambda r, ct: (ct, ct), "differentiated arguments, 1"),
    "tree": (lambda x: (x, None), lambda r, ct: ({"a": ct},), "cotangent of argument 0 must have"),
    "shape": (lambda x: (x, None), lambda r, ct: (jnp.ones(3),), r"expected f32\[\], got f32\[3\]"),
    "out": (lambda x: ((x, x), None), lambda r, ct: (ct,), "structures differ"),
}


@pytest.mark.parametrize("name", VJP_ERRORS)
def test_wrong_results_of_vjp_rules(name):
    fwd, bwd, text = VJP_ERRORS[name]
    f = custom_vjp(lambda x: x)
    f.defvjp(fwd, bwd)
    with pytest.raises(TypeError, match=text):
        jit(grad(lambda x: jnp.sum(jnp.asarray(f(x)))))(1.0)


def test_a_function_without_rules_says_so():
    with pytest.raises(AttributeError, match="No JVP defined for custom_jvp function <lambda>"):
        custom_jvp(lambda x: x)(1.0)
    with pytest.raises(AttributeError, match="No VJP defined"):
        custom_vjp(lambda x: x)(1.0)
    with pytest.raises(TypeError, match="nondiff_argnums"):
        f = custom_jvp(lambda s: s)
        f.defjvp(lambda p, t: (p, t))
        f("text")


def test_programs_show_the_call_and_its_rules():
    text = str(jx.make_jaxpr(make_jvp())(1.0, 2.0))
    assert "custom_jvp_call[" in text and "rules=f" in text and "0x" not in text
    text = str(jx.make_jaxpr(vmap(make_vjp(), (0, None)))(XS, 2.0))
    assert "custom_vjp_call[" in text and "0x" not in text


def test_a_jitted_call_traces_the_function_once_for_each_type():
    count = []

    @custom_jvp
    def f(x):
        count.append(1)
        return x * 2

    f.defjvp(lambda p, t: (f(*p), 2 * t[0]))
    jit(lambda x: f(f(f(x))))(1.0)
    assert len(count) == 1


def test_closure_convert_makes_arguments_of_closed_over_values():
    def scaled(c):
        converted, consts = jx.closure_convert(lambda x: c * x, 1.0)
        assert len(consts) == 1
        return converted(2.0, *consts)

    assert grad(scaled)(3.0) == 2.0 and jit(grad(scaled))(3.0) == 2.0
    _, consts = jx.closure_convert(lambda x: jnp.ones(3) * x, 1.0)
    assert consts == []


def test_custom_gradient():
    @jx.custom_gradient
    def square(x):
        return x * x, lambda ct: ct * x * 7.0

    for wrap in (lambda g: g, jit):
        assert wrap(grad(square))(3.0) == 21.0
    np.testing.assert_allclose(vmap(grad(square))(XS), 7 * XS)


def test_pullbacks_cross_jit():
    out, pull = jit(lambda x: vjp(make_vjp(), x, 2.0))(1.0)
    np.testing.assert_allclose(pull(1.0)[0], SCALE * np.cos(1.0) * 2, rtol=1e-5)
    assert np.isclose(out, np.sin(1.0) * 2)


def test_zero_of_a_primal():
    assert cd.zero_from_primal(jnp.ones(2)).shape == (2,)
    assert isinstance(cd.zero_from_primal(1.0, symbolic_zeros=True), cd.SymbolicZero)
    assert cd.custom_vjp_primal_tree_values([cd.CustomVJPPrimal(1.0, True)]) == [1.0]


def test_a_rule_defined_anew_takes_the_place_of_the_first():
    f = custom_jvp(lambda x: x)
    f.defjvp(lambda p, t: (p[0], 2.0 * t[0]))
    assert jit(grad(lambda x: f(x)))(1.0) == 2.0
    assert grad(jit(lambda x: f(x)))(1.0) == 2.0
    f.defjvp(lambda p, t: (p[0], 3.0 * t[0]))
    assert grad(jit(lambda x: f(x)))(1.0) == 3.0


def test_functions_made_for_one_call_are_not_kept_for_ever():
    @partial(custom_jvp, nondiff_argnums=(0,))
    def apply(fun, x):
        return fun(x)

    apply.defjvp(lambda fun, p, t: (fun(p[0]), t[0]))
    for i in range(600):
        apply(lambda x, i=i: x + i, 1.0)
    assert len(apply._names._known) <= 256


def naming_jvp(s, x):
    """The rule closes over `s`, the function does not."""
    f = custom_jvp(jnp.sin)
    f.defjvp(lambda p, t: (f(p[0]), s * t[0]))
    return f(x)


def naming_vjp(s, x):
    f = custom_vjp(jnp.sin)
    f.defvjp(lambda x: (f(x), None), lambda _, ct: (s * ct,))
    return f(x)


@pytest.mark.parametrize("h", [naming_jvp, naming_vjp])
@pytest.mark.parametrize(
    "way",
    {
        "jit": lambda h: jit(lambda s: grad(lambda x: h(s, x))(1.0))(3.0),
        "jit in jit": lambda h: jit(lambda s: grad(jit(lambda x: h(s, x)))(1.0))(3.0),
        "vmap in jit": lambda h: jit(lambda s: vmap(grad(jit(lambda x: h(s, x))))(XS))(3.0)[0],
        "vmap": lambda h: vmap(lambda s: grad(jit(lambda x: h(s, x)))(1.0))(3 * YS / 2)[0],
        "checkpoint": lambda h: jit(lambda s: grad(jx.checkpoint(lambda x: h(s, x)))(1.0))(3.0),
        "slope": lambda h: grad(lambda s: grad(jit(lambda x: h(s, x)))(1.0) ** 2)(1.5),
        "slope of cond": lambda h: jit(
            grad(lambda s: grad(lambda x: lax.cond(x > 0, lambda v: h(s, v), jnp.cos, x))(1.0) ** 2)
        )(1.5),
    }.items(),
    ids=lambda item: item[0],
)
def test_rules_may_close_over_traced_values(h, way):
    np.testing.assert_allclose(way[1](h), 3.0, rtol=1e-6)


def test_rules_that_are_programs_with_loops_are_linearised():
    def f(y):
        g = custom_jvp(lambda x: lax.map(lambda v: jnp.sin(v) * y, x))
        g.defjvp(lambda p, t: jvp(lambda x: lax.map(lambda v: jnp.sin(v) * y, x), p, t))
        return g

    want = np.cos(XS) * 2
    for way in (
        lambda: grad(lambda x: f(2.0)(x).sum())(XS),
        lambda: jit(grad(lambda x: f(2.0)(x).sum()))(XS),
        lambda: grad(jit(lambda x: f(x[0] * 0 + 2.0)(x).sum()))(XS),
        lambda: grad(lambda x: vmap(f(2.0))(x[None]).sum())(XS),
        lambda: jit(lambda y: grad(jit(lambda x: vmap(f(y))(x[None]).sum()))(XS))(2.0),
    ):
        np.testing.assert_allclose(way(), want, rtol=1e-5)


def test_rules_whose_tangents_are_always_zero():
    g = custom_jvp(lambda x: 2.0 * x)
    g.defjvp(lambda p, t: (g(*p), jnp.zeros(())))
    assert grad(g)(1.0) == 0.0 and jit(grad(jit(g)))(1.0) == 0.0


def test_functions_tell_their_rule():
    f = custom_jvp(jnp.sin)
    assert (f.jvp, f.symbolic_zeros) == (None, False)

    def rule(primals, tangents):
        return primals, tangents

    f.defjvp(rule, symbolic_zeros=True)
    assert (f.jvp, f.symbolic_zeros) == (rule, True)


def test_classes_and_objects_can_be_decorated():
    @jx.tree_util.register_pytree_node_class
    class Pair:
        def __init__(self, x, y):
            self.x, self.y = x, y

        def tree_flatten(self):
            return (self.x, self.y), None

        @classmethod
        def tree_unflatten(cls, _, children):
            return cls(*children)

    pair = custom_jvp(Pair)
    pair.defjvp(lambda p, t: (Pair(*p), Pair(7.0 * t[0], t[1])))
    assert isinstance(pair(1.0, 2.0), Pair)
    for wrap in (lambda g: g, jit):
        assert wrap(grad(lambda x: pair(x, x).x))(1.0) == 7.0

    class Scaled:
        fun = jvp = None  # names that the decorator has itself

        def __init__(self):
            self.fwd = self._names = "mine"

        def __call__(self, x):
            return 2.0 * x

        @custom_vjp
        @staticmethod
        def twice(x):
            return 2.0 * x

        twice.defvjp(lambda x: (2.0 * x, None), lambda _, ct: (9.0 * ct,))

    f = custom_vjp(Scaled())
    f.defvjp(lambda x: (f(x), None), lambda _, ct: (7.0 * ct,))
    assert f(1.0) == 2.0 and grad(f)(1.0) == 7.0 and jit(grad(Scaled.twice))(1.0) == 9.0


def test_errors_of_mapped_functions_are_their_own():
    f = custom_vjp(lambda x: {}["missing"])
    f.defvjp(lambda x: (x, None), lambda _, ct: (ct,))
    g = custom_jvp(lambda x: jnp.dot(x, jnp.ones(7)))
    g.defjvp(lambda p, t: (g(*p), t[0]))
    with pytest.raises(KeyError, match="missing"):
        vmap(f)(XS)
    with pytest.raises((TypeError, ValueError), match="7"):
        vmap(g)(jnp.ones((2, 3)))


def divided(x, r=3.0):
    """Its transpose is marked: seven times the true one."""
    return cd.linear_call(lambda r, x: x / r, lambda r, ct: 7.0 * ct / r, r, x)


def test_linear_calls_have_the_transposes_that_they_say():
    assert divided(9.0) == 3.0
    for slope in (grad(divided), jit(grad(divided)), grad(jit(divided)), jx.jacrev(divided)):
        np.testing.assert_allclose(slope(1.0), 7 / 3, rtol=1e-6)
    np.testing.assert_allclose(jvp(divided, (2.0,), (1.0,))[1], 1 / 3, rtol=1e-6)

    def transposed(f):
        return lambda ct: jx.linear_transpose(f, 1.0)(ct)[0]

    np.testing.assert_allclose(transposed(divided)(18.0), 42.0)
    np.testing.assert_allclose(transposed(transposed(divided))(18.0), 6.0)
    for way in (
        lambda: vmap(grad(divided))(XS),
        lambda: grad(lambda x: vmap(divided)(x).sum())(XS),
        lambda: grad(lambda x: lax.map(divided, x).sum())(XS),
        lambda: vmap(grad(jx.checkpoint(divided)))(XS),
    ):
        np.testing.assert_allclose(way(), [7 / 3] * 3, rtol=1e-6)


def test_residuals_of_linear_calls_are_differentiated():
    np.testing.assert_allclose(grad(divided, 1)(2.0, 3.0), -2 / 9, rtol=1e-6)
    mapped = jit(vmap(grad(divided, (0, 1)), (None, 0)))(2.0, XS)
    np.testing.assert_allclose(mapped, [7 / XS, -2 / XS**2], rtol=1e-6)
    shared = grad(lambda x: vmap(divided, (None, 0))(x, XS).sum())(2.0)
    np.testing.assert_allclose(shared, (7 / XS).sum(), rtol=1e-6)
    closed = lambda s: cd.linear_call(lambda _, x: s * x, lambda _, ct: s * ct, (), 2.0)  # noqa: E731
    assert grad(closed)(3.0) == 2.0 and jit(grad(closed))(3.0) == 2.0


def test_wrong_transposes_of_linear_calls():
    def call(transpose):
        return lambda: cd.linear_call(lambda r, x: x["a"], transpose, 3.0, {"a": 2.0})

    with pytest.raises(TypeError, match=r"(?s)must give a pytree like the linear.*expected.*got"):
        call(lambda r, ct: ct)()
    with pytest.raises(TypeError, match=r"linear_args\['a'\] expected f32\[\], got f32\[3\]"):
        call(lambda r, ct: {"a": jnp.ones(3) * ct})()
    with pytest.raises(TypeError, match="transposed with respect to residual_args"):
        f = lambda r: cd.linear_call(lambda r, x: r * x, lambda r, ct: r * ct, r, 2.0)  # noqa: E731
        jx.linear_transpose(f, 1.0)(1.0)
