"""Refs with jx-core alone: whole values, in NumPy. `tests/test_references.py` has the rest."""

import subprocess
import sys

import numpy as np
import pytest

from jx_core import ShapedArray, ShapeDtypeStruct, jit, lax, make_jaxpr, ref
from jx_core.errors import RefError
from jx_core.references import AbstractRef, Uses
from jx_core.staging import trace_to_jaxpr


def test_whole_values_are_read_and_written():
    r = ref.new_ref(np.zeros(2, np.float32))
    r[...] = np.float32([1, 2])
    r[()] = lax.add(r[...], 1.0)
    assert r[...].tolist() == [2.0, 3.0]
    r[...] = 7
    assert ref.swap(r, ..., 1.0).tolist() == [7.0, 7.0]
    assert ref.empty_ref(ShapeDtypeStruct((2, 1), np.int32))[...].tolist() == [[0], [0]]
    assert ref.freeze(r).tolist() == [1.0, 1.0]


def test_staged_functions_read_and_write():
    r = ref.new_ref(1.0)

    @jit
    def f(own, x):
        def step(i, c):
            own[...] = lax.mul(own[...], r[...])
            return lax.add(c, x)

        r[...] = x
        return lax.fori_loop(0, 3, step, 0.0)

    own = ref.new_ref(1.0)
    assert float(f(own, 2.0)) == 6.0
    assert (float(own[...]), float(r[...])) == (8.0, 2.0)


def test_a_type_says_what_the_ref_was_told():
    t = ref.new_ref(1.0, kind="no_grad_no_remat", memory_space="fast").type
    assert t == AbstractRef(ShapedArray((), np.float32), "fast", "no_grad_no_remat")
    assert (t.shape, t.dtype, t.ndim, t.size, str(t)) == ((), np.float32, 0, 1, "Ref{float32[]}")


def test_programs_take_and_give_values_of_refs():
    r, other = ref.new_ref(1.0), ref.new_ref(2.0)
    uses = Uses()

    def flat(x):
        r[...] = lax.add(x, other[...])
        return [lax.neg(r[...])]

    aval = ShapedArray((), np.float32)
    jaxpr, consts = trace_to_jaxpr(flat, [aval], "flat", uses)
    assert str(jaxpr).count("f32[]") == 5
    assert consts == []
    assert (uses.reads, uses.writes, uses.num_results) == ([other], [r], 1)
    assert [float(v) for v in uses.operands([5.0])] == [5.0, 2.0, 1.0]
    assert uses.write_back([5.0], [np.float32(-7), np.float32(7)]) == [np.float32(-7)]
    assert float(r[...]) == 7.0
    with pytest.raises(RefError, match="flat writes to a Ref"):
        trace_to_jaxpr(flat, [aval], "flat")
    with pytest.raises(RefError, match="flat reads a Ref"):
        trace_to_jaxpr(lambda x: [other[...]], [aval], "flat")


def test_make_jaxpr_reads_present_values():
    r = ref.new_ref(1.0)
    closed = make_jaxpr(lambda x: lax.add(x, r[...]))(1.0)
    assert [float(c) for c in closed.consts] == [1.0]


def test_other_indices_need_the_layer_that_knows_them():
    program = (
        "from jx_core import ref\n"
        "import numpy as np\n"
        "r = ref.new_ref(np.zeros(3, np.float32))\n"
        "try:\n"
        "    r[0]\n"
        "except TypeError as error:\n"
        "    assert 'import jx_numpy' in str(error), error\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
