"""Kernel density estimates with Gaussian kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jx_core import compiled, lax
from jx_core.tree.registration import register_pytree_node_class

from ...functions import plain
from ...linalg import inv
from ...manipulation import atleast_1d, atleast_2d, moveaxis
from ...operands import (
    Array,
    ArrayLike,
    as_operand,
    is_complex,
    promote_dtypes_inexact,
    typeof,
)
from ...random import choice, multivariate_normal, split
from ...statistics import cov
from ..special import logsumexp
from .multivariate_normal import log_density_of

__all__ = ["gaussian_kde"]

_logsumexp = plain(logsumexp)
Bandwidth = str | ArrayLike | Callable[["gaussian_kde"], ArrayLike] | None


def _real_table(name: str, x: ArrayLike) -> Array:
    """An array of two axes.

    Raises:
        NotImplementedError: it is complex.
        TypeError: it is no array.
    """
    x = as_operand(name, x)
    if is_complex(typeof(x).dtype):
        raise NotImplementedError(f"{name} takes real numbers, got {typeof(x).dtype.name}")
    return plain(atleast_2d)(x)


@register_pytree_node_class
class gaussian_kde:
    """A density estimated from samples: a mean of normal densities around each of them.

    Args:
        dataset: n samples, of shape (d, n), or (n,) of numbers.
        bw_method: the factor by which the kernels are narrower than the samples: `scott` (also
            None) for neff^(-1 / (d + 4)), `silverman` for (neff (d + 2) / 4)^(-1 / (d + 4)), a
            number, or a function of the estimate that gives it.
        weights: of the samples, of shape (n,); all the same if None.

    Attributes:
        dataset: the samples, of shape (d, n).
        weights: those of the samples, of sum 1.
        neff: the effective number of samples, 1 / sum(weights^2).
        covariance: that of the kernels, of shape (d, d).
        inv_cov: its inverse.

    Instances are pytrees, and can't be changed. See D. W. Scott, "Multivariate density
    estimation" (1992).

    Raises:
        NotImplementedError: the samples are complex.
        TypeError: `dataset` or `weights` is no array.
        ValueError: there are less than two numbers, the weights don't match them, or
            `bw_method` is none of those above.

    >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
    >>> kde.pdf(jnp.array([0.0, 1.0]))
    Array([0.21489537, 0.18421534], dtype=float32)
    """

    dataset: Array
    weights: Array
    covariance: Array
    inv_cov: Array
    neff: Array

    def __init__(
        self, dataset: ArrayLike, bw_method: Bandwidth = None, weights: ArrayLike | None = None
    ) -> None:
        dataset = _real_table("gaussian_kde", dataset)
        d, n = typeof(dataset).shape
        if typeof(dataset).size < 2:
            raise ValueError(
                f"gaussian_kde: dataset must have several elements, got shape {(d, n)}"
            )
        if weights is None:
            (dataset,) = promote_dtypes_inexact("gaussian_kde", dataset)
            weights = lax.full((n,), 1.0 / n, typeof(dataset).dtype)
        else:
            dataset, weights = promote_dtypes_inexact("gaussian_kde", dataset, weights)
            weights = plain(atleast_1d)(weights)
            if typeof(weights).shape != (n,):
                raise ValueError(
                    f"gaussian_kde: weights must have shape {(n,)}, as many as there are samples "
                    f"in dataset of shape {(d, n)}; got shape {typeof(weights).shape}"
                )
            weights = weights / lax.reduce_sum(weights, (0,))
        self._set(dataset=dataset, weights=weights)
        self._set(neff=1 / lax.reduce_sum(lax.square(weights), (0,)))
        variances = plain(atleast_2d)(
            plain(cov)(dataset, rowvar=True, bias=False, aweights=weights)
        )
        factor = self._factor(bw_method)
        self._set(covariance=variances * factor**2, inv_cov=plain(inv)(variances) / factor**2)

    def _set(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"gaussian_kde objects can't be changed, so {name!r} can't be set; make a new one"
        )

    def _factor(self, bw_method: Bandwidth) -> Any:
        if bw_method is None or (isinstance(bw_method, str) and bw_method == "scott"):
            return self.neff ** (-1.0 / (self.d + 4))
        if isinstance(bw_method, str) and bw_method == "silverman":
            return (self.neff * (self.d + 2) / 4.0) ** (-1.0 / (self.d + 4))
        if not isinstance(bw_method, str):
            if callable(bw_method):
                return bw_method(self)
            if not getattr(bw_method, "shape", ()) and not isinstance(bw_method, (list, tuple)):
                return bw_method
        raise ValueError(
            f"gaussian_kde: bw_method must be 'scott', 'silverman', a number or a function, got "
            f"{bw_method!r:.200}"
        )

    def tree_flatten(self) -> tuple[tuple[Array, ...], None]:
        """The arrays of which the estimate consists.

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> len(jx.tree.leaves(kde))
        5
        """
        return (self.dataset, self.weights, self.covariance, self.inv_cov, self.neff), None

    @classmethod
    def tree_unflatten(cls, _: None, children: Any) -> gaussian_kde:
        """The estimate of these arrays.

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> leaves, structure = jx.tree.flatten(kde)
        >>> jx.tree.unflatten(structure, leaves).n
        3
        """
        kde = object.__new__(cls)
        names = ("dataset", "weights", "covariance", "inv_cov", "neff")
        kde._set(**dict(zip(names, children, strict=True)))
        return kde

    def __repr__(self) -> str:
        return f"gaussian_kde(d={self.d}, n={self.n})"

    @property
    def d(self) -> int:
        """The dimension of the samples.

        >>> jx.scipy.stats.gaussian_kde(jnp.ones((2, 5)) * jnp.arange(5)).d
        2
        """
        return int(self.dataset.shape[0])

    @property
    def n(self) -> int:
        """The number of samples.

        >>> jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0])).n
        3
        """
        return int(self.dataset.shape[1])

    def evaluate(self, points: ArrayLike) -> Array:
        """The density at points.

        Args:
            points: of shape (d, m), or (m,) where d is 1, or (d,) for one point.

        Returns:
            An array of shape (m,).

        Raises:
            NotImplementedError: the points are complex.
            TypeError: they are no array.
            ValueError: they are not of d dimensions.

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> kde.evaluate(jnp.array([0.0]))
        Array([0.21489537], dtype=float32)
        """
        return _density(self, self._points("evaluate", points))

    def __call__(self, points: ArrayLike) -> Array:
        return self.evaluate(points)

    def pdf(self, x: ArrayLike) -> Array:
        """The density at points: `evaluate`.

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> kde.pdf(jnp.array([0.0]))
        Array([0.21489537], dtype=float32)
        """
        return self.evaluate(x)

    def logpdf(self, x: ArrayLike) -> Array:
        """The logarithm of the density at points, also where that underflows.

        Arguments, result and errors as for `evaluate`.

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> kde.logpdf(jnp.array([0.0, 100.0]))
        Array([-1.5376041e+00, -3.1959189e+03], dtype=float32)
        """
        return _log_density(self, self._points("logpdf", x))

    def integrate_gaussian(self, mean: ArrayLike, cov: ArrayLike) -> Array:
        """The integral of the estimated density times a normal one.

        Args:
            mean: of shape (d,), or a number where d is 1.
            cov: of shape (d, d), or a number where d is 1.

        Raises:
            ValueError: the shapes are others.

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> kde.integrate_gaussian(0.0, 1.0)
        Array(0.19068018, dtype=float32)
        """
        mean = lax.reshape(plain(atleast_1d)(mean), (typeof(mean).size,))
        cov = plain(atleast_2d)(cov)
        for name, x, shape in (("mean", mean, (self.d,)), ("cov", cov, (self.d, self.d))):
            if typeof(x).shape != shape:
                raise ValueError(
                    f"gaussian_kde.integrate_gaussian: {name} must have shape {shape} for samples "
                    f"of dimension {self.d}, got {typeof(x).shape}"
                )
        return _overlap(self, mean, cov)

    def integrate_box_1d(self, low: ArrayLike, high: ArrayLike) -> Array:
        """The probability between two numbers.

        Args:
            low, high: the limits, numbers.

        Raises:
            ValueError: the samples are no numbers, or the limits are arrays.

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> kde.integrate_box_1d(-jnp.inf, 0.0)
        Array(0.44801795, dtype=float32)
        """
        if self.d != 1:
            raise ValueError(
                f"gaussian_kde.integrate_box_1d is for samples that are numbers, got dimension "
                f"{self.d}"
            )
        if typeof(low).ndim or typeof(high).ndim:
            raise ValueError(
                f"gaussian_kde.integrate_box_1d: the limits must be numbers, got shapes "
                f"{typeof(low).shape} and {typeof(high).shape}; use jx.vmap for several"
            )
        return _box(self, low, high)

    def integrate_box(
        self, low_bounds: ArrayLike, high_bounds: ArrayLike, maxpts: int | None = None
    ) -> Array:
        """The probability in a box, of samples that are numbers: `integrate_box_1d`.

        Raises:
            NotImplementedError: the samples have several dimensions.

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> kde.integrate_box(-jnp.inf, jnp.inf)
        Array(1., dtype=float32)
        """
        del maxpts
        if self.d != 1:
            raise NotImplementedError(
                f"gaussian_kde.integrate_box is for samples of dimension 1, got {self.d}; "
                f"estimate it as the share of samples from resample() in the box"
            )
        return self.integrate_box_1d(low_bounds, high_bounds)

    def integrate_kde(self, other: gaussian_kde) -> Array:
        """The integral of the product of two estimated densities.

        Args:
            other: an estimate of samples of the same dimension.

        Raises:
            ValueError: the dimensions differ.

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> kde.integrate_kde(kde)
        Array(0.15771429, dtype=float32)
        """
        if other.d != self.d:
            raise ValueError(
                f"gaussian_kde.integrate_kde: the samples must have one dimension, got {self.d} "
                f"and {other.d}"
            )
        return _overlap_of_two(self, other)

    def resample(self, key: Array, shape: tuple[int, ...] = ()) -> Array:
        """Samples of the estimated density.

        Args:
            key: a key.
            shape: how many, of any number of axes.

        Returns:
            An array of shape (d, *shape).

        >>> kde = jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0]))
        >>> kde.resample(jx.random.key(0), (5,)).shape
        (1, 5)
        """
        chosen_key, noise_key = split(key)
        chosen = choice(chosen_key, self.n, shape=shape, p=self.weights)
        dtype = typeof(self.dataset).dtype
        mean = lax.full((self.d,), 0.0, dtype)
        noise = multivariate_normal(noise_key, mean, self.covariance, shape=shape, dtype=dtype)
        return plain(moveaxis)(noise, -1, 0) + self.dataset[:, chosen]

    def set_bandwidth(self, bw_method: Bandwidth = None) -> None:
        """Refused, as estimates can't be changed.

        Raises:
            NotImplementedError: always. A new estimate with another `bw_method` is the way.

        >>> jx.scipy.stats.gaussian_kde(jnp.array([-1.0, 0.0, 2.0])).set_bandwidth(0.5)
        Traceback (most recent call last):
        ...
        NotImplementedError: gaussian_kde objects can't be changed; make a new one, ...
        """
        raise NotImplementedError(
            f"gaussian_kde objects can't be changed; make a new one, as in "
            f"gaussian_kde(dataset, bw_method={bw_method!r})"
        )

    def _points(self, name: str, points: ArrayLike) -> Array:
        points = _real_table(f"gaussian_kde.{name}", points)
        d, m = typeof(points).shape
        if d != self.d:
            if d != 1 or m != self.d:
                raise ValueError(
                    f"gaussian_kde.{name}: points must have dimension {self.d} along their first "
                    f"axis, as the samples do; got shape {(d, m)}"
                )
            points = lax.reshape(points, (self.d, 1))
        return points


def _log_kernels(points: Array, centers: Array, cov: Array) -> Array:
    """The logarithms of the normal densities around each center, of shape (points, centers)."""
    points, centers, cov = promote_dtypes_inexact("gaussian_kde", points, centers, cov)
    apart = lax.transpose(points, (1, 0))[:, None, :] - lax.transpose(centers, (1, 0))[None]
    return log_density_of(apart, cov)


@compiled
def _density(kde: gaussian_kde, points: Array) -> Array:
    kernels = lax.exp(_log_kernels(points, kde.dataset, kde.covariance))
    return lax.reduce_sum(kernels * kde.weights, (1,))


@compiled
def _log_density(kde: gaussian_kde, points: Array) -> Array:
    kernels = _log_kernels(points, kde.dataset, kde.covariance)
    return _logsumexp(kernels + lax.log(kde.weights), axis=1)


@compiled
def _overlap(kde: gaussian_kde, mean: Array, cov: Array) -> Array:
    kernels = lax.exp(_log_kernels(mean[:, None], kde.dataset, kde.covariance + cov))
    return lax.reduce_sum(kernels[0] * kde.weights, (0,))


@compiled
def _overlap_of_two(kde: gaussian_kde, other: gaussian_kde) -> Array:
    both = kde.covariance + other.covariance
    kernels = lax.exp(_log_kernels(kde.dataset, other.dataset, both))
    return lax.reduce_sum(kernels * kde.weights[:, None] * other.weights, (0, 1))


@compiled
def _box(kde: gaussian_kde, low: ArrayLike, high: ArrayLike) -> Array:
    width = lax.sqrt(kde.covariance[0, 0])
    a, b = (low - kde.dataset[0]) / width, (high - kde.dataset[0]) / width
    share = lax.normal_cdf_p.bind(b) - lax.normal_cdf_p.bind(a)
    return lax.reduce_sum(share * kde.weights, (0,))
