"""Programs that run with symbolic shapes: each with the shapes it is lowered for.

`test_symbolic_shapes` lowers every one of them once and runs it at several sizes. A new kind
of program goes here.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import jx
import jx.numpy as jnp
from jx import lax, nn

F, INT = np.float32, np.int32

SIZES = ({"b": 2, "n": 3}, {"b": 1, "n": 4}, {"b": 5, "n": 8})


class Program(NamedTuple):
    """A function of arrays whose shapes are given as text.

    Attributes:
        function: the function.
        shapes: the arguments' shapes.
        constraints: on their dimensions.
        dtypes: the arguments' dtypes; integers are drawn below every size.
        tolerance: relative and absolute, against the program traced for known shapes.
    """

    function: Callable[..., Any]
    shapes: tuple[str, ...]
    constraints: Sequence[str]
    dtypes: Sequence[Any]
    tolerance: float


PROGRAMS: dict[str, Program] = {}


def program(
    name: str,
    function: Callable[..., Any],
    *shapes: str,
    constraints: Sequence[str] = (),
    dtypes: Sequence[Any] | None = None,
    tol: float = 1e-5,
) -> None:
    assert name not in PROGRAMS
    PROGRAMS[name] = Program(function, shapes, constraints, dtypes or [F] * len(shapes), tol)


# --- Networks and their gradients ---


def mlp(x, w1, b1, w2):
    return jnp.tanh(x @ w1 + b1) @ w2


program("mlp", mlp, "b, 4", "4, 8", "8", "8, 3")
program("mlp_n", mlp, "b, n", "n, 2*n", "2*n", "2*n, 3")


def loss(w1, b1, w2, x, y):
    return jnp.mean((mlp(x, w1, b1, w2) - y) ** 2)


program("loss", loss, "4, 8", "8", "8, 3", "b, 4", "b, 3")
program("grad_loss", jx.grad(loss, argnums=(0, 1, 2)), "4, 8", "8", "8, 3", "b, 4", "b, 3")
program("value_and_grad", jx.value_and_grad(loss), "4, 8", "8", "8, 3", "b, 4", "b, 3")


def attn(q, k, v):
    s = jnp.einsum("bqhd,bkhd->bhqk", q, k) / jnp.sqrt(q.shape[-1])
    mask = jnp.tril(jnp.ones((q.shape[1], k.shape[1]), bool))
    s = jnp.where(mask, s, -1e9)
    return jnp.einsum("bhqk,bkhd->bqhd", nn.softmax(s, axis=-1), v)


program("attention", attn, "b, n, 2, 4", "b, n, 2, 4", "b, n, 2, 4")
program(
    "attention_grad",
    jx.grad(lambda q, k, v: attn(q, k, v).sum(), (0, 1, 2)),
    "b, n, 2, 4",
    "b, n, 2, 4",
    "b, n, 2, 4",
)
program(
    "dpa",
    lambda q, k, v: nn.dot_product_attention(q, k, v),
    "b, n, 2, 4",
    "b, n, 2, 4",
    "b, n, 2, 4",
)
program(
    "dpa_causal",
    lambda q, k, v: nn.dot_product_attention(q, k, v, is_causal=True),
    "b, n, 2, 4",
    "b, n, 2, 4",
    "b, n, 2, 4",
)
program(
    "layer_norm",
    lambda x, g: (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5) * g,
    "b, n",
    "n",
)
program(
    "layer_norm_grad",
    jx.grad(
        lambda x, g: (
            (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5) * g
        ).sum()
    ),
    "b, n",
    "n",
)

# --- Normalisation ---

program("softmax", lambda x: nn.softmax(x, axis=-1), "b, n")
program("log_softmax", lambda x: nn.log_softmax(x, axis=0), "b, n")
program("logsumexp", lambda x: nn.logsumexp(x, axis=-1), "b, n")
program("standardize", lambda x: nn.standardize(x), "b, n")
program("one_hot", lambda x: nn.one_hot(x, 5), "b", dtypes=[INT])
program(
    "xent",
    lambda x, y: -jnp.mean(jnp.take_along_axis(nn.log_softmax(x), y[:, None], axis=1)),
    "b, 5",
    "b",
    dtypes=[F, INT],
)


def conv(x, k):
    return lax.conv_general_dilated(x, k, (1, 1), "SAME")


# --- Convolutions and windows ---

program("conv_batch", conv, "b, 3, 8, 8", "4, 3, 3, 3")
program(
    "conv_valid",
    lambda x, k: lax.conv_general_dilated(x, k, (1, 1), "VALID"),
    "b, 3, 8, 8",
    "4, 3, 3, 3",
)
program(
    "conv_spatial",
    lambda x, k: lax.conv_general_dilated(x, k, (1, 1), "SAME"),
    "b, 3, n + 4, n + 4",
    "4, 3, 3, 3",
)
program(
    "conv_stride",
    lambda x, k: lax.conv_general_dilated(x, k, (2, 2), "SAME"),
    "b, 3, n + 4, n + 4",
    "4, 3, 3, 3",
)
program(
    "conv_valid_sp",
    lambda x, k: lax.conv_general_dilated(x, k, (1, 1), "VALID"),
    "b, 3, n + 4, n + 4",
    "4, 3, 3, 3",
)
program(
    "conv_valid_stride",
    lambda x, k: lax.conv_general_dilated(x, k, (2, 2), "VALID"),
    "b, 3, n + 4, n + 4",
    "4, 3, 3, 3",
)
program(
    "conv_grad",
    jx.grad(lambda x, k: (conv(x, k) ** 2).sum(), (0, 1)),
    "b, 3, 8, 8",
    "4, 3, 3, 3",
    tol=1e-4,
)
program(
    "conv_grad_sp",
    jx.grad(lambda x, k: (conv(x, k) ** 2).sum(), (0, 1)),
    "b, 3, n + 4, n + 4",
    "4, 3, 3, 3",
    tol=1e-4,
)
program(
    "conv_transpose",
    lambda x, k: lax.conv_transpose(x, k, (2, 2), "SAME"),
    "b, 8, 8, 3",
    "3, 3, 3, 4",
)
program(
    "maxpool",
    lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2), (1, 2, 2), "VALID"),
    "b, 8, 8",
)
program(
    "maxpool_sp",
    lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2), (1, 2, 2), "VALID"),
    "b, 2*n, 2*n",
)
program(
    "maxpool_grad",
    jx.grad(
        lambda x: (
            lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2), (1, 2, 2), "VALID") ** 2
        ).sum()
    ),
    "b, 8, 8",
)
program(
    "avgpool",
    lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 2, 2), (1, 2, 2), "SAME") / 4,
    "b, 2*n, 2*n",
)

# --- Indexing ---

program("slice", lambda x: x[1:], "b + 1, n")
program("slice_end", lambda x: x[:-1], "b + 1, n")
program("slice2", lambda x: x[:2, ::2], "b + 1, n")
program("slice_rev", lambda x: x[::-1], "b, n")
program("slice_dim", lambda x: x[: x.shape[1] // 2], "2*n, n")
program("getitem0", lambda x: x[0], "b, n")
program("getitem_last", lambda x: x[-1], "b, n")
program("getitem_dyn", lambda x, i: x[i], "b, n", "", dtypes=[F, INT])
program("getitem_arr", lambda x, i: x[i], "n, 3", "b", dtypes=[F, INT])
program("getitem_arr2", lambda x, i: x[:, i], "b, n", "b", dtypes=[F, INT])
program("getitem_mask", lambda x: jnp.where(x > 0, x, 0.0)[None, :, ..., None], "b, n")
program("at_set", lambda x: x.at[0].set(1.0), "b, n")
program("at_add", lambda x, i: x.at[i].add(1.0), "b, n", "n", dtypes=[F, INT])
program("at_slice", lambda x: x.at[1:].set(2.0), "b + 1, n")
program("at_slice_mul", lambda x: x.at[:, ::2].mul(2.0), "b, n")
program(
    "at_get", lambda x, i: x.at[i].get(mode="fill", fill_value=-1.0), "b, n", "n", dtypes=[F, INT]
)
program("take", lambda x, i: jnp.take(x, i, axis=1), "b, n", "n", dtypes=[F, INT])
program("gather_grad", jx.grad(lambda x, i: (x[i] ** 2).sum()), "b, n", "n", dtypes=[F, INT])

# --- Sorting, prefixes, extremes ---

program("sort", lambda x: jnp.sort(x, axis=-1), "b, n")
program("argsort", lambda x: jnp.argsort(x, axis=0), "b, n")
program(
    "sort_grad", jx.grad(lambda x: (jnp.sort(x, axis=-1) * jnp.arange(x.shape[1])).sum()), "b, n"
)
program("cumsum", lambda x: jnp.cumsum(x, axis=1), "b, n")
program("cumsum0", lambda x: jnp.cumsum(x), "b, n")
program("cumprod", lambda x: jnp.cumprod(x, axis=0), "b, n")
program("cumsum_grad", jx.grad(lambda x: (jnp.cumsum(x, axis=1) ** 2).sum()), "b, n", tol=1e-4)
program("cummax", lambda x: lax.cummax(x, axis=1), "b, n")
program("argmax", lambda x: jnp.argmax(x, axis=1), "b, n")
program("argmin_flat", lambda x: jnp.argmin(x), "b, n")
program("max", lambda x: (jnp.max(x, axis=1), x.min()), "b, n")
program("max_grad", jx.grad(lambda x: jnp.max(x, axis=1).sum()), "b, n")

# --- Contractions ---

program("einsum", lambda x, y: jnp.einsum("bij,jk->bik", x, y), "b, n, 3", "3, n")
program("einsum2", lambda x, y, z: jnp.einsum("bi,ij,bj->b", x, y, z), "b, n", "n, 3", "b, 3")
program("matmul", lambda x, y: x @ y, "b, n, 4", "b, 4, n")
program("matmul_bcast", lambda x, y: x @ y, "b, n, 4", "4, n")
program("tensordot", lambda x, y: jnp.tensordot(x, y, 1), "b, n", "n, b")
program("outer", lambda x, y: jnp.outer(x, y), "b", "n")
program("dot_grad", jx.grad(lambda x, y: jnp.sin(x @ y).sum(), (0, 1)), "b, n", "n, b")

# --- Joining and padding ---

program("concat", lambda x, y: jnp.concatenate([x, y]), "b, n", "2, n")
program("concat2", lambda x: jnp.concatenate([x, x], axis=1), "b, n")
program("stack", lambda x, y: jnp.stack([x, y], axis=1), "b, n", "b, n")
program("vstack", lambda x, y: jnp.vstack([x, y]), "b, n", "1, n")
program("pad", lambda x: jnp.pad(x, ((1, 2), (0, 3))), "b, n")
program("pad_dim", lambda x: jnp.pad(x, ((0, x.shape[1]), (0, 0))), "b, n")
program("pad_edge", lambda x: jnp.pad(x, 1, mode="edge"), "b, n")
program("pad_lax", lambda x: lax.pad(x, 0.0, ((1, -1, 1), (0, 0, 2))), "b, n")
program("pad_grad", jx.grad(lambda x: (jnp.pad(x, ((1, 2), (0, 3))) ** 2).sum()), "b, n")

# --- Shapes ---

program("reshape_flat", lambda x: x.reshape(-1), "b, n")
program("reshape_prod", lambda x: x.reshape(x.shape[0] * x.shape[1], 2), "b, n, 2")
program("reshape_div", lambda x: x.reshape(x.shape[0] // 2, 2, -1), "2*b, n")
program("reshape_m1", lambda x: x.reshape(x.shape[0], -1), "b, n, 3")
program("reshape_heads", lambda x: x.reshape(*x.shape[:-1], 4, x.shape[-1] // 4), "b, 4*n")
program("ravel", lambda x: jnp.ravel(x), "b, n")
program("transpose", lambda x: x.T, "b, n")
program("swap", lambda x: jnp.moveaxis(x, 0, -1), "b, n, 3")
program("squeeze", lambda x: x[:, None].squeeze(1), "b, n")
program("broadcast", lambda x: jnp.broadcast_to(x, (4,) + x.shape), "b, n")
program("bcast_ops", lambda x, y: x + y, "b, n", "n")
program("bcast_ops2", lambda x, y: x[:, None] * y, "b", "n")
program("tile", lambda x: jnp.tile(x, (2, 3)), "b, n")
program("tile_dim", lambda x: jnp.tile(x, (x.shape[1], 1)), "b, n")
program("repeat", lambda x: jnp.repeat(x, 2, axis=0), "b, n")
program("split", lambda x: jnp.split(x, 2, axis=0), "2*b, n")
program("split_at", lambda x: jnp.split(x, [1], axis=0), "b + 1, n")

# --- Arrays out of sizes ---

program("arange", lambda x: jnp.arange(x.shape[0]) + x[:, 0], "b, n")
program("arange2", lambda x: jnp.arange(1, x.shape[0] + 1), "b, n")
program("arange_step", lambda x: jnp.arange(0, 2 * x.shape[0], 2), "b, n")
program("full", lambda x: jnp.full((x.shape[0], 2), 7.0), "b, n")
program(
    "zeros",
    lambda x: (jnp.zeros(x.shape), jnp.ones_like(x), jnp.zeros((x.shape[0],), jnp.int32)),
    "b, n",
)
program("eye", lambda x: jnp.eye(x.shape[0]), "b, n")
program("tri", lambda x: jnp.triu(x), "b, n")
program("linspace", lambda x: jnp.linspace(0, 1, x.shape[0] + 1), "b, n")
program("meshgrid", lambda x, y: jnp.meshgrid(x, y), "b", "n")

# --- Sizes as values ---

program("mean", lambda x: (x.mean(), x.mean(0), jnp.mean(x, axis=(0, 1))), "b, n")
program("var", lambda x: (x.var(0, ddof=0), jnp.std(x)), "b, n")
program("size", lambda x: jnp.sum(x) / x.size, "b, n")
program("shape_arith", lambda x: x / x.shape[0] + x.shape[1] * 2.0 - x.shape[0], "b, n")
program(
    "shape_arith2",
    lambda x: (x.shape[0] * x, 2 * x.shape[0] + x, x ** x.shape[1], x.shape[0] - x),
    "b, n",
)
program("asarray", lambda x: jnp.asarray(x.shape[0]), "b, n")
program("array_list", lambda x: jnp.array([x.shape[0], 2]), "b, n")
program("where", lambda x: jnp.where(jnp.arange(x.shape[1]) < x.shape[1] - 1, x, 0), "b, n")
program("clip", lambda x: jnp.clip(x, -1, 1), "b, n")

# --- Transformations ---

program("vmap", lambda x, w: jx.vmap(lambda r: jnp.tanh(r @ w).sum())(x), "b, n", "n, 3")
program("vmap_sum", lambda x: jx.vmap(jnp.sum)(x), "b, n")
program("vmap_of_grad", lambda x: jx.vmap(jx.grad(lambda r: (r**3).mean()))(x), "b, n")
program(
    "per_example_grad",
    lambda w, x, y: jx.vmap(jx.grad(lambda w, x, y: jnp.mean((x @ w - y) ** 2)), (None, 0, 0))(
        w, x, y
    ),
    "4, 3",
    "b, 4",
    "b, 3",
)
program("vmap_index", lambda x, i: jx.vmap(lambda r, j: r[j])(x, i), "b, n", "b", dtypes=[F, INT])
program(
    "vmap_dynslice",
    lambda x, i: jx.vmap(lambda r, j: lax.dynamic_slice(r, (j,), (2,)))(x, i),
    "b, n + 1",
    "b",
    dtypes=[F, INT],
)
program(
    "vmap_update",
    lambda x, i: jx.vmap(lambda r, j: r.at[j].set(0.0))(x, i),
    "b, n",
    "b",
    dtypes=[F, INT],
)
program("jacobian", lambda x: jx.jacrev(lambda r: jnp.sin(r))(x[0]), "b, n")
program("jacfwd", lambda x: jx.jacfwd(lambda r: jnp.sin(r))(x[0]), "b, n")
program("hessian", lambda x: jx.hessian(lambda r: (r**3).sum())(x[0]), "b, n")
program("jvp", lambda x: jx.jvp(lambda r: jnp.sin(r).mean(), (x,), (jnp.ones_like(x),)), "b, n")

# --- Control flow ---

program(
    "jit_inner",
    lambda x: jx.jit(lambda r: jnp.tanh(r) / r.shape[0])(x) + jx.jit(lambda r: jnp.cumsum(r, 1))(x),
    "b, n",
)
program(
    "scan_carry",
    lambda x: lax.scan(lambda c, r: (c + r, c.sum()), jnp.zeros(x.shape[1]), x),
    "b, n",
)
program(
    "scan_static",
    lambda x: lax.scan(lambda c, r: (jnp.tanh(c + r), None), x, jnp.arange(3.0)),
    "b, n",
)
program(
    "scan_grad",
    jx.grad(
        lambda x: lax.scan(lambda c, r: (jnp.tanh(c + r), c * r), jnp.zeros(x.shape[1]), x)[1].sum()
    ),
    "b, n",
)
program(
    "scan_len",
    lambda x: lax.scan(lambda c, _: (c * 0.5, c.mean()), x, None, length=x.shape[1]),
    "b, n",
)
program(
    "scan_rev",
    lambda x: lax.scan(lambda c, r: (c + r, c * 2), jnp.zeros(x.shape[1]), x, reverse=True),
    "b, n",
)
program("fori", lambda x: lax.fori_loop(0, 3, lambda i, c: c * 1.1 + i, x), "b, n")
program(
    "fori_dim",
    lambda x: lax.fori_loop(0, x.shape[0], lambda i, c: c + x[i], jnp.zeros(x.shape[1])),
    "b, n",
)
program(
    "while",
    lambda x: lax.while_loop(lambda c: c.sum() < 100.0, lambda c: c * 2 + 1, jnp.abs(x)),
    "b, n",
)
program(
    "cond", lambda x: lax.cond(x.sum() > 0, lambda r: r * 2, lambda r: r - r.shape[0], x), "b, n"
)
program("switch", lambda x: lax.switch(1, [jnp.sin, jnp.cos, jnp.tan], x), "b, n")
program("map", lambda x: lax.map(lambda r: r / r.sum(), x), "b, n")
program(
    "checkpoint", jx.grad(lambda x: jx.checkpoint(lambda r: jnp.sin(jnp.sin(r)))(x).mean()), "b, n"
)

# --- Blocks at computed places and the rest ---

program(
    "dynamic_slice",
    lambda x, i: lax.dynamic_slice(x, (i, 0), (1, x.shape[1])),
    "b, n",
    "",
    dtypes=[F, INT],
)
program(
    "dynamic_slice_in_dim",
    lambda x, i: lax.dynamic_slice_in_dim(x, i, 2, axis=1),
    "b, n + 1",
    "",
    dtypes=[F, INT],
)
program(
    "dynamic_update",
    lambda x, i: lax.dynamic_update_slice(x, jnp.zeros((1, x.shape[1])), (i, 0)),
    "b, n",
    "",
    dtypes=[F, INT],
)
program("roll", lambda x: jnp.roll(x, 1, axis=0), "b, n")
program("flip", lambda x: jnp.flip(x, 0), "b, n")
program("diff", lambda x: jnp.diff(x, axis=0), "b + 1, n")
program("norm", lambda x: jnp.linalg.norm(x, axis=-1), "b, n")
program("trace", lambda x: jnp.trace(x), "n, n")
program("diag", lambda x: jnp.diag(x), "n")
program("diagonal", lambda x: jnp.diagonal(x), "n, n")
program("any_all", lambda x: (jnp.any(x > 0), jnp.all(x > 0, axis=1), jnp.count_nonzero(x)), "b, n")
program("median", lambda x: jnp.median(x, axis=0), "5, n")
program("topk", lambda x: lax.top_k(x, 2), "b, n", constraints=["n >= 2"])
program("bincount", lambda i: jnp.bincount(i, length=4), "b", dtypes=[INT])
program("searchsorted", lambda x, y: jnp.searchsorted(jnp.sort(x), y), "n", "b")
program(
    "bf16",
    lambda x: (x.astype(jnp.bfloat16) @ x.T.astype(jnp.bfloat16)).astype(jnp.float32),
    "b, n",
    tol=1e-1,
)
program("cov", lambda x: jnp.cov(x), "b + 1, n + 1", tol=1e-4)
program(
    "dropout",
    lambda x: jnp.where(jx.random.bernoulli(jx.random.key(0), 0.5, x.shape), x, 0.0),
    "b, n",
)
program("normal", lambda x: jx.random.normal(jx.random.key(0), x.shape) + x, "b, n")
program(
    "uniform_split",
    lambda x: jx.random.uniform(jx.random.split(jx.random.key(1))[0], (x.shape[0], 3)),
    "b, n",
)
program(
    "cholesky",
    lambda x: lax.linalg.cholesky(x @ jnp.swapaxes(x, -1, -2) + 3 * jnp.eye(4)),
    "b, 4, 4",
    tol=1e-4,
)
program(
    "cholesky_n", lambda x: lax.linalg.cholesky(x @ x.T + 3 * jnp.eye(x.shape[0])), "n, n", tol=1e-4
)
program(
    "tri_solve",
    lambda a, y: lax.linalg.triangular_solve(
        jnp.tril(a) + 4 * jnp.eye(4), y, left_side=True, lower=True
    ),
    "b, 4, 4",
    "b, 4, 2",
    tol=1e-4,
)
program("qr", lambda a: lax.linalg.qr(a)[1], "b, 4, 4", tol=1e-3)
program("lu", lambda a: lax.linalg.lu(a)[0], "b, 4, 4", tol=1e-3)
program("eigh", lambda a: lax.linalg.eigh(a + jnp.swapaxes(a, 1, 2))[1], "b, 4, 4", tol=1e-3)
program("svd", lambda a: lax.linalg.svd(a)[1], "b, 4, 3", tol=1e-3)
program("relu_etc", lambda x: nn.relu(x) + nn.gelu(x) + nn.silu(x), "b, n")
program(
    "rot",
    lambda x: jnp.concatenate([-x[..., x.shape[-1] // 2 :], x[..., : x.shape[-1] // 2]], -1),
    "b, 2*n",
)
program("pos_emb", lambda x, e: x + e[: x.shape[1]], "b, n, 4", "16, 4", constraints=["n <= 16"])
program("embed", lambda t, i: t[i], "10, 4", "b, n", dtypes=[F, INT])
program("max_dim", lambda x, y: jnp.zeros((jx.core.max_dim(x.shape[0], y.shape[0]),)), "b", "n")
program("fft", lambda x: jnp.fft.rfft(x).real, "b, 8", tol=1e-4)
program("convolve", lambda x: jnp.convolve(x, jnp.ones(3), mode="same"), "n + 3")
program("interp", lambda x, y: jnp.interp(x, jnp.arange(5.0), jnp.arange(5.0) ** 2), "b", "n")
program(
    "nested_vmap_grad",
    lambda x: jx.grad(lambda z: jx.vmap(lambda r: jnp.tanh(r).sum())(z).mean())(x),
    "b, n",
)
program("complex", lambda x: jnp.abs(x * 1j + x), "b, n")
program("int_mean", lambda x: x.sum() // x.shape[0], "b, n", dtypes=[INT])
program("average", lambda x: jnp.average(x, axis=0), "b, n")
program("logical", lambda x: (x > 0) & (x < 1) | ~(x == 0), "b, n")
program("unstack_static", lambda x: jnp.unstack(x, axis=1)[0], "b, 3")
program("array_split", lambda x: jnp.hsplit(x, 3), "b, 3*n")
program("expand", lambda x: jnp.expand_dims(x, (0, 2)), "b, n")
program(
    "apply_mask",
    lambda x, n: jnp.where(jnp.arange(x.shape[1])[None, :] < n[:, None], x, -jnp.inf).max(1),
    "b, n",
    "b",
    dtypes=[F, INT],
)
program(
    "lstm",
    lambda x, w: lax.scan(
        lambda h, r: (lambda n: (n, n))(jnp.tanh(h @ w + r)),
        jnp.zeros((x.shape[0], w.shape[0])),
        jnp.swapaxes(x, 0, 1),
    )[1],
    "b, n, 4",
    "4, 4",
)
program("sum_axes", lambda x: (x.sum((0, 2)), x.prod(1), x.sum(keepdims=True)), "b, n, 2")
