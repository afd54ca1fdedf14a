"""Record the random values of JAX, which are the specification of `jx.random`.

Run with the benchmarks' peer environment (JAX 0.10.2); it rewrites the file that
the tests of jx-numpy read, and needs to be run again only when cases are added:

    .venv-peer/bin/python ci/record_random.py

The file is a JSON object:

    {"jax": "0.10.2", "records": [record, ...]}

Each record is one call and what came of it:

    x64     whether `enable_x64` was on
    key     how the key is made: {"make": "key" or "PRNGKey", "seed": an integer, and, where
            it is not the default one, "impl": the name of a generator};
            absent where the call takes none (`key` and `PRNGKey` themselves)
    call    the name of a function of `jax.random`
    args    its positional arguments after the key
    kwargs  its keyword arguments
    map     present where the call is vmapped: the key is first split into this
            many, and `vmap(lambda key: call(key, *args, **kwargs))` is applied
    result  an array
    error   in place of a result: the class name of the exception

Arguments are JSON numbers, strings, booleans and null as they are; a shape is
a list (pass it as a tuple); `{"dtype": name}` is a dtype; an array is
`{"dtype": name, "shape": [...], "hex": digits}`, the digits being its bytes in
C order, little-endian, so that floating-point values are kept exactly. A typed
key in a result is recorded as its key data, with "typed": true beside "hex".

Integer, boolean, key and `uniform` results are the same on every machine. Other
distributions pass through `log`, `erf_inv` and the like, which XLA's CPU back
end computes to the last bit alike only on one kind of processor: compare them
to a few units in the last place.
"""

import itertools
import json
import pathlib
import sys

import jax
import numpy as np

OUTPUT = pathlib.Path(__file__).parents[1] / "packages/jx-numpy/tests/data/random_bits.json"
SEEDS = [0, 1, 42, -1, -(2**31), 2**31 - 1, 2**32 - 1, 2**32, 2**40 + 12345, 2**63 - 1, -(2**63)]
SHAPES = [[], [0], [1], [2], [3], [7], [8], [3, 5], [2, 0, 3], [33]]
FLOATS = ["float32", "bfloat16", "float16"]
INTEGERS = ["int8", "int16", "int32", "uint8", "uint16", "uint32"]


def dtype(name):
    return {"dtype": name}


def array(values, name):
    values = np.asarray(values, name)
    return encode(values)


def encode(value):
    """An array (or typed key array) as JSON."""
    if jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        return encode(jax.random.key_data(value)) | {"typed": True}
    value = np.asarray(value)
    data = np.ascontiguousarray(value).tobytes().hex()
    return {"dtype": value.dtype.name, "shape": list(value.shape), "hex": data}


def decode(value):
    """The argument that a JSON value stands for."""
    if isinstance(value, dict) and "hex" in value:
        flat = np.frombuffer(bytes.fromhex(value["hex"]), value["dtype"])
        return jax.numpy.asarray(flat.reshape(value["shape"]))
    if isinstance(value, dict):
        return jax.numpy.dtype(value["dtype"])
    return tuple(value) if isinstance(value, list) else value


# --- The calls to record ---------------------------------------------------------------


def key_calls():
    """Making keys, and making keys of keys; each for raw and for typed keys."""
    for make, seed in itertools.product(["key", "PRNGKey"], [*SEEDS, 2**64, 2**70]):
        yield {"call": make, "args": [seed]}
    for make, seed in itertools.product(["key", "PRNGKey"], [0, 42, -7]):
        key = {"make": make, "seed": seed}
        for num in (2, 0, 1, 3, 7, [2, 3], []):
            yield {"key": key, "call": "split", "args": [num]}
        for data in (0, 1, 17, 2**31 - 1, 2**31, 2**32 - 1, -1):
            yield {"key": key, "call": "fold_in", "args": [data]}
        yield {"key": key, "call": "split", "args": [], "map": 3}
        yield {"key": key, "call": "fold_in", "args": [5], "map": 3}
        yield {"key": key, "call": "key_data", "args": []}
        yield {"key": key, "call": "clone", "args": []}


def calls_on_other_generators():
    """What the generators `rbg` and `unsafe_rbg` make, with typed keys and with raw ones.

    Batches of keys are left out: there JAX draws the bits of all from the first key.
    """
    for impl, seed in itertools.product(["rbg", "unsafe_rbg"], [0, 42, -7]):
        for make in ("key", "PRNGKey"):
            yield {"call": make, "args": [seed], "kwargs": {"impl": impl}}
        key = {"make": "key", "seed": seed, "impl": impl}
        for num in (2, 1, 3, [2, 3], []):
            yield {"key": key, "call": "split", "args": [num]}
        for data in (0, 1, 17, 2**32 - 1):
            yield {"key": key, "call": "fold_in", "args": [data]}
        yield {"key": key, "call": "key_data", "args": []}
        for shape, name in itertools.product(
            [[], [0], [1], [5], [3, 5], [33]], ["uint8", "uint16", "uint32", "uint64"]
        ):
            yield {"key": key, "call": "bits", "args": [shape, dtype(name)]}
        yield {"key": key, "call": "uniform", "args": [[2, 3]]}
        yield {"key": key, "call": "normal", "args": [[5]]}
        yield {"key": key, "call": "randint", "args": [[4], 0, 1000]}
        yield {"key": key, "call": "permutation", "args": [7]}


def bits_calls():
    names = ["uint8", "uint16", "uint32", "uint64"]
    for shape, name in itertools.product(SHAPES, names):
        yield {"call": "bits", "args": [shape, dtype(name)]}
    yield {"call": "bits", "args": []}
    yield {"call": "bits", "args": [[5]], "map": 3}


def uniform_calls(floats):
    for shape, name in itertools.product(SHAPES, floats):
        yield {"call": "uniform", "args": [shape, dtype(name)]}
    for name in floats:
        yield {"call": "uniform", "args": [[9], dtype(name)], "kwargs": {"minval": -2.5}}
        bounds = {"minval": -1.0, "maxval": 3.0}
        yield {"call": "uniform", "args": [[9], dtype(name)], "kwargs": bounds}
    lows = {"minval": array([0, 10, 20], "float32"), "maxval": array([1, 20, 40], "float32")}
    yield {"call": "uniform", "args": [[4, 3]], "kwargs": lows}
    yield {"call": "uniform", "args": []}
    yield {"call": "uniform", "args": [[5]], "map": 3}
    yield {"call": "uniform", "args": [[3], dtype("int32")]}


def normal_calls(floats):
    for shape, name in itertools.product(SHAPES, [*floats, "complex64"]):
        yield {"call": "normal", "args": [shape, dtype(name)]}
    yield {"call": "normal", "args": []}
    yield {"call": "normal", "args": [[5]], "map": 3}


def randint_calls(integers):
    for name in integers:
        info = np.iinfo(name)
        for low, high in ((0, 10), (3, 4), (5, 5), (int(info.min), int(info.max)), (-200, 300)):
            yield {"call": "randint", "args": [[7], low, high, dtype(name)]}
    for shape in SHAPES:
        yield {"call": "randint", "args": [shape, -5, 1000]}
    bounds = [array([0, 10, 100], "int32"), array([10, 100, 1000], "int32")]
    yield {"call": "randint", "args": [[4, 3], *bounds]}
    yield {"call": "randint", "args": [[], 0, 2**31 - 1]}
    yield {"call": "randint", "args": [[5], 0, 100], "map": 3}
    yield {"call": "randint", "args": [[5], 0, 2**40]}
    yield {"call": "randint", "args": [[5], 0, 4, dtype("float32")]}


def permutation_calls():
    table = array(np.arange(15).reshape(5, 3), "int32")
    for n in (0, 1, 2, 5, 10, 33, array(6, "int32")):
        yield {"call": "permutation", "args": [n]}
    for axis, independent in itertools.product((0, 1, -1), (False, True)):
        kwargs = {"axis": axis, "independent": independent}
        yield {"call": "permutation", "args": [table], "kwargs": kwargs}
    yield {"call": "permutation", "args": [array([1.5, 2.5, -3.5, 4.0], "float32")]}
    yield {"call": "permutation", "args": [7], "map": 3}


def choice_calls():
    weights = array([0.1, 0.0, 0.2, 0.3, 0.15, 0.25], "float32")
    values = array([5, 6, 7, 8, 9, 10], "int32")
    table = array(np.arange(24).reshape(4, 6), "int32")
    yield {"call": "choice", "args": [6]}
    for shape, replace, p in itertools.product(
        [[], [4], [2, 3], [0]], [True, False], [None, weights]
    ):
        for a in (6, values):
            yield {"call": "choice", "args": [a, shape, replace, p]}
    for axis, replace in itertools.product((0, 1), (True, False)):
        yield {"call": "choice", "args": [table, [3], replace], "kwargs": {"axis": axis}}


def discrete_calls():
    probabilities = array([0.0, 0.2, 0.5, 0.9, 1.0], "float32")
    logits = array([[0.0, 1.0, -1.0, 2.0], [3.0, -3.0, 0.5, 0.5]], "float32")
    yield {"call": "bernoulli", "args": []}
    for p, shape in itertools.product([0.5, 0.1, probabilities], [None, [4, 5], [0, 5]]):
        yield {"call": "bernoulli", "args": [p, shape]}
    yield {"call": "bernoulli", "args": [0.3, [5]], "kwargs": {"mode": "high"}}
    yield {"call": "bernoulli", "args": [1]}
    yield {"call": "bernoulli", "args": [0.3, [5]], "map": 3}
    for axis in (-1, 0, 1):
        yield {"call": "categorical", "args": [logits], "kwargs": {"axis": axis}}
    for shape, replace in itertools.product([[2], [3, 2], [0, 2]], [True, False]):
        kwargs = {"shape": shape, "replace": replace}
        yield {"call": "categorical", "args": [logits], "kwargs": kwargs}
    yield {"call": "categorical", "args": [logits], "kwargs": {"mode": "high"}}
    yield {"call": "categorical", "args": [logits], "map": 3}
    for shape, name in itertools.product([[], [9], [2, 3]], ["int32", "int8", "float32"]):
        yield {"call": "rademacher", "args": [shape, dtype(name)]}
    yield {"call": "poisson", "args": [array([0.0, 0.5, 4.0, 20.0, 90.0], "float32"), [3, 5]]}
    yield {"call": "geometric", "args": [array([0.1, 0.5, 0.9], "float32"), [3, 3]]}
    yield {"call": "binomial", "args": [10.0, 0.3, [6]]}


def continuous_calls(floats):
    plain = ["exponential", "gumbel", "laplace", "logistic", "cauchy", "maxwell", "rayleigh"]
    for call, shape, name in itertools.product(plain, [[], [7], [2, 3], [0]], floats):
        args = [1.5, shape] if call == "rayleigh" else [shape]
        yield {"call": call, "args": [*args, dtype(name)]}
    for name, bounds in itertools.product(floats, [(-2.0, 2.0), (0.5, 3.0), (-1.0, 0.0)]):
        for shape in ([], [7], [0]):
            yield {"call": "truncated_normal", "args": [*bounds, shape, dtype(name)]}
    for name, shape in itertools.product(floats, [[], [5]]):
        yield {"call": "lognormal", "args": [0.7, shape, dtype(name)]}
        yield {"call": "pareto", "args": [2.0, shape, dtype(name)]}
        yield {"call": "weibull_min", "args": [1.5, 0.8, shape, dtype(name)]}
        yield {"call": "triangular", "args": [-1.0, 0.5, 2.0, shape, dtype(name)]}
        yield {"call": "wald", "args": [1.2, shape, dtype(name)]}
        yield {"call": "double_sided_maxwell", "args": [0.5, 2.0, shape, dtype(name)]}
    yield {"call": "gumbel", "args": [[7]], "kwargs": {"mode": "high"}}
    yield {"call": "ball", "args": [3], "kwargs": {"shape": [4]}}
    yield {"call": "orthogonal", "args": [3]}
    for name in ("float32",):
        yield {"call": "gamma", "args": [array([0.3, 1.0, 5.0], name), [4, 3]]}
        yield {"call": "loggamma", "args": [array([0.3, 1.0, 5.0], name), [4, 3]]}
        yield {"call": "beta", "args": [0.7, 2.0, [5]]}
        yield {"call": "dirichlet", "args": [array([0.5, 1.0, 2.0], name), [3]]}
        yield {"call": "chisquare", "args": [3.0, [5]]}
        yield {"call": "f", "args": [3.0, 4.0, [5]]}
        yield {"call": "t", "args": [3.0, [5]]}
        yield {"call": "generalized_normal", "args": [1.5, [5]]}
        mean, covariance = array([1, 2], name), array([[2, 0.5], [0.5, 1]], name)
        yield {"call": "multivariate_normal", "args": [mean, covariance, [4]]}


def sampling_calls(x64):
    """Every call that draws values, still without its key."""
    floats = ["float64", "float32"] if x64 else FLOATS
    integers = ["int64", "uint64", "int32", "int8"] if x64 else INTEGERS
    yield from bits_calls()
    yield from uniform_calls(floats)
    yield from normal_calls(floats)
    yield from randint_calls(integers)
    yield from permutation_calls()
    yield from choice_calls()
    yield from discrete_calls()
    yield from continuous_calls(floats)


def shaped_calls(floats):
    """Distributions by shape parameters, in every dtype of `floats`, one call each and a few more.

    Parameters are small, moderate and large, so that each branch of a rejection is taken.
    """
    for name in floats:
        shapes = array([0.2, 1.0, 30.0], name)
        kind = dtype(name)
        for call in ("gamma", "loggamma", "chisquare", "t"):
            yield {"call": call, "args": [shapes, [4, 3], kind]}
            yield {"call": call, "args": [2.5, [], kind]}
        yield {"call": "beta", "args": [shapes, array([3.0, 0.4, 5.0], name), [4, 3], kind]}
        yield {"call": "f", "args": [shapes, array([3.0, 4.0, 5.0], name), [4, 3], kind]}
        yield {"call": "dirichlet", "args": [shapes, [2, 2], kind]}
        yield {"call": "dirichlet", "args": [array([0.01, 0.02], name), [3], kind]}
        for p in (0.7, 1.0, 2.0, 5.0):
            yield {"call": "generalized_normal", "args": [p, [5], kind]}
        for d, p in ((1, 2), (3, 1), (2, 4.0)):
            yield {"call": "ball", "args": [d, p, [3], kind]}
        most = 20.0 if name == "float64" else 2.0  # a difference, of which digits remain
        yield {"call": "wald", "args": [array([0.1, 1.0, most], name), [3, 3], kind]}
        yield {"call": "rayleigh", "args": [array([0.1, 2.0], name), [3, 2], kind]}
        yield {"call": "pareto", "args": [array([0.5, 3.0], name), [3, 2], kind]}
        yield {"call": "lognormal", "args": [array([0.1, 1.0], name), [3, 2], kind]}
        yield {"call": "weibull_min", "args": [array([1.0, 2.0], name), 3.0, [3, 2], kind]}
        bounds = [array([-1.0, 0.0], name), array([0.5, 0.0], name), array([1.0, 2.0], name)]
        yield {"call": "triangular", "args": [*bounds, [3, 2], kind]}
        ends = [array([-2.0, 1.0], name), array([2.0, 1.5], name)]
        yield {"call": "truncated_normal", "args": [*ends, [3, 2], kind]}
        means = [array([0.0, 1.0], name), array([1.0, 3.0], name)]
        yield {"call": "double_sided_maxwell", "args": [*means, [3, 2], kind]}
        mean, covariance = array([1, 2], name), array([[2, 0.5], [0.5, 1]], name)
        if name in ("float32", "float64"):
            yield {"call": "multivariate_normal", "args": [mean, covariance, None, kind]}
            yield {"call": "multivariate_normal", "args": [mean, covariance, [2, 3], kind]}
            for n, m in ((1, None), (4, None), (3, 2), (2, 3)):
                yield {"call": "orthogonal", "args": [n, [2], kind, m]}
    for call, args in (
        ("gamma", [0.7, [3]]), ("beta", [0.5, 0.5, [3]]), ("dirichlet", [shapes, []]),
        ("exponential", [[3]]), ("gumbel", [[3]]), ("truncated_normal", [-1.0, 1.0, [3]]),
    ):  # fmt: skip
        yield {"call": call, "args": args, "map": 3}


def counting_calls(integers):
    """Distributions of whole numbers, in every dtype of `integers`."""
    for name in integers:
        kind = dtype(name)
        yield {"call": "poisson", "args": [array([0.0, 0.3, 9.9, 10.1, 60.0], "float32"),
                                           [3, 5], kind]}  # fmt: skip
        yield {"call": "geometric", "args": [array([0.2, 0.9, 1.0], "float32"), [3, 3], kind]}
        yield {"call": "rademacher", "args": [[5], kind]}
        yield {"call": "randint", "args": [[3, 2], array([0, 5], name), array([5, 100], name),
                                           kind]}  # fmt: skip
        yield {"call": "permutation", "args": [array([1, 2, 3, 4], name)]}
        yield {"call": "choice", "args": [array([1, 2, 3, 4], name), [3], False]}
    yield {"call": "poisson", "args": [1e4, [4]]}
    yield {"call": "poisson", "args": [3.0]}
    yield {"call": "poisson", "args": [3.0, [4]], "map": 3}
    yield {"call": "geometric", "args": [0.01, [5]]}
    yield {"call": "geometric", "args": [0.5, [4]], "map": 3}


def trial_calls(floats):
    """Counts of successes, whose results are floats, and what is chosen by probabilities."""
    for name in floats:
        counts, chances = array([1, 9, 40, 1000], name), array([0.5, 0.02, 0.9, 0.4], name)
        yield {"call": "binomial", "args": [counts, chances, [3, 4], dtype(name)]}
        kwargs = {"shape": [3, 4], "dtype": dtype(name)}
        weights = array([0.1, 0.2, 0.3, 0.4], name)
        yield {"call": "multinomial", "args": [20.0, weights], "kwargs": kwargs}
        logits = array([[0.0, 1.0, -1.0], [3.0, -3.0, 0.5]], name)
        yield {"call": "categorical", "args": [logits]}
        yield {"call": "bernoulli", "args": [weights, [2, 4]]}
        yield {"call": "choice", "args": [4, [3], True, weights]}
        yield {"call": "choice", "args": [4, [3], False, weights]}
        yield {"call": "permutation", "args": [array([[1, 2], [3, 4]], name), 1, True]}
    for n, p in ((0.0, 0.5), (5.0, 0.0), (5.0, 1.0), (1e5, 0.3), (30.0, 0.7)):
        yield {"call": "binomial", "args": [n, p, [4]]}
    yield {"call": "binomial", "args": [12.0, 0.4, [3]], "map": 3}
    for mode in ("low", "high"):
        yield {"call": "bernoulli", "args": [0.3, [4]], "kwargs": {"mode": mode}}
        yield {"call": "categorical", "args": [logits], "kwargs": {"mode": mode}}
        yield {"call": "gumbel", "args": [[4]], "kwargs": {"mode": mode}}


def complex_calls(x64):
    for name in ("complex64", "complex128") if x64 else ("complex64",):
        for shape in ([], [4]):
            yield {"call": "normal", "args": [shape, dtype(name)]}
        yield {"call": "permutation", "args": [array([1j, 2, 3], name)]}


def every_distribution():
    """One small call of each distribution, for generators other than the default one.

    But for `poisson`, which JAX has for the default one alone.
    """
    yield from (
        {"call": call, "args": args}
        for call, args in (
            ("ball", [2, 2, [2]]), ("bernoulli", [0.3, [5]]), ("beta", [0.5, 2.0, [3]]),
            ("binomial", [9.0, 0.4, [3]]), ("categorical", [array([0.0, 1.0, 2.0], "float32")]),
            ("cauchy", [[3]]), ("chisquare", [3.0, [3]]), ("choice", [9, [4], False]),
            ("dirichlet", [array([1.0, 2.0], "float32"), [2]]),
            ("double_sided_maxwell", [0.5, 2.0, [3]]), ("exponential", [[3]]),
            ("f", [3.0, 4.0, [3]]), ("gamma", [0.7, [3]]), ("generalized_normal", [1.5, [3]]),
            ("geometric", [0.3, [3]]), ("gumbel", [[3]]), ("laplace", [[3]]),
            ("loggamma", [0.7, [3]]), ("logistic", [[3]]), ("lognormal", [0.5, [3]]),
            ("maxwell", [[3]]),
            ("multivariate_normal",
             [array([0, 1], "float32"), array([[2, 0.5], [0.5, 1]], "float32")]),
            ("normal", [[3], dtype("float16")]), ("normal", [[3], dtype("complex64")]),
            ("orthogonal", [2]), ("pareto", [2.0, [3]]),
            ("rademacher", [[4]]), ("randint", [[4], -3, 99, dtype("int8")]),
            ("rayleigh", [1.5, [3]]), ("t", [3.0, [3]]), ("triangular", [0.0, 0.5, 1.0, [3]]),
            ("truncated_normal", [-1.0, 1.0, [3]]), ("uniform", [[3], dtype("bfloat16")]),
            ("wald", [1.2, [3]]), ("weibull_min", [1.5, 0.8, [3]]),
        )
    )  # fmt: skip


def further_calls(x64):
    """Calls with their keys, recorded after all others so that those keep their seeds."""
    floats = ["float64", "float32"] if x64 else FLOATS
    integers = ["int64", "uint32", "int16"] if x64 else INTEGERS
    seeds = itertools.cycle([3, -11, 2**33 + 1])
    for call in (
        *shaped_calls(floats), *counting_calls(integers), *trial_calls(floats),
        *complex_calls(x64),
    ):  # fmt: skip
        yield {"key": {"make": "key", "seed": next(seeds)}} | call
    if not x64:
        for impl in ("rbg", "unsafe_rbg"):
            for call in every_distribution():
                yield {"key": {"make": "key", "seed": next(seeds), "impl": impl}} | call


# --- Recording -------------------------------------------------------------------------


def perform(call):
    """The result, or the error, of one call."""
    args = [decode(a) for a in call["args"]]
    kwargs = {name: decode(v) for name, v in call.get("kwargs", {}).items()}
    function = getattr(jax.random, call["call"])
    try:
        if "key" not in call:
            return {"result": encode(function(*args, **kwargs))}
        impl = call["key"].get("impl")
        key = getattr(jax.random, call["key"]["make"])(call["key"]["seed"], impl=impl)
        if "map" in call:
            keys = jax.random.split(key, call["map"])
            return {"result": encode(jax.vmap(lambda k: function(k, *args, **kwargs))(keys))}
        return {"result": encode(function(key, *args, **kwargs))}
    except (TypeError, ValueError, OverflowError) as error:
        return {"error": type(error).__name__}


def records():
    seeds = itertools.cycle([0, 42, -7, 2**31 + 5])
    for x64 in (False, True):
        with jax.enable_x64(x64):
            for call in key_calls():
                yield {"x64": x64} | call | perform(call)
            for call in calls_on_other_generators():
                yield {"x64": x64} | call | perform(call)
            for call in sampling_calls(x64):
                call = {"key": {"make": "key", "seed": next(seeds)}} | call
                yield {"x64": x64} | call | perform(call)
    for x64 in (False, True):
        with jax.enable_x64(x64):
            for call in further_calls(x64):
                outcome = perform(call)
                if "result" in outcome:  # these are all valid: what JAX can't do tells nothing
                    yield {"x64": x64} | call | outcome


def main():
    lines = [json.dumps(record, separators=(",", ":")) for record in records()]
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    head = f'{{"jax":"{jax.__version__}","records":[\n'
    OUTPUT.write_text(head + ",\n".join(lines) + "\n]}\n")
    print(f"{len(lines)} records, {OUTPUT.stat().st_size:,} bytes: {OUTPUT}", file=sys.stderr)


if __name__ == "__main__":
    main()
