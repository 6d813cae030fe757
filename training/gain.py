"""What a challenger's prices would gain, from the log: both books, the held-out visits, and on the twin the truth."""

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from catalog.errors import DataError, ModelError
from catalog.load import Catalog
from features.footfall import expected_visits
from features.logged_visits import LoggedVisits, logged_visits
from serving.curves import DemandCurves
from serving.day_curves import DatedModel, supported_curves
from serving.policies import costs_that_count, policy_with_model, policy_without_model
from serving.price_book.book import PriceBook
from serving.price_book.tabulate import tabulate
from training.candidates import FittedModel
from training.dataset import Dataset
from training.off_policy import Evidence, OffPolicyEstimate, Shown, estimate_gain
from training.truth import true_chances_at


@dataclass(frozen=True)
class Challenger:
    """A fitted model under the version it is registered as, so that curves can be asked from it.

    `learned_from` and `trained_through` are the first and last business date that went into it, or None where nobody
    noted them.
    """

    version: str
    fitted: FittedModel
    learned_from: dt.date | None = None
    trained_through: dt.date | None = None

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        """Chance of sale, shape (n_rows,)."""
        return self.fitted.p_sale(rows)


def gain_over(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    dataset: Dataset,
    challenger: DatedModel,
    champion: DatedModel | None,
    *,
    is_known: bool,
) -> OffPolicyEstimate | None:
    """Estimate what the challenger's price book gains over the champion's, or without one over the base prices.

    Parameters
    ----------
    is_known
        Whether the twin made the decisions, so that its truth can stand beside the estimate.

    Returns
    -------
    OffPolicyEstimate | None
        None when the challenger's book cannot be made or no held-out visit found its product on the shelf.
    """
    n_decisions = int(dataset.holdout["n_offered"].sum())
    visits = logged_visits(connection, catalog, dataset.trained_through, dataset.judged_through, n_decisions)
    if not len(visits.day):
        return None
    made_for = dt.datetime.combine(dataset.judged_through, dt.time(), dt.UTC)
    try:
        footfall = expected_visits(connection, catalog, dataset.judged_through)
        curves = supported_curves(connection, challenger, catalog, dataset.judged_through)
        book = tabulate(policy_with_model(catalog, curves, footfall), catalog, made_for, curves)
    except (DataError, ModelError):
        return None  # the gate says that there is no estimate
    incumbent = _book_of(connection, catalog, champion, footfall, made_for)
    return gain_on(catalog, visits, curves, book, incumbent, is_known=is_known)


def gain_on(
    catalog: Catalog,
    visits: LoggedVisits,
    curves: DemandCurves,
    book: PriceBook,
    incumbent: PriceBook | None,
    *,
    is_known: bool,
) -> OffPolicyEstimate:
    """Estimate on given visits what a book, made from the curves, gains over another, or without one over base prices.

    The value of a unit kept comes from the incumbent's book, or without one from the challenger's; where margin is the
    objective, its cost is added.
    """
    ticks_left = np.maximum(1, catalog.store.opening.ticks - visits.tick)
    usual = incumbent or tabulate(policy_without_model(catalog), catalog, book.published_at)
    price = book.quotes(visits.product, visits.stock, ticks_left)[0]
    theirs = usual.quotes(visits.product, visits.stock, ticks_left)[0]
    truth = (true_chances_at(catalog, visits, price), true_chances_at(catalog, visits, theirs)) if is_known else None
    return estimate_gain(
        Evidence(
            product=visits.product,
            price=visits.price,
            propensity=visits.propensity,
            purchased=visits.purchased.astype(float),
            unit_value=_unit_values(incumbent or book, visits, ticks_left) + costs_that_count(catalog)[visits.product],
            p_sale=curves.p_sale_at(visits.product, visits.price),
            dice=visits.dice,
            n_store_days=visits.n_store_days,
            candidates=curves.prices,
        ),
        Shown(price, curves.p_sale_at(visits.product, price)),
        Shown(theirs, curves.p_sale_at(visits.product, theirs)),
        truth,
    )


def _book_of(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    champion: DatedModel | None,
    footfall: Floats,
    made_for: dt.datetime,
) -> PriceBook | None:
    """Return the champion's prices, or None without a champion that knows this shelf."""
    if champion is None:
        return None
    try:
        curves = supported_curves(connection, champion, catalog, made_for.date())
        return tabulate(policy_with_model(catalog, curves, footfall), catalog, made_for, curves)
    except ModelError:
        return None


def _unit_values(book: PriceBook, visits: LoggedVisits, ticks_left: Ints) -> Floats:
    """Return what a unit kept is worth in each visit's state by a book, 0 where its policy does not value stock."""
    level = np.minimum(visits.stock, book.unit_value.shape[1] - 1)
    return np.nan_to_num(book.unit_value[visits.product, level, ticks_left - 1])
