"""Checkpointed functions: the same derivatives from less memory, and policies that keep some."""

from __future__ import annotations

import re
from functools import cache, partial

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import checkpoint, checkpoint_policies, grad, jit, lax, vmap
from jx.ad_checkpoint import Offloadable, checkpoint_name, print_saved_residuals
from jx_core import backend

POLICIES = {
    "none": None,
    "nothing": checkpoint_policies.nothing_saveable,
    "everything": checkpoint_policies.everything_saveable,
    "dots": checkpoint_policies.dots_saveable,
    "named": checkpoint_policies.save_only_these_names("hidden"),
    "others": checkpoint_policies.save_any_names_but_these("hidden"),
    "all but": checkpoint_policies.save_anything_except_these_names("hidden"),
    "both": checkpoint_policies.save_from_both_policies(
        checkpoint_policies.dots_with_no_batch_dims_saveable,
        checkpoint_policies.save_only_these_names("hidden"),
    ),
    "offload": checkpoint_policies.offload_dot_with_no_batch_dims("device", "pinned_host"),
    "own": lambda primitive, *avals, **params: primitive.name == "sin",
}
W = np.float32([[0.5, -1.0], [2.0, 0.25]])
X = np.float32([0.3, -0.7])


def layer(x, w=W):
    hidden = checkpoint_name(jnp.sin(x @ w), "hidden")
    return jit(lambda h: jnp.tanh(h @ w) * h)(hidden)


def looped(x):
    return lax.scan(lambda c, _: (jnp.sin(c) * 1.1, None), x, None, length=4)[0]


@pytest.fixture(params=["xla", "numpy"])
def each_back_end(request):
    with backend.use(request.param):
        yield


def total(f):
    return lambda x: jnp.sum(f(x) ** 2)


WAYS = (
    lambda f: grad(total(f)),
    lambda f: jit(grad(total(f))),
    lambda f: grad(jit(total(f))),
    lambda f: jx.jacfwd(grad(total(f))),
    lambda f: jx.jacrev(grad(total(f))),
    lambda f: grad(lambda x: total(grad(total(f)))(x)),
    lambda f: lambda x: vmap(grad(total(f)))(jnp.stack([x, 2 * x])),
    lambda f: lambda x: grad(lambda xs: jnp.sum(vmap(f)(xs)))(jnp.stack([x, 2 * x])),
    lambda f: lambda x: jx.jvp(f, (x,), (x,)),
    lambda f: lambda x: jx.linearize(f, x)[1](x),
    lambda f: grad(lambda x: lax.scan(lambda c, _: (f(c), None), x, None, length=2)[0].sum()),
)


@cache
def without_checkpoint(fun):
    """The derivatives of a function as it is, in NumPy."""
    with backend.use("numpy"):
        return [jx.tree.map(np.asarray, way(fun)(X)) for way in WAYS]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("fun", [layer, looped])
def test_derivatives_are_those_of_the_function(each_back_end, fun, policy):
    kept = checkpoint(fun, policy=POLICIES[policy])
    for way, want in zip(WAYS, without_checkpoint(fun), strict=True):
        np.testing.assert_allclose(way(kept)(X), want, rtol=2e-5, atol=1e-6)


def saved(capsys, fun, *args):
    print_saved_residuals(fun, *args)
    return capsys.readouterr().out.splitlines()


def test_residuals_are_shown_with_their_origin_and_size(capsys):
    lines = saved(capsys, lambda x: jnp.sin(x) * 2.0, X)
    assert len(lines) == 1
    assert re.fullmatch(r"f32\[2\] \(8 bytes\) output of cos from .*\.py:\d+ .*", lines[0])
    assert saved(capsys, checkpoint(layer), X)[-1].endswith("from the argument x")


def test_a_policy_keeps_what_it_says_and_no_more(capsys):
    def kept(policy):
        lines = saved(capsys, checkpoint(layer, policy=policy), X)
        return sorted(re.findall(r"output of (\w+)|(named '\w+')", "\n".join(lines)))

    assert kept(None) == []
    assert kept(checkpoint_policies.save_only_these_names("hidden")) == [("", "named 'hidden'")]
    assert kept(checkpoint_policies.dots_saveable) == [("dot_general", "")] * 2
    assert kept(POLICIES["own"]) == [("sin", "")]


def test_the_backward_pass_is_behind_a_barrier_unless_that_is_refused():
    def text(**options):
        return jit(grad(lambda x: checkpoint(layer, **options)(x).sum())).lower(X).as_text()

    assert "optimization_barrier" in text()
    assert "optimization_barrier" not in text(prevent_cse=False)


def test_compiled_programs_need_less_memory():
    def deep(wrap):
        def fun(x):
            for _ in range(6):
                x = wrap(lambda x: jnp.tanh(jnp.tanh(jnp.tanh(x @ jnp.eye(128)))))(x)
            return x.sum()

        program = jit(grad(fun)).lower(jnp.ones((512, 128))).compile()
        return program.memory_analysis().temp_size_in_bytes

    assert deep(checkpoint) < 0.6 * deep(lambda f: f)


def test_static_and_keyword_arguments():
    power = checkpoint(lambda x, n: x**n, static_argnums=1)
    assert grad(power)(2.0, 3) == 12.0
    scaled = checkpoint(lambda x, *, k, n=1: k * x**n, static_argnames="n")
    assert grad(lambda x: scaled(x, k=3.0, n=2))(2.0) == 12.0
    assert grad(lambda k: scaled(2.0, k=k))(3.0) == 2.0

    @partial(checkpoint, policy=checkpoint_policies.nothing_saveable)
    def decorated(x):
        return x * x

    assert grad(decorated)(3.0) == 6.0 and jx.remat is checkpoint


def test_closed_over_values_are_differentiated():
    def fun(c):
        return checkpoint(lambda x: jnp.sin(c * x))(2.0)

    want = 2 * np.cos(2 * 3.0)
    for way in (grad(fun), jit(grad(fun)), grad(jit(fun))):
        np.testing.assert_allclose(way(3.0), want, rtol=1e-6)


def test_custom_rules_inside_are_kept():
    @jx.custom_vjp
    def f(x):
        return jnp.sin(x)

    f.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * 7.0,))
    for way in (grad(checkpoint(f)), jit(grad(checkpoint(f))), grad(jit(checkpoint(f)))):
        assert way(1.0) == 7.0


def ruled(optimize_remat):
    """The sine, whose forward rule is told by a tangent, and names its residual."""

    @jx.custom_vjp
    def f(x):
        return jnp.sin(x)

    def fwd(x):
        return jnp.tan(x), checkpoint_name(jnp.exp(x), "residual")

    f.defvjp(fwd, lambda r, ct: (r * ct,), optimize_remat=optimize_remat)
    return f


@pytest.mark.parametrize("optimize_remat", [False, True])
@pytest.mark.parametrize("policy", [None, "residual", "other", "everything"])
def test_the_function_takes_its_forward_rules_place_where_no_residual_is_kept(
    optimize_remat, policy, capsys
):
    chosen = {
        None: None,
        "everything": checkpoint_policies.everything_saveable,
    }.get(policy, checkpoint_policies.save_only_these_names(policy or ""))
    f = checkpoint(ruled(optimize_remat), policy=chosen)
    closed = jx.make_jaxpr(lambda x: jx.vjp(f, x)[0])(1.0)
    (forward,) = [e for e in closed.jaxpr.eqns if e.primitive.name == "checkpoint"]
    rule_runs = float(jx.vjp(f, 1.0)[0]) == pytest.approx(np.tan(1.0))
    # What keeps the rule whole hides the names in it from a policy.
    kept = policy == "everything" or (policy == "residual" and not optimize_remat)
    assert rule_runs == kept and (len(forward.outvars) > 1) == kept
    np.testing.assert_allclose(grad(f)(1.0), np.exp(1.0), rtol=1e-6)
    np.testing.assert_allclose(jit(vmap(grad(f)))(X), np.exp(X), rtol=1e-6)
    lines = saved(capsys, f, 1.0)
    assert len(lines) == 1 and ("argument" in lines[0]) != kept


def test_wrong_use():
    with pytest.raises(NotImplementedError, match="static_argnums"):
        checkpoint(layer, concrete=True)
    with pytest.raises(TypeError, match="checkpoint expects a callable"):
        checkpoint(3)
    with pytest.raises(TypeError, match="name must be a string"):
        checkpoint_name(X, 3)
    with pytest.raises(TypeError, match="must return a bool.*returned 'yes' for dot_general"):
        grad(lambda x: checkpoint(layer, policy=lambda *_, **__: "yes")(x).sum())(X)
    with pytest.raises(ValueError, match=r"\['a'\] are to be saved and offloaded"):
        checkpoint_policies.save_and_offload_only_these_names(
            names_which_can_be_saved=["a"], names_which_can_be_offloaded=["a"],
            offload_src="device", offload_dst="pinned_host",
        )  # fmt: skip
    assert Offloadable("device", "pinned_host").dst == "pinned_host"


def test_programs_show_the_call_and_its_policy():
    text = str(jx.make_jaxpr(checkpoint(layer, policy=checkpoint_policies.dots_saveable))(X))
    assert "policy=dots_saveable" in text and "name[name=hidden]" in text
