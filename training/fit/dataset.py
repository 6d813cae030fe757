"""What models learn from and are judged on: demand cells, split by time.

Precondition for an honest judgement: models are judged on later days than they are fitted on, and the model that was
judged is the model that is registered.

Days before a change in demand lend the shape of their curve to the few days since. A champion shows nearly one price,
so the first days after a change say how much is bought there and nothing about any other price: a forest fitted on them
alone is flat beyond, and its best price can be absurd. The days before know the shape. When budgets move, the odds of a
sale move by about the same factor at every price, so the purchases of the days before are weighted by that factor and
kept beside the decisions since.

The factor of a product is the Mantel-Haenszel odds ratio over the prices that both periods showed: prices are compared
with themselves alone, so it does not matter that the two showed them in different shares (Mantel and Haenszel,
"Statistical aspects of the analysis of data from retrospective studies of disease", Journal of the National Cancer
Institute, 1959). A price that was shown very often is given less weight: how likely a sale is there is known by then,
and in a forest it would swallow its rare neighbours.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from catalog.errors import DataError
from features.attributes import attributes_of, telling
from features.cells import feature_workbench, query, seals_of_cells
from features.footfall import demand_shifts
from features.product_columns import columns_of, input_of, one_of_each, position_of, tells_product
from warehouse.checks.proof import Span, prove
from warehouse.lake import Lake
from warehouse.origin import seller_of
from warehouse.partition import between
from warehouse.workspace import Workspace

_COUNTS = ["n_offered", "n_purchased"]
_PRICE = ["sku", "price_offered"]
_MOST_OF_A_PRICE = 100.0  # decisions of a product at one price
_CONTINUITY = 0.5  # keeps the ratio finite where nobody bought, or everybody did


def carried_through(periods: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Carry cells from period to period; what remains answers prices as the last one does.

    Parameters
    ----------
    periods
        Training cells of each period between two changes in demand, oldest first, at least one.

    Returns
    -------
    pd.DataFrame
        A single period as it is. Of several, all cells with counts that are weights and no longer whole numbers.
    """
    return reduce(carried_over, periods)


def carried_over(before: pd.DataFrame, since: pd.DataFrame) -> pd.DataFrame:
    """Join the cells of the days before a change, their odds moved, to those of the days since.

    A product that was shown since, and at no price that it was shown at before, lends nothing: nobody can compare. One
    that was not shown since is left as it was.
    """
    ratios = odds_ratios(before, since)
    shown_since = set(since["sku"])
    kept = before[before["sku"].isin(ratios.index) | ~before["sku"].isin(shown_since)]
    refused = kept["n_offered"] - kept["n_purchased"]
    bought = kept["n_purchased"] * kept["sku"].astype(object).map(ratios.to_dict()).fillna(1.0).astype(float)
    joined = pd.concat([kept.assign(n_offered=refused + bought, n_purchased=bought), since], ignore_index=True)
    of_price = joined.groupby(_PRICE)["n_offered"].transform("sum")
    weight = (_MOST_OF_A_PRICE / of_price).clip(upper=1.0)
    return joined.assign(**{count: joined[count] * weight for count in _COUNTS})


def odds_ratios(before: pd.DataFrame, since: pd.DataFrame) -> pd.Series:
    """Return how the odds of a sale changed, by `sku`, for products with a price that both periods showed."""
    both = _by_price(before).add_suffix("_before").join(_by_price(since).add_suffix("_since"), how="inner")
    bought_before, bought_since = both["n_purchased_before"], both["n_purchased_since"]
    refused_before, refused_since = both["n_offered_before"] - bought_before, both["n_offered_since"] - bought_since
    total = both["n_offered_before"] + both["n_offered_since"]
    rose = (bought_since * refused_before / total).groupby(level="sku").sum() + _CONTINUITY
    fell = (refused_since * bought_before / total).groupby(level="sku").sum() + _CONTINUITY
    return rose / fell


def _by_price(cells: pd.DataFrame) -> pd.DataFrame:
    return cells.groupby(_PRICE)[_COUNTS].sum()


HOLDOUT_SHARE = 0.2


@dataclass(frozen=True)
class Dataset:
    """Demand cells to fit on and to judge on.

    Attributes
    ----------
    training, holdout
        One row per cell with `sku`, the features, `n_offered` and `n_purchased`; the holdout also by `business_date`.
    one_hot
        Names of the products' columns, which are made when a model is asked, see `columns_to_learn`.
    trained_through, judged_through
        Last business date of each part.
    fingerprint
        SHA-256 over the receipts of every partition that went in, and the dates at which demand changed.
    trained_since
        First business date that counts as it is; earlier ones lend the shape of their demand alone. None where nobody
        noted it.
    learned_from
        First business date of anything that went in; None as above.
    attributes
        Those of the products, by `sku`, in the columns in which they differ; None where none does.
    """

    training: pd.DataFrame
    holdout: pd.DataFrame
    one_hot: tuple[str, ...]
    trained_through: dt.date
    judged_through: dt.date
    fingerprint: str
    trained_since: dt.date | None = None
    learned_from: dt.date | None = None
    attributes: pd.DataFrame | None = None


def learning_days(workspace: Workspace, through: dt.date, since: dt.date | None) -> Dataset:
    """Read the days to learn from: those of the window, split where demand was seen to change.

    An outside store that changes hourly learns from the days on which it did: before them, prices were its owner's.

    Raises
    ------
    DataError
        When they cannot teach anything.
    DamagedError
        When the bytes of some partitions are not those of their receipts.
    """
    window = workspace.catalog.store.learning.window_days
    first = through - dt.timedelta(days=window - 1) if since is None and window is not None else since
    seller = seller_of(workspace.lake.store, workspace.catalog.store)
    if seller is not None and (begun := seller.sold_since(workspace.lake, workspace.catalog, through)) is not None:
        first = begun if first is None else max(first, begun)
    begin = first or dt.date.min
    spans = (Span(name, begin, through) for name in ("demand_cells", "drift_checks"))
    prove(workspace.lake, (*spans, Span("products")))
    with feature_workbench(workspace.settings, within=between(begin, through)) as connection:
        dataset = load_dataset(connection, workspace.lake, through, first, demand_shifts(connection, through))
    attributes = attributes_of(workspace.catalog)
    return replace(dataset, attributes=telling(attributes, attributes.index.isin(dataset.training["sku"])))


def load_dataset(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    through: dt.date,
    since: dt.date | None = None,
    shifts: Sequence[dt.date] = (),
) -> Dataset:
    """Read the demand cells up to a date; the last days, with at least a fifth of the decisions, are held out.

    Parameters
    ----------
    since
        First date to learn from; None is the first there is.
    shifts
        Dates from which shoppers answered prices otherwise than before. Days are judged since the last of them, and
        the days before lend their shape to the days since.

    Raises
    ------
    DataError
        When fewer than two days hold decisions, since the last shift if there is one.
    """
    first = since or dt.date.min
    begins = [first, *sorted({date for date in shifts if first < date <= through})]
    days = connection.execute(query("decisions_per_day"), {"first": begins[-1], "through": through}).df()
    if len(days) < 2:  # noqa: PLR2004 - one to fit on, one to judge on
        since_when = "" if begins[-1] == dt.date.min else f" from {begins[-1]}"
        raise DataError(
            f"expected at least two days of decisions{since_when} up to {through}, found {len(days)}; "
            "no model was trained: simulate or ingest more days, then transform"
        )
    dates = [stamp.date() for stamp in pd.to_datetime(days["business_date"])]
    trained_through = dates[last_training_day(days["count_decisions"].to_numpy())]
    ends = [*(date - dt.timedelta(days=1) for date in begins[1:]), trained_through]
    periods = [_training_cells(connection, *span) for span in zip(begins, ends, strict=True)]
    training = carried_through([cells for cells in periods if len(cells)])
    span = {"trained_through": trained_through, "judged_through": dates[-1]}
    holdout = connection.execute(query("holdout_cells"), span).df()
    used = lake.dates("demand_cells", between(first, through))
    return Dataset(
        training,
        holdout,
        columns_to_learn(training),
        trained_through,
        dates[-1],
        _fingerprint(lake, through, begins),
        dates[0],
        min(used, default=dates[0]),
    )


def weighted_rows(cells: pd.DataFrame, features: list[str]) -> tuple[pd.DataFrame, Ints, Floats]:
    """Spread cells into rows for a classifier: features X, class y (1 = bought) and weight = decisions.

    Cells that agree in the features are merged first; their counts add up.
    """
    columns = [name for name in features if tells_product(name)]
    keyed = cells
    if columns:  # one key for all of them, in their order: a group of the last one comes first
        skus = pd.CategoricalDtype(one_of_each(columns)["sku"].iloc[::-1])
        keyed = cells.assign(sku=pd.Categorical.from_codes(len(columns) - position_of(cells, columns), dtype=skus))
    keys = list(dict.fromkeys("sku" if tells_product(name) else name for name in features))
    counts = keyed.groupby(keys, dropna=False, sort=True, observed=True)[["n_offered", "n_purchased"]].sum()
    merged = counts.index.to_frame(index=False)
    bought = counts["n_purchased"].to_numpy()
    refused = counts["n_offered"].to_numpy() - bought
    X = input_of(pd.concat([merged[bought > 0], merged[refused > 0]], ignore_index=True), features)
    y = np.repeat(np.array([1, 0]), [(bought > 0).sum(), (refused > 0).sum()])
    weight = np.concatenate([bought[bought > 0], refused[refused > 0]]).astype(float)
    return X, y, weight


MOST_COLUMNS = 200
"""Products that have a column each, on a shelf of so many at most."""

_LEAST_SHARE = 0.015  # of the decisions; the leaf of a demand forest has twice as many


def columns_to_learn(training: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns of products that forests are to split by: of all, or on a long shelf of the most visited.

    Where no product has a share of the decisions to speak of, none can be split off, and a column for each would take
    gigabytes and hours to find that out. Products without a column share a curve.
    """
    offered = training.groupby("sku", observed=False)["n_offered"].sum()
    is_long = len(offered) > MOST_COLUMNS
    return columns_of(offered.index[offered >= _LEAST_SHARE * offered.sum()] if is_long else offered.index)


def last_training_day(decisions: Ints) -> int:
    """Position of the last day to fit on: as many days as possible while the rest holds the held-out share."""
    later = decisions.sum() - np.cumsum(decisions)
    enough = np.flatnonzero(later >= HOLDOUT_SHARE * decisions.sum())
    return int(enough[-1]) if len(enough) else 0


def _training_cells(connection: duckdb.DuckDBPyConnection, first: dt.date, last: dt.date) -> pd.DataFrame:
    return connection.execute(query("training_cells"), {"first": first, "trained_through": last}).df()


def _fingerprint(lake: Lake, through: dt.date, begins: Sequence[dt.date]) -> str:
    """Fingerprint the cells of the periods that begin on some dates and the dates themselves, if demand changed."""
    digest = hashlib.sha256("".join(f"{date}\n" for date in begins[1:]).encode())
    for _, seal in seals_of_cells(lake, begins[0], through):
        digest.update(seal.encode())
    return digest.hexdigest()
