"""The matrix of operations and layers has no hole that nobody knows of.

At each layer a primitive has a rule, or a decomposition into others that do, or a recorded
reason why it has neither. Reverse mode needs transpositions of what derivatives are made of,
which is found out by differentiating every sample.
"""

from __future__ import annotations

import numpy as np
import pytest

import jx_core
import jx_xla  # noqa: F401
from jx_ad import jvp_rules, transpose_rules
from jx_ad.tape import linearize_flat
from jx_batching import batch_rules
from jx_core import RuleTable, all_primitives, backend, lax
from jx_core.config import enable_x64
from jx_core.errors import MissingRuleError
from jx_xla.lowering.tables import lowering_rules
from opdb import FAMILIES, all_samples
from opdb.derive import distinct, moving_operands, restricted

LAYERS = {"differentiation": jvp_rules, "batching": batch_rules, "lowering": lowering_rules}
PRIMITIVES = {
    p.name: p for p in all_primitives() if (p.abstract.__module__ or "").startswith("jx_")
}
# These say where values lie, which the tests of jx-parallel look at; and custom_lin can't be run,
# only transposed, which tests/test_custom_derivatives.py does.
WITHOUT_SAMPLES = {"device_put", "sharding_constraint", "custom_lin"}
WITHOUT_SAMPLES |= {"check"}  # has no result; tests/test_checkify.py
# Python functions, which tests/test_callbacks.py has.
WITHOUT_SAMPLES |= {"pure_callback", "io_callback", "debug_callback", "inspect_sharding"}
WITHOUT_SAMPLES |= {"create_token", "after_all"}
# Programs with rules of their own, in tests/test_custom_batching.py and others.
WITHOUT_SAMPLES |= {"custom_vmap_call", "linear_call", "remat_opt"}
# The integrals of jx.scipy.special, in the op database of array functions.
WITHOUT_SAMPLES |= {"in_doubles"}
WITHOUT_SAMPLES |= {"call_exported"}  # tests/test_export.py
WITHOUT_SAMPLES |= {"dim_as_value"}  # has no value but in programs with symbolic shapes


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_is_known_at_every_layer(name, layer):
    table, primitive = LAYERS[layer], PRIMITIVES[name]
    known = primitive in table or primitive.decompose is not None or table.reason(primitive)
    assert known, (
        f"{name} has no rule for {table.layer}: define one, give it a decomposition, or say why "
        f"it has none with explain()"
    )


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_says_what_it_computes(name):
    primitive = PRIMITIVES[name]
    assert primitive.reference is not None or primitive.decompose is not None


def test_names_are_unique():
    names = [p.name for p in all_primitives() if (p.abstract.__module__ or "").startswith("jx_")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name", [n for n, samples in all_samples().items() if any(s.moving for s in samples)]
)
def test_what_derivatives_are_made_of_can_be_transposed(name):
    with enable_x64(True), backend.use("numpy"):
        moving = [s for s in all_samples()[name] if s.moving]
        for sample in distinct(moving, 12) + moving[-2:]:
            _, linear = linearize_flat(restricted(sample), moving_operands(sample))
            for entry in linear.tape.entries:
                primitive = entry.primitive
                known = (
                    primitive in transpose_rules
                    or primitive.decompose is not None
                    or transpose_rules.reason(primitive)
                )
                assert known, f"{primitive} in the derivative of {sample} has no transposition"


@pytest.mark.parametrize("name", sorted(PRIMITIVES.keys() - WITHOUT_SAMPLES))
def test_every_primitive_has_samples(name):
    samples = all_samples().get(name)
    assert samples, f"add samples of {name} to tests/opdb/{PRIMITIVES[name].family}.py"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda m: m.__name__.rpartition(".")[2])
def test_samples_lie_in_the_file_of_their_family(family):
    name = family.__name__.rpartition(".")[2]
    assert {s.primitive.family for s in family.samples()} == {name}


def test_reasons_are_part_of_the_error():
    table = RuleTable("cost", "cost.define({name}_p)(rule)")
    with pytest.raises(MissingRuleError, match=r"(?s)'sin' has no cost rule.*cost.define\(sin_p\)"):
        table.lookup(lax.sin_p)
    table.explain("free of charge", lax.sin_p)
    with pytest.raises(MissingRuleError, match="'sin' has no cost rule: free of charge"):
        table.lookup(lax.sin_p)


@pytest.mark.parametrize("table", [*LAYERS.values(), transpose_rules], ids=lambda t: t.layer)
def test_a_primitive_from_outside_is_told_how_to_get_a_rule(table):
    """A new primitive with a reference meaning alone computes, and says what it lacks."""
    name = f"outsider_{id(table)}"
    primitive = jx_core.Primitive(name, abstract=lambda x: x, reference=lambda x: x + x)
    with backend.use("numpy"):
        assert float(primitive.bind(np.float32(2))) == 4
    with pytest.raises(MissingRuleError, match=f"{name}_p") as error:
        table.lookup(primitive)
    assert table.layer in str(error.value) and "decomposition" in str(error.value)
