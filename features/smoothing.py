"""Smooth a forest's demand: one smooth curve per product, the same wherever the model is asked.

A forest of price ratios is a step function of the price, and a price on the wrong side of a step costs revenue. So the
forest is asked on a grid of price ratios, and the logit of its answers is smoothed by local polynomial regression. Each
answer is weighted by the information that a decision at it carries, p (1 - p). The best kernel depends on the data: few
data need wide kernels and one curve for all products, demand with two peaks needs narrow ones, and products that differ
need curves of their own. So several kernels are mixed, by weights that training finds from the data. The weights travel
with the model, so that judging and pricing use the same curve.

Local polynomials: Fan and Gijbels, "Local Polynomial Modelling and Its Applications" (1996).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints, rows_of_each
from features.product_columns import input_of, one_of_each, position_of, tells_product

RATIO = "price_ratio"
_GRID = 20  # ratios at which the forest is asked
_NEARLY_SURE = 0.005  # a forest's 0 and 1 are taken for no more than this
_RIDGE = 1e-9
_VALUES_AT_ONCE = 4_000_000  # of a model's input


@dataclass(frozen=True)
class Kernel:
    """One local polynomial of a mixture.

    Attributes
    ----------
    degree, bandwidth
        Of the polynomial, and of its Gaussian kernel in price ratio.
    pooled
        Whether all products share one curve, the mean of theirs on the logit.
    weight
        Its share of the mixture, in [0, 1].
    """

    degree: int
    bandwidth: float
    pooled: bool = False
    weight: float = 1.0


@dataclass(frozen=True)
class Smoothing:
    """How a model's curve is smoothed: the range of price ratios that it learned from, and the mixture of kernels."""

    lowest: float
    highest: float
    kernels: tuple[Kernel, ...]

    @property
    def grid(self) -> Floats:
        """Price ratios at which the model is asked, ascending, shape (n_grid,)."""
        return np.linspace(self.lowest, self.highest, _GRID)

    def to_json(self) -> str:
        """Return the smoothing as text, to be kept with a model."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Smoothing":
        """Read the smoothing that is kept with a model."""
        values = json.loads(text)
        return cls(values["lowest"], values["highest"], tuple(Kernel(**kernel) for kernel in values["kernels"]))


@dataclass(frozen=True)
class Staircase:
    """A forest's raw curve for each product it knows, and the place of some rows on these curves.

    Attributes
    ----------
    grid, p_sale
        Price ratios, shape (n_grid,), and the forest's chance of sale at each, shape (n_products + 1, n_grid); the last
        curve is that of a product without a column.
    product, ratio
        Each row's product (a position in `p_sale`) and price ratio, shape (n_rows,).
    """

    grid: Floats
    p_sale: Floats
    product: Ints
    ratio: Floats

    def smoothed(self, kernels: tuple[Kernel, ...]) -> Floats:
        """Return each row's chance of sale from the smoothed curves, shape (n_rows,); beyond the grid they are flat."""
        curves = mixed(self.p_sale, self.grid, kernels)
        chance = np.empty(len(self.ratio))
        for rows, curve in zip(rows_of_each(self.product, len(curves)), curves, strict=True):
            chance[rows] = np.interp(self.ratio[rows], self.grid, curve)
        return chance


Model = Callable[[pd.DataFrame], Floats]
"""Gives the chance of sale of rows of its features, as a forest does."""


def chance_of(model: Model, rows: pd.DataFrame, features: Sequence[str], smoothing: Smoothing | None) -> Floats:
    """Return the chance of sale of rows that tell the features of a model, shape (n_rows,), smooth where it is so.

    Rows that tell the same are asked about once.
    """
    if smoothing is not None:
        return staircase_of(model, rows, features, smoothing.grid).smoothed(smoothing.kernels)
    columns = [name for name in features if tells_product(name)]
    keys = rows[[name for name in features if name not in columns]].assign(product=position_of(rows, columns))
    place = keys.groupby(list(keys), dropna=False, sort=False).ngroup().to_numpy()
    distinct = rows.iloc[np.unique(place, return_index=True)[1]]
    at_once = max(1, _VALUES_AT_ONCE // len(features))
    parts = range(0, max(1, len(distinct)), at_once)
    return np.concatenate([model(input_of(distinct.iloc[first : first + at_once], features)) for first in parts])[place]


def staircase_of(model: Model, rows: pd.DataFrame, features: Sequence[str], grid: Floats) -> Staircase:
    """Ask a model for the whole curve of every product, once, however many rows there are.

    Parameters
    ----------
    features
        What the model looks at: `price_ratio` and columns of products.
    grid
        Price ratios, ascending, evenly spaced, shape (n_grid,).
    """
    columns = [name for name in features if tells_product(name)]
    curve, shelf = position_of(rows, columns), one_of_each(columns)
    at_once = max(1, _VALUES_AT_ONCE // (len(features) * len(grid)))
    answers = []
    for first in range(0, max(1, len(shelf)), at_once):
        part = shelf.iloc[first : first + at_once]
        on_grid = part.iloc[np.repeat(np.arange(len(part)), len(grid))].assign(**{RATIO: np.tile(grid, len(part))})
        answers.append(model(input_of(on_grid, features)).reshape(len(part), len(grid)))
    return Staircase(grid, np.concatenate(answers), curve, rows[RATIO].to_numpy(dtype=float))


def mixed(p_sale: Floats, grid: Floats, kernels: tuple[Kernel, ...]) -> Floats:
    """Mix the curves of several kernels; none of them rises with the price, so the mixture does not either.

    Parameters
    ----------
    p_sale
        Raw curves, shape (n_products + 1, n_grid); the last one, of no product in particular, is not pooled.
    """
    total = np.zeros(p_sale.shape)
    pooled = _pooled(p_sale)
    for kernel in kernels:
        total += kernel.weight * smoothed(pooled if kernel.pooled else p_sale, grid, kernel)
    return total


def _pooled(p_sale: Floats) -> Floats:
    """Return the mean curve of the products on the logit, shape (1, n_grid)."""
    chance = np.clip(p_sale[: max(len(p_sale) - 1, 1)], _NEARLY_SURE, 1 - _NEARLY_SURE)
    return 1 / (1 + np.exp(-np.log(chance / (1 - chance)).mean(axis=0, keepdims=True)))


def smoothed(p_sale: Floats, grid: Floats, kernel: Kernel) -> Floats:
    """Smooth curves by one local polynomial on the logit, kept from rising with the price.

    Parameters
    ----------
    p_sale
        Chance of sale at ascending price ratios, shape (n_products, n_grid).
    grid
        The price ratios, shape (n_grid,).
    """
    chance = np.clip(p_sale, _NEARLY_SURE, 1 - _NEARLY_SURE)
    distance = (grid[None, :] - grid[:, None]) / kernel.bandwidth
    powers = distance[:, :, None] ** np.arange(kernel.degree + 1)
    weight = np.exp(-0.5 * distance**2)[None] * (chance * (1 - chance))[:, None, :]
    weighted = weight[..., None] * powers
    normal = np.einsum("ngda,gdb->ngab", weighted, powers) + _RIDGE * np.eye(kernel.degree + 1)
    right = np.einsum("ngda,nd->nga", weighted, np.log(chance / (1 - chance)))
    logit = np.linalg.solve(normal, right[..., None])[..., 0, 0]
    return 1 / (1 + np.exp(-np.minimum.accumulate(logit, axis=1)))
