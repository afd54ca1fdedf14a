"""References: what a Ref reads and writes is what a mutable array would, under everything."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jx
import jx.numpy as jnp
from jx import lax
from jx_core import backend


@pytest.fixture(params=["xla", "numpy"])
def everywhere(request):
    """Each test with this runs on both back ends."""
    with backend.use(request.param):
        yield request.param


def value(ref):
    return np.asarray(ref[...]).tolist()


# --- the object ---


def test_a_ref_looks_like_the_array_in_it():
    ref = jx.new_ref(jnp.zeros((2, 3)))
    assert (ref.shape, ref.dtype, ref.ndim, ref.size, len(ref)) == ((2, 3), np.float32, 2, 6, 2)
    assert repr(jx.new_ref(jnp.arange(3.0))) == "Ref([0., 1., 2.], dtype=float32)"
    assert isinstance(ref, jx.Ref)
    assert not isinstance(ref, jx.Array)
    assert ref.sharding == jnp.zeros(2).sharding
    assert str(jx.ref.AbstractRef(ref.type.inner_aval)) == "Ref{float32[2,3]}"
    assert jx.typeof(ref) == ref.type and jx.typeof(ref).inner_aval == jx.typeof(ref[...])
    assert jx.block_until_ready({"r": ref})["r"] is ref


def test_a_ref_of_a_number_has_a_strong_dtype():
    ref = jx.new_ref(1.0)
    assert ref.dtype == np.float32
    assert not ref[...].weak_type


def test_refs_are_compared_and_hashed_by_identity():
    one, other = jx.new_ref(1.0), jx.new_ref(1.0)
    assert one != other
    assert {one: 1}[one] == 1
    assert jx.tree.leaves({"a": one, "b": [other]}) == [one, other]


def test_a_ref_is_no_array():
    ref = jx.new_ref(jnp.zeros(3))
    for use in (
        lambda: ref + 1,
        lambda: jnp.ones(3) + ref,
        lambda: jnp.sin(ref),
        lambda: lax.sin(ref),
        lambda: np.asarray(ref),
        lambda: bool(ref),
        lambda: list(ref),
        lambda: float(jx.new_ref(1.0)),
        lambda: jx.new_ref(ref),
        lambda: lax.add(ref, 1.0),
        lambda: jx.jit(lambda: jnp.sin(ref))(),
    ):
        with pytest.raises(TypeError):
            use()
    with pytest.raises(TypeError, match=r"read its value, with ref\[\.\.\.\]"):
        jnp.sin(ref)


def test_a_copied_or_pickled_ref_is_another_one():
    ref = jx.new_ref(jnp.arange(3))
    for other in (copy.deepcopy(ref), copy.copy(ref), pickle.loads(pickle.dumps(ref))):
        other[0] = 9
        assert value(other) == [9, 1, 2]
    assert value(ref) == [0, 1, 2]


def test_new_ref_takes_arrays_and_numbers_only():
    with pytest.raises(TypeError, match="init_val must be an array"):
        jx.new_ref([1, 2])
    with pytest.raises(ValueError, match="kind must be one of"):
        jx.new_ref(1.0, kind="other")
    ref = jx.new_ref(1.0, kind="no_grad_no_remat", memory_space="device")
    assert (ref.type.kind, ref.memory_space) == ("no_grad_no_remat", "device")


def test_the_first_value_is_not_changed_by_writes(everywhere):
    first = jnp.zeros(3)
    host = np.zeros(3, np.float32)
    ref, other = jx.new_ref(first), jx.new_ref(host)
    for r in (ref, other):
        r[0] = 1.0
        r[1] = 2.0
        r[...] += 1.0
    host[:] = 7.0
    assert first.tolist() == [0.0, 0.0, 0.0]
    assert value(ref) == value(other) == [2.0, 3.0, 1.0]


def test_values_that_have_been_read_or_written_are_not_changed_by_later_writes(everywhere):
    ref = jx.new_ref(jnp.zeros(3))
    given = jnp.ones(3)
    ref[0] = 5.0
    before = ref[...]
    whole = ref[:]
    ref[0] = 6.0
    ref[...] = given
    ref[1] = 7.0
    jx.jit(lambda: ref.set(8.0, 2))()
    assert before.tolist() == whole.tolist() == [5.0, 0.0, 0.0]
    assert given.tolist() == [1.0, 1.0, 1.0]
    assert value(ref) == [1.0, 7.0, 8.0]


def test_empty_ref():
    ref = jx.empty_ref(jx.ShapeDtypeStruct((2,), np.int32))
    ref[0] = 3
    assert value(ref) == [3, 0]
    with pytest.raises(TypeError, match="must have a shape and a dtype"):
        jx.empty_ref(3)


def test_freeze_and_free_end_a_ref():
    ref = jx.new_ref(1.0)
    ref[...] = 2.0
    assert float(jx.freeze(ref)) == 2.0
    freed = jx.new_ref(1.0)
    assert jx.free_ref(freed) is None
    for dead, how in ((ref, "frozen"), (freed, "freed")):
        for use in (lambda r: r[...], lambda r: r.set(1.0), jx.freeze, jx.free_ref):
            with pytest.raises(jx.errors.RefError, match=f"it has been {how}"):
                use(dead)
        assert how in repr(dead)
    with pytest.raises(TypeError, match="freeze takes a Ref"):
        jx.freeze(jnp.zeros(3))


def test_freeze_is_for_the_function_that_made_the_ref():
    ref = jx.new_ref(1.0)
    for call in (lambda: jx.jit(jx.freeze)(ref), lambda: jx.jit(lambda: jx.freeze(ref))()):
        with pytest.raises(jx.errors.RefError, match="by the function that made it"):
            call()

    @jx.jit
    def own(x):
        inner = jx.new_ref(x)
        inner[...] *= 2.0
        return jx.freeze(inner)

    assert float(own(3.0)) == 6.0
    assert float(ref[...]) == 1.0


# --- indices ---

INDICES = [
    0, -1, slice(1, 3), slice(None, None, 2), (1, 2), (slice(None), 1), (0, slice(None, 3)), ...,
    (..., 0), (), None, np.array([0, 2, 0]), (np.array([0, 1]), np.array([1, 2])),
    np.array([True, False, True]), slice(None, None, -1),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indices_are_numpys(everywhere, index):
    array = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    ref = jx.new_ref(array)
    expected = array.copy()
    assert np.array_equal(ref[index], array[index])
    old = jx.ref.swap(ref, ... if index is None else index, -1.0)
    assert np.array_equal(old, array[... if index is None else index])
    expected[index] = -1.0
    assert np.array_equal(ref[...], expected)

    ref, expected = jx.new_ref(array), array.copy()
    ref.addupdate(2.0, index)
    np.add.at(expected, index, 2.0)
    assert np.array_equal(ref[...], expected)


def test_traced_indices(everywhere):
    ref = jx.new_ref(jnp.zeros(4))

    @jx.jit
    def update(i, x):
        ref[i] = x
        ref[i + 1] += 1.0
        return ref[i]

    assert float(update(1, 5.0)) == 5.0
    assert value(ref) == [0.0, 5.0, 1.0, 0.0]


def test_functions_of_jx_ref():
    ref = jx.new_ref(jnp.arange(4.0))
    assert float(jx.ref.get(ref, 2)) == 2.0
    assert jx.ref.get(ref).tolist() == [0.0, 1.0, 2.0, 3.0]
    assert float(jx.ref.swap(ref, 2, 7.0)) == 2.0
    assert jx.ref.set(ref, 0, 9.0) is None
    assert jx.ref.addupdate(ref, np.array([1, 1]), 1.0) is None
    assert value(ref) == [9.0, 3.0, 7.0, 3.0]
    with pytest.raises(ValueError, match="on a `Ref`"):
        jx.ref.get(jnp.zeros(3), 0)


def test_parts_of_refs():
    ref = jx.new_ref(jnp.zeros((3, 4)))
    row = ref.at[1]
    row[2] = 5.0
    row.at[1:3].addupdate(1.0)
    assert row.shape == (4,)
    assert row[...].tolist() == [0.0, 1.0, 6.0, 0.0]
    assert row.swap(7.0, 0).tolist() == 0.0
    assert value(ref)[1] == [7.0, 1.0, 6.0, 0.0]
    assert jx.ref.get(row, 0) == 7.0


def test_what_does_not_fit_is_refused():
    ref = jx.new_ref(jnp.zeros(3))
    whole = jx.new_ref(jnp.zeros(3, int))
    for write, message in (
        (lambda: ref.set(jnp.ones(2)), r"Invalid shape.*\(3,\).*\(2,\)"),
        (lambda: ref.set(jnp.arange(3)), "Invalid dtype.*float32.*int32.*astype"),
        (lambda: ref.set(True, 0), "Invalid dtype"),
        (lambda: ref.set(1j, 0), "Invalid dtype"),
        (lambda: whole.set(1.5, 0), "Invalid dtype"),
        (lambda: ref.set(1.0, 3), "index 3 on axis 0, of length 3"),
        (lambda: ref[-4], "index -4 on axis 0, of length 3"),
    ):
        with pytest.raises(ValueError, match=message):
            write()
    with pytest.raises(TypeError, match="make an array of it"):
        ref[...] = [1.0, 2.0, 3.0]
    ref[0] = 1
    ref[1:] = np.float64(2)
    assert value(ref) == [1.0, 2.0, 2.0]


def test_typed_keys(everywhere):
    ref = jx.new_ref(jx.random.key(0))

    @jx.jit
    def draw():
        ref[...], key = jx.random.split(ref[...])
        return jx.random.normal(key)

    key, draws = jx.random.key(0), []
    for _ in range(2):
        key, sub = jx.random.split(key)
        draws.append(float(jx.random.normal(sub)))
    assert [float(draw()), float(draw())] == draws
    assert (jx.random.key_data(ref[...]) == jx.random.key_data(key)).all()
    keys = jx.new_ref(jx.random.split(jx.random.key(0), 3))
    keys[1] = jx.random.key(5)
    assert (jx.random.key_data(keys[1]) == jx.random.key_data(jx.random.key(5))).all()


# --- staging ---


def test_jit_reads_and_writes_what_it_closes_over(everywhere):
    ref = jx.new_ref(jnp.zeros(3))
    traced = []

    @jx.jit
    def bump(x):
        traced.append(x)
        ref[1] += x
        return ref[1] * 2

    assert [float(bump(1.0)), float(bump(2.0))] == [2.0, 6.0]
    ref[1] = 10.0
    assert float(bump(1.0)) == 22.0
    assert len(traced) == 1


def test_a_read_is_never_stale(everywhere):
    ref = jx.new_ref(1.0)
    read = jx.jit(lambda x: ref[...] * x)
    assert float(read(2.0)) == 2.0
    ref[...] = 5.0
    assert float(read(2.0)) == 10.0


def test_jit_with_ref_arguments(everywhere):
    traced = []

    @jx.jit
    def move(refs, x, *, out):
        traced.append(x)
        out[...] = refs["a"][...] + x
        refs["a"][0] = x
        return refs["b"][...]

    for _ in range(2):
        a, b, out = (jx.new_ref(jnp.full(2, n)) for n in (1.0, 2.0, 3.0))
        assert move({"a": a, "b": b}, 4.0, out=out).tolist() == [2.0, 2.0]
        assert (value(a), value(b), value(out)) == ([4.0, 1.0], [2.0, 2.0], [5.0, 5.0])
    assert len(traced) == 1


def test_refs_through_nested_jits(everywhere):
    ref = jx.new_ref(0.0)

    @jx.jit
    def inner(own, x):
        own[...] += x

    @jx.jit
    def outer(x):
        made = jx.new_ref(x)
        inner(made, 1.0)
        inner(ref, made[...])
        inner(ref, ref[...])
        return made[...]

    assert float(outer(2.0)) == 3.0
    assert float(ref[...]) == 6.0
    assert float(jx.jit(outer)(2.0)) == 3.0
    assert float(ref[...]) == 18.0


def test_no_program_holds_a_ref():
    ref = jx.new_ref(jnp.zeros(3))

    def f(own, x):
        own[0] = x
        ref[1] = own[0]
        return x * 2

    closed, shapes = jx.make_jaxpr(f, return_shape=True)(jx.new_ref(jnp.ones(2)), 1.0)
    assert [str(a) for a in closed.in_avals] == ["f32[2]", "f32[]"]
    assert [str(a) for a in closed.out_avals] == ["f32[]", "f32[3]", "f32[2]"]
    assert shapes.shape == ()
    assert jx.eval_shape(f, jx.new_ref(jnp.ones(2)), 1.0).shape == ()
    assert jx.jit(f).eval_shape(jx.new_ref(jnp.ones(2)), 1.0).shape == ()
    assert value(ref) == [0.0, 0.0, 0.0]
    with pytest.raises(TypeError, match="can't be compiled ahead of time"):
        jx.jit(f).lower(jx.new_ref(jnp.ones(2)), 1.0)


def test_disable_jit():
    ref = jx.new_ref(jnp.zeros(3))

    @jx.jit
    def f(own):
        lax.fori_loop(0, 3, lambda i, c: own.addupdate(1.0, i) or c, 0)
        lax.scan(lambda c, row: (c, row.addupdate(c)), 1.0, own)
        return lax.cond(own[0] > 1.0, lambda r: r[1], lambda r: 0.0, own)

    with jx.disable_jit():
        assert float(f(ref)) == 2.0
    assert value(ref) == [2.0, 2.0, 2.0]


def test_a_ref_may_be_passed_once():
    ref = jx.new_ref(jnp.zeros(3))

    def f(first, *, second=None):
        return None

    for call in (jx.jit(f), lambda a, second: jx.vmap(f)(a, second=second)):
        with pytest.raises(ValueError, match="only one reference.*first.*second"):
            call(ref, second=ref)
    with pytest.raises(ValueError, match="only one reference"):
        lax.cond(True, lambda a, b: None, lambda a, b: None, ref, ref)
    both = jx.jit(lambda own: own[...] + ref[...])
    with pytest.raises(ValueError, match="both closed over and passed as the argument own"):
        both(ref)
    assert both(jx.new_ref(jnp.ones(3))).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="both closed over and passed as the argument own"):
        both(ref)
    with pytest.raises(ValueError, match="both closed over"):
        lax.scan(lambda c, row: (c, row.set(ref[0])), 0, ref)


def test_a_ref_is_not_returned():
    ref = jx.new_ref(0.0)
    for call in (
        lambda: jx.jit(lambda: ref)(),
        lambda: jx.jit(lambda x: {"a": jx.new_ref(x)})(1.0),
        lambda: jx.jit(lambda r: r)(ref),
        lambda: lax.cond(True, lambda r: r, lambda r: r, ref),
        lambda: lax.scan(lambda c, x: (c, ref), 0, None, 3),
        lambda: jx.vmap(lambda r: r)(jx.new_ref(jnp.zeros(2))),
    ):
        with pytest.raises(ValueError, match="mutable array references cannot be returned"):
            call()
    for call in (
        lambda: lax.scan(lambda c, x: (c, x), ref, None, 3),
        lambda: lax.while_loop(lambda r: False, lambda r: r, ref),
    ):
        with pytest.raises(TypeError, match="is no array: read its value"):
            call()


def test_a_ref_is_no_static_argument():
    with pytest.raises(ValueError, match="can't be a static argument"):
        jx.jit(lambda r: r[...], static_argnums=0)(jx.new_ref(0.0))


def test_a_ref_that_has_leaked():
    kept = []

    def leak(x):
        kept.append(jx.new_ref(x))
        return x

    jx.jit(leak)(1.0)
    jx.grad(leak)(1.0)
    jx.vmap(leak)(jnp.zeros(2))
    jx.jit(kept.append)(jx.new_ref(1.0))
    for ref in kept:
        for use in (lambda r: r[...], lambda r: r.set(1.0), jx.freeze):
            with pytest.raises(jx.errors.UnexpectedTracerError, match="outside of the function"):
                use(ref)
        assert "has ended" in repr(ref)
    assert len(kept) == 4


def test_caches_keep_no_ref_and_no_value_alive():
    made = {}

    def step(i, c):
        made["ref"][...] += 1.0
        return c

    @jx.jit
    def f(x):
        made["ref"][...] += x
        return lax.fori_loop(0, 2, step, x)

    for _ in range(2):
        ref = made["ref"] = jx.new_ref(jnp.zeros(3))
        f(1.0)
        lax.fori_loop(0, 2, step, 0)
        assert value(ref) == [5.0] * 3
        alive = weakref.ref(ref)
        array = weakref.ref(ref._value)
        made.clear()
        del ref
        gc.collect()
        assert alive() is None
        assert array() is None


def test_functions_that_find_refs_elsewhere_are_traced_again_for_other_ones():
    holder = {}

    @jx.jit
    def inner(x):
        holder["ref"][...] += x

    @jx.jit
    def outer(x, n):
        holder["ref"] = jx.new_ref(x * n)
        inner(x)
        return holder["ref"][...]

    assert float(outer(2.0, 3.0)) == 8.0
    assert float(outer(2.0, jnp.ones(2)).sum()) == 8.0
    assert outer(jnp.ones(2), 3.0).tolist() == [4.0, 4.0]
    holder["ref"] = jx.new_ref(5.0)
    inner(1.0)
    assert float(holder["ref"][...]) == 6.0
    jx.freeze(holder["ref"])
    holder["ref"] = jx.new_ref(7.0)
    inner(1.0)
    assert float(holder["ref"][...]) == 8.0


def test_eager_loops_over_refs_are_traced_once():
    ref = jx.new_ref(0.0)
    traced = []

    def step(c, x):
        traced.append(x)
        ref[...] += x
        return c, ref[...]

    xs = jnp.arange(3.0)
    for _ in range(3):
        lax.scan(step, 0, xs)
    assert float(ref[...]) == 9.0
    assert len(traced) == 1


def test_compiled_writes_are_in_place():
    ref = jx.new_ref(jnp.zeros(1000))
    ref[0] = 1.0  # from here on the buffer is its own
    where = ref.unsafe_buffer_pointer()

    @jx.jit
    def f(x):
        ref[1] += x

    @jx.jit
    def g(own, x):
        own[2] = x

    for n in range(3):
        ref[3] = float(n)
        f(1.0)
        g(ref, 2.0)
    assert ref.unsafe_buffer_pointer() == where
    assert value(ref)[:4] == [1.0, 3.0, 2.0, 2.0]


def test_what_is_written_to_two_refs_is_not_shared():
    a, b = jx.new_ref(jnp.zeros(1000)), jx.new_ref(jnp.zeros(1000))

    @jx.jit
    def f(x):
        y = x + 1.0
        a[...] = b[...] = y
        return y, x

    x = jnp.ones(1000)
    y, same = f(x)
    a[0] = 9.0
    jx.jit(lambda: b.set(7.0, 0))()
    assert [float(v[0]) for v in (a, b, y, same, x)] == [9.0, 7.0, 2.0, 1.0, 1.0]
    jx.jit(lambda: a.set(b[...]))()
    a[0] = 5.0
    assert [float(v[0]) for v in (a, b)] == [5.0, 7.0]


def test_donated_ref_arguments_stay():
    ref = jx.new_ref(jnp.ones(3))
    f = jx.jit(lambda r, x: r[...] + x, donate_argnums=(0, 1))
    assert f(ref, jnp.ones(3)).tolist() == [2.0] * 3
    assert f(ref, jnp.ones(3)).tolist() == [2.0] * 3


def test_the_sharding_stays():
    mesh = jx.make_mesh((4,), ("x",))
    sharding = jx.NamedSharding(mesh, jx.P("x"))
    ref = jx.new_ref(jx.device_put(jnp.zeros(8), sharding))
    jx.jit(lambda: ref.set(jnp.arange(8.0)))()
    ref[0] = 5.0
    ref[...] = jnp.ones(8)
    jx.jit(lambda r: r.addupdate(1.0))(ref)
    assert ref.sharding == sharding
    assert value(ref) == [2.0] * 8


def test_threads_that_write_to_one_ref():
    ref = jx.new_ref(jnp.zeros(16))
    add = jx.jit(lambda i: ref.addupdate(1.0, i))

    def work(i):
        for _ in range(20):
            add(i)
            ref[i]
            ref[...]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert value(ref) == [20.0] * 8 + [0.0] * 8


# --- control flow ---


def test_scan(everywhere):
    ref, other = jx.new_ref(0.0), jx.new_ref(10.0)

    def step(c, x):
        ref[...] += x * other[...]
        return c + 1, ref[...]

    for call in (lambda xs: lax.scan(step, 0, xs), jx.jit(lambda xs: lax.scan(step, 0, xs))):
        ref[...] = 0.0
        carry, seen = call(jnp.arange(3.0))
        assert (int(carry), seen.tolist()) == (3, [0.0, 10.0, 30.0])
        assert float(ref[...]) == 30.0


def test_scan_over_the_rows_of_a_ref(everywhere):
    ref = jx.new_ref(jnp.arange(6.0).reshape(3, 2))

    def step(c, xs):
        row, x = xs
        old = row.swap(c)
        row[0] += x
        return c + 1.0, old

    carry, old = lax.scan(step, 0.0, (ref, jnp.array([10.0, 20.0, 30.0])), reverse=True)
    assert float(carry) == 3.0
    assert old.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert value(ref) == [[12.0, 2.0], [21.0, 1.0], [30.0, 0.0]]


def test_two_refs_with_one_value(everywhere):
    shared = jnp.ones(2)
    a, b, c = jx.new_ref(shared), jx.new_ref(shared), jx.new_ref(jnp.zeros(2))

    def step(carry, x):
        c[...] += a[...] * x + b[...]
        return carry, None

    lax.scan(step, 0, jnp.arange(3.0))
    assert value(c) == [6.0, 6.0]
    b[...] = jnp.zeros(2)
    lax.scan(step, 0, jnp.arange(3.0))
    assert value(c) == [9.0, 9.0]
    b[...] = a[...]
    lax.cond(True, lambda: c.set(a[...] + b[...]), lambda: c.set(b[...]))
    assert value(c) == [2.0, 2.0]


def test_while_loop(everywhere):
    ref, limit = jx.new_ref(0.0), jx.new_ref(5.0)

    def body(i):
        ref[...] += 2.0
        return i + 1

    def loop():
        return lax.while_loop(lambda i: ref[...] < limit[...], body, 0)

    assert (int(loop()), float(ref[...])) == (3, 6.0)
    limit[...] = 9.0
    assert (int(jx.jit(loop)()), float(ref[...])) == (2, 10.0)
    with pytest.raises(jx.errors.RefError, match="cond_fun of a while_loop must not write"):
        lax.while_loop(lambda i: ref.set(0.0) or i < 3, lambda i: i + 1, 0)


def test_fori_loop(everywhere):
    ref = jx.new_ref(jnp.zeros(4))

    def loop(n):
        lax.fori_loop(0, n, lambda i, c: ref.addupdate(1.0, i) or c, 0)

    loop(3)
    jx.jit(loop)(2)
    assert value(ref) == [2.0, 2.0, 1.0, 0.0]
    assert lax.map(lambda x: ref[0] * x, jnp.arange(2.0)).tolist() == [0.0, 2.0]


def test_cond_and_switch(everywhere):
    ref, other = jx.new_ref(1.0), jx.new_ref(10.0)

    def choose(i):
        return lax.switch(
            i, [lambda: ref.swap(2.0), lambda: other.swap(ref[...]), lambda: ref[...] * 3.0]
        )

    for call in (choose, jx.jit(choose)):
        ref[...], other[...] = 1.0, 10.0
        seen = [(float(call(i)), float(ref[...]), float(other[...])) for i in (0, 1, 2)]
        assert seen == [(1.0, 2.0, 10.0), (10.0, 2.0, 2.0), (6.0, 2.0, 2.0)]


def test_cond_with_ref_operands(everywhere):
    a, b = jx.new_ref(1.0), jx.new_ref(2.0)

    def choose(p):
        lax.cond(p, lambda a, b, x: a.set(x), lambda a, b, x: b.set(a[...]), a, b, 7.0)

    choose(True)
    choose(False)
    assert (float(a[...]), float(b[...])) == (7.0, 7.0)
    jx.jit(choose)(True)
    assert lax.platform_dependent(a, default=lambda r: r[...], tpu=lambda r: r[...] * 2) == 7.0


# --- vmap ---


def test_vmap_gives_each_row_of_a_ref(everywhere):
    def distance(x, y, out):
        assert out.shape == ()
        out[...] = jnp.sum((x - y) ** 2)

    points = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    expected = ((points[:, None] - points[None]) ** 2).sum(-1)
    pairs = jx.vmap(jx.vmap(distance, (0, None, 0)), (None, 0, 0))
    for f in (pairs, jx.jit(pairs), jx.vmap(jx.jit(jx.vmap(distance, (0, None, 0))), (None, 0, 0))):
        out = jx.new_ref(jnp.zeros((3, 3)))
        f(points, points, out)
        assert np.array_equal(out[...], expected)


def test_vmap_along_other_axes():
    ref = jx.new_ref(jnp.zeros((2, 3)))
    jx.vmap(lambda r, x: r.set(x, 1), in_axes=(1, 0))(ref, jnp.arange(3.0))
    assert value(ref) == [[0.0] * 3, [0.0, 1.0, 2.0]]
    jx.vmap(lambda r: r.set(4.0), in_axes=-1)(ref)
    assert value(ref) == [[4.0] * 3] * 2


def test_rows_read_what_they_share():
    ref = jx.new_ref(2.0)
    xs = jnp.arange(3.0)
    for f in (lambda x: x * ref[...], jx.jit(lambda x: x * ref[...])):
        assert jx.vmap(f)(xs).tolist() == [0.0, 2.0, 4.0]
    assert jx.vmap(lambda x, r: x * r[...], (0, None))(xs, ref).tolist() == [0.0, 2.0, 4.0]


def test_rows_do_not_write_to_what_they_share():
    ref = jx.new_ref(0.0)
    xs = jnp.arange(3.0)
    for call in (
        lambda: jx.vmap(ref.set)(xs),
        lambda: jx.vmap(lambda x: ref.set(1.0))(xs),
        lambda: jx.vmap(jx.jit(ref.set))(xs),
        lambda: jx.vmap(lambda x, r: r.set(x), (0, None))(xs, ref),
        lambda: jx.jit(jx.vmap(ref.set))(xs),
    ):
        with pytest.raises(jx.errors.RefError, match="mapped by vmap.*in_axes"):
            call()
    assert float(ref[...]) == 0.0


def test_refs_made_in_a_mapped_function(everywhere):
    def f(x, n):
        ref = jx.new_ref(jnp.zeros(2))

        def step(i, c):
            ref[i % 2] += x
            return c

        lax.fori_loop(0, n, step, 0)
        return ref[...]

    found = jx.vmap(f)(jnp.arange(3.0), jnp.array([1, 2, 5]))
    assert found.tolist() == [[0.0, 0.0], [1.0, 1.0], [6.0, 4.0]]


# --- derivatives ---


def accumulate(x):
    ref = jx.new_ref(0.0)

    def step(c, y):
        ref[...] += jnp.sin(y * x)
        return c, None

    lax.scan(step, None, jnp.arange(4.0))
    return ref[...]


def test_derivatives_of_a_function_with_refs_of_its_own(everywhere):
    ys = np.arange(4.0)
    slope = float((ys * np.cos(ys * 0.5)).sum())
    for f in (accumulate, jx.jit(accumulate), jx.checkpoint(accumulate)):
        for g in (jx.grad(f), jx.jit(jx.grad(f)), jx.jacfwd(f)):
            assert float(g(0.5)) == pytest.approx(slope, rel=1e-5)
        assert float(jx.jvp(f, (0.5,), (2.0,))[1]) == pytest.approx(2 * slope, rel=1e-5)
    curve = -float((ys**2 * np.sin(ys * 0.5)).sum())
    assert float(jx.grad(jx.grad(accumulate))(0.5)) == pytest.approx(curve, rel=1e-5)
    rows = jx.vmap(jx.grad(accumulate))(jnp.array([0.5, 0.0]))
    assert rows.tolist() == pytest.approx([slope, 6.0], rel=1e-5)


def test_derivatives_through_cond_and_while():
    def f(x):
        ref = jx.new_ref(x)
        lax.cond(x > 0, lambda: ref.set(ref[...] * 3.0), lambda: None)
        lax.while_loop(lambda i: i < 2, lambda i: ref.set(ref[...] * x) or i + 1, 0)
        return ref[...]

    assert float(jx.jvp(f, (2.0,), (1.0,))[1]) == 36.0
    assert float(jx.jit(jx.jacfwd(f))(-2.0)) == 12.0

    def g(x):
        ref = jx.new_ref(jnp.zeros(3))
        lax.cond(x > 0, lambda: ref.set(x * 3.0, 1), lambda: ref.set(x, 0))
        return (ref[...] * jnp.arange(3.0)).sum()

    assert [float(jx.grad(g)(x)) for x in (1.0, -1.0)] == [3.0, 0.0]


def test_what_a_ref_closes_over_is_differentiated():
    def f(x):
        ref = jx.new_ref(jnp.stack([x, x * x]))
        return jx.jit(lambda i: ref[i] * ref[0])(1)

    assert float(jx.grad(f)(2.0)) == 12.0


def test_plumbing_refs(everywhere):
    seen = jx.new_ref(0.0)

    def f(x, out):
        y = jnp.sin(x)
        out[...] += lax.stop_gradient(y)
        seen[...] += 1.0
        return y * seen[...]

    out = jx.new_ref(0.0)
    for g in (jx.grad(f), jx.jit(jx.grad(f)), jx.grad(jx.jit(f)), jx.grad(jx.checkpoint(f))):
        seen[...], out[...] = 0.0, 0.0
        assert float(g(1.0, out)) == pytest.approx(np.cos(1.0))
        assert float(out[...]) == pytest.approx(np.sin(1.0))
        assert float(seen[...]) == 1.0


def test_tangents_stay_inside():
    ref = jx.new_ref(0.0)

    def f(x):
        ref[...] = jnp.sin(x)
        return x

    for call in (
        lambda: jx.grad(f)(1.0),
        lambda: jx.jit(jx.grad(f))(1.0),
        lambda: jx.grad(jx.jit(f))(1.0),
        lambda: jx.jvp(f, (1.0,), (1.0,)),
        lambda: jx.grad(lambda x, r: r.set(x) or x)(1.0, ref),
    ):
        with pytest.raises(jx.errors.RefError, match="being differentiated.*stop_gradient"):
            call()
    assert float(ref[...]) == 0.0


def square_after_sin(ref):
    ref[...] = jnp.sin(ref[...])
    return ref[...] ** 2


def test_jvp_and_linearize_with_ref_arguments():
    out, slope = np.sin(2.0) ** 2, 2 * np.sin(2.0) * np.cos(2.0)
    ref, tangent = jx.new_ref(2.0), jx.new_ref(1.0)
    y, dy = jx.jvp(square_after_sin, (ref,), (tangent,))
    assert [float(y), float(dy)] == pytest.approx([out, slope], rel=1e-5)
    assert [float(ref[...]), float(tangent[...])] == pytest.approx([np.sin(2.0), np.cos(2.0)])
    ref, tangent = jx.new_ref(2.0), jx.new_ref(1.0)
    y, f_jvp = jx.linearize(square_after_sin, ref)
    assert float(f_jvp(tangent)) == pytest.approx(slope, rel=1e-5)
    assert [float(ref[...]), float(tangent[...])] == pytest.approx([np.sin(2.0), np.cos(2.0)])
    with pytest.raises(TypeError, match="tangent of an argument that is a Ref must be a Ref"):
        jx.jvp(square_after_sin, (ref,), (1.0,))


def test_vjp_with_ref_arguments():
    y, f_vjp = jx.vjp(lambda r: r[...] ** 2, jx.new_ref(2.0))
    grad = jx.new_ref(100.0)
    assert f_vjp.with_refs(grad)(1.0) == (jx.ad.GradRef(),)
    assert float(grad[...]) == 104.0
    with pytest.raises(ValueError, match="accumulated into a Ref.*with_refs"):
        f_vjp(1.0)

    ref, grad = jx.new_ref(2.0), jx.new_ref(0.0)
    y, f_vjp = jx.vjp(square_after_sin, ref)
    assert float(ref[...]) == pytest.approx(np.sin(2.0))
    f_vjp.with_refs(grad)(1.0)
    assert float(grad[...]) == pytest.approx(2 * np.sin(2.0) * np.cos(2.0), rel=1e-5)
    with pytest.raises(TypeError, match="with_refs"):
        jx.grad(square_after_sin)(ref)


def test_the_cotangent_of_a_last_value_is_what_the_gradient_ref_held():
    ref, grad = jx.new_ref(2.0), jx.new_ref(10.0)
    _, f_vjp = jx.vjp(square_after_sin, ref)
    jx.jit(lambda pull, ct: pull(ct) and None)(f_vjp.with_refs(grad), 0.0)
    assert float(grad[...]) == pytest.approx(10.0 * np.cos(2.0), rel=1e-5)


def test_gradients_added_to_refs():
    total = jx.new_ref(jnp.zeros(4))
    for i in (1, 3, 1):
        _, f_vjp = jx.vjp(lambda x, i: x[i], jnp.arange(4.0), i)
        placed, none = f_vjp.with_refs(total, jx.ad.GradValue())(1.0)
        assert placed == jx.ad.GradRef()
        assert none.dtype == jx.float0
    assert value(total) == [0.0, 2.0, 0.0, 1.0]
    _, f_vjp = jx.vjp(lambda p: p["a"] * p["b"], {"a": 2.0, "b": 3.0})
    a = jx.new_ref(0.0)
    (got,) = f_vjp.with_refs({"a": a, "b": jx.ad.GradValue()})(1.0)
    assert (got["a"], float(got["b"]), float(a[...])) == (jx.ad.GradRef(), 2.0, 3.0)
    assert f_vjp.with_refs(jx.ad.DontWant())(1.0) == ({"a": jx.ad.DidntWant()} | {
        "b": jx.ad.DidntWant()
    },)  # fmt: skip
    for entries, message in (
        (({"a": a, "b": a},), "only one reference"),
        (({"a": total, "b": a},), "shape and dtype must be the argument's"),
        ((1.0,), r"with_refs takes Refs"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            f_vjp.with_refs(*entries)


# --- functions with rules of their own ---


@jx.custom_vjp
def stash(out, x):
    return x


def _stash_bwd(out, ct):
    out[...] = ct
    return None, ct


stash.defvjp(lambda out, x: (x, out), _stash_bwd)


def test_a_backward_rule_writes_to_a_ref(everywhere):
    def f(x, out):
        return jnp.sin(stash(out, x))

    for g in (jx.grad(f), jx.jit(jx.grad(f))):
        out = jx.new_ref(0.0)
        g(1.0, out)
        assert float(out[...]) == pytest.approx(np.cos(1.0))
    out = jx.new_ref(0.0)
    assert float(jx.jit(f)(1.0, out)) == pytest.approx(np.sin(1.0))
    with pytest.raises(jx.errors.UnexpectedTracerError, match=r"jit\(grad\(f\)\)"):
        jx.grad(jx.jit(f))(1.0, out)


def test_a_backward_rule_gives_no_cotangent_for_a_ref():
    @jx.custom_vjp
    def f(out, x):
        return x

    f.defvjp(lambda out, x: (x, None), lambda res, ct: (ct, ct))
    with pytest.raises(TypeError, match="must produce None for argument 0, which is a Ref"):
        jx.grad(f, argnums=1)(jx.new_ref(0.0), 1.0)


@pytest.mark.parametrize("kind", ["vjp", "jvp"])
@pytest.mark.parametrize("how", ["eager", "jit", "jit of grad", "grad of jit"])
def test_a_function_with_rules_writes_to_a_ref(kind, how):
    count = jx.new_ref(0)

    def f(x):
        count[...] += 1
        return jnp.sin(x)

    if kind == "vjp":
        f = jx.custom_vjp(f)
        f.defvjp(lambda x: (f(x), x), lambda x, ct: (2.0 * ct * jnp.cos(x),))
    else:
        f = jx.custom_jvp(f)
        f.defjvp(lambda p, t: (f(*p), 2.0 * t[0] * jnp.cos(p[0])))
    h = jx.jit(f) if how == "jit" else f
    slope = {
        "jit of grad": lambda: jx.jit(jx.grad(f)),
        "grad of jit": lambda: jx.grad(jx.jit(lambda x: f(x) * 1.0)),
    }.get(how, lambda: jx.grad(h))()
    assert float(h(1.0)) == pytest.approx(np.sin(1.0))
    assert int(count[...]) == 1
    assert float(slope(1.0)) == pytest.approx(2 * np.cos(1.0))
    assert int(count[...]) == 2


@pytest.mark.parametrize("kind", ["vjp", "jvp"])
def test_a_rule_reads_a_ref_that_the_function_does_not(kind):
    scale = jx.new_ref(2.0)
    if kind == "vjp":
        f = jx.custom_vjp(lambda x: jnp.sin(x))
        f.defvjp(lambda x: (f(x), scale[...]), lambda s, ct: (ct * s,))
    else:
        f = jx.custom_jvp(lambda x: jnp.sin(x))
        f.defjvp(lambda p, t: (f(*p), t[0] * scale[...]))
    eager, staged = jx.grad(f), jx.jit(jx.grad(f))
    assert [float(eager(1.0)), float(staged(1.0))] == [2.0, 2.0]
    scale[...] = 3.0
    assert [float(eager(1.0)), float(staged(1.0))] == [3.0, 3.0]


def test_rules_of_staged_functions_use_refs_inside_only():
    out = jx.new_ref(0.0)
    f = jx.custom_vjp(lambda x: x * 1.0)
    f.defvjp(lambda x: (f(x), None), lambda res, ct: (out.set(ct) or ct,))
    for g in (jx.grad(f), jx.jit(jx.grad(f))):
        out[...] = 0.0
        assert float(g(1.0)) == float(out[...]) == 1.0
    loop = lambda x: lax.scan(lambda c, _: (f(c), None), x, None, 3)[0]  # noqa: E731
    for g in (jx.grad(jx.jit(f)), jx.grad(loop)):
        with pytest.raises(jx.errors.RefError, match=r"writes to a Ref.*jit\(grad\(f\)\)"):
            g(1.0)


# --- random programs ---

SIZE = 3
leaf = st.one_of(
    st.tuples(st.just("set"), st.integers(0, 1), st.integers(0, SIZE - 1), st.integers(-2, 2)),
    st.tuples(st.just("add"), st.integers(0, 1), st.integers(0, SIZE - 1), st.integers(-2, 2)),
    st.tuples(st.just("scale"), st.integers(0, 1), st.integers(0, SIZE - 1)),
    st.tuples(st.just("move"), st.integers(0, 1), st.integers(0, SIZE - 1)),
    st.tuples(st.just("own"), st.integers(0, 1), st.integers(0, SIZE - 1)),
)
programs = st.recursive(
    st.lists(leaf, min_size=1, max_size=3),
    lambda inner: st.lists(
        st.one_of(
            leaf,
            st.tuples(st.just("scan"), st.integers(0, 3), inner),
            st.tuples(st.just("while"), st.integers(0, 3), inner),
            st.tuples(st.just("cond"), st.integers(0, SIZE - 1), inner, inner),
            st.tuples(st.just("jit"), inner),
            st.tuples(st.just("rows"), st.integers(0, 1), inner),
        ),
        min_size=1,
        max_size=3,
    ),
    max_leaves=6,
)


def run_model(program, refs, x):
    """What a program means, on NumPy arrays."""
    for name, *details in program:
        if name in ("scan", "while"):
            for _ in range(details[0]):
                run_model(details[1], refs, x)
        elif name == "cond":
            run_model(details[1] if refs[0][details[0]] > 0 else details[2], refs, x)
        elif name == "jit":
            run_model(details[0], refs, x)
        elif name == "rows":
            refs[details[0]][...] += x * np.arange(SIZE)
            run_model(details[1], refs, x)
        else:
            r, other, i = refs[details[0]], refs[1 - details[0]], details[1]
            if name == "set":
                r[i] = details[2] * x
            elif name == "add":
                r[i] += details[2]
            elif name == "scale":
                r[i] *= 0.5 * x
            elif name == "move":
                r[i] = other[i]
                other[...] = r
            else:
                r[i] += 3 * x


def run(program, refs, x):
    """The same with Refs, in loops and branches that are staged."""
    for name, *details in program:
        if name == "scan":
            body = details[1]
            lax.scan(lambda c, _, p=body: (c, run(p, refs, x)), 0, None, details[0])
        elif name == "while":
            count, body = details
            lax.while_loop(
                lambda i, n=count: i < n, lambda i, p=body: run(p, refs, x) or i + 1, 0
            )
        elif name == "cond":
            place, *bodies = details
            first, second = [lambda p=body: run(p, refs, x) for body in bodies]
            lax.cond(refs[0][place] > 0, first, second)
        elif name == "jit":
            jx.jit(lambda a, b, x, p=details[0]: run(p, (a, b), x))(*refs, x)
        elif name == "rows":
            jx.vmap(lambda r, i: r.addupdate(x * i))(refs[details[0]], jnp.arange(SIZE))
            run(details[1], refs, x)
        else:
            r, other, i = refs[details[0]], refs[1 - details[0]], details[1]
            if name == "set":
                r[i] = details[2] * x
            elif name == "add":
                jx.ref.addupdate(r, i, details[2])
            elif name == "scale":
                r[i] *= 0.5 * x
            elif name == "move":
                r[i] = other[i]
                other[...] = r[...]
            else:
                own = jx.new_ref(x)
                lax.fori_loop(0, 2, lambda _, c, own=own: own.addupdate(x) or c, 0)
                r[i] += own[...]


START = (np.array([1.0, 0.0, -1.0]), np.array([0.5, 2.0, 0.0]))


def modelled(program, x):
    refs = [start.copy() for start in START]
    run_model(program, refs, x)
    return np.concatenate(refs)


def with_own_refs(program):
    def f(x):
        refs = [jx.new_ref(jnp.asarray(start, jnp.float32)) for start in START]
        run(program, refs, x)
        return jnp.concatenate([jx.freeze(r) for r in refs])

    return f


@pytest.mark.parametrize("back_end", ["xla", "numpy"])
@given(program=programs)
def test_random_programs(back_end, program):
    x, h = 0.70710678, 1e-6
    expected = modelled(program, x)
    slope = (modelled(program, x + h) - modelled(program, x - h)) / (2 * h)
    with backend.use(back_end):
        outer = [jx.new_ref(jnp.asarray(start, jnp.float32)) for start in START]
        run(program, outer, x)
        found = np.concatenate([np.asarray(r[...]) for r in outer])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        f = jx.jit(with_own_refs(program))
        y, dy = jx.jvp(f, (x,), (1.0,))
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(dy, slope, rtol=1e-3, atol=1e-4)
        rows = jx.vmap(f)(jnp.array([x, 0.0]))
        np.testing.assert_allclose(rows[0], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(rows[1], modelled(program, 0.0), rtol=1e-4, atol=1e-5)
