"""What a challenger's prices would gain: both books, by the belief's word and by the held-out visits, and the truth."""

import datetime as dt
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from catalog.errors import DataError, ModelError
from catalog.load import Catalog
from etl.calendar import ONE_DAY
from etl.twin.substitutes import chooses_substitutes
from features.footfall import LoggedVisits, logged_visits
from serving.belief.log import LogEvidence, belief_and_average, read_log_evidence
from serving.book.book import PriceBook
from serving.book.make import DatedModel, DayKnowledge, learned_for, tabulate, unpublished_book
from serving.learning.outlook import start_of_day
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import costs_that_count, policy_without_model
from training.fit.candidates import FittedModel
from training.fit.dataset import Dataset
from training.judge.believed_gain import LONG_SHELF, believed_gain, prices_of_day, some_updates, updates_due
from training.judge.off_policy import LoggedEvidence, OffPolicyEstimate, Shown, estimate_gain
from training.judge.same_shoppers import true_chances_at, true_day, true_gain


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

    @property
    def features(self) -> list[str]:
        """Input columns in order."""
        return self.fitted.features

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
    """Estimate what the challenger's prices gain over those that would be in force without it.

    Those are the champion's, or without one the belief's from the log alone, or base prices where the catalog has no
    belief price the store.

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
    tomorrow = dataset.judged_through + ONE_DAY
    seen = read_log_evidence(connection, catalog, dataset.judged_through)
    try:
        known = learned_for(connection, challenger, catalog, tomorrow, seen)
        book = unpublished_book(catalog, known.curves, known.visits, tomorrow)
    except (DataError, ModelError):
        return None  # the gate says that there is no estimate
    in_force, incumbent = _in_force(connection, catalog, champion, tomorrow, seen) or (None, None)
    estimate = gain_on(catalog, visits, known.curves, book, incumbent, is_known=is_known)
    beliefs = belief_and_average(catalog, seen, tomorrow)
    day, average = (start_of_day(catalog, belief).outlook() for belief in beliefs)
    usual = incumbent or tabulate(policy_without_model(catalog), catalog, book.published_at)
    outlooks = known.outlook, None if in_force is None else in_force.outlook
    believed = believed_gain(catalog, day, book, usual, average, len(seen.sales.dates), outlooks)
    if is_known and not chooses_substitutes(catalog):  # what prices of one product bring depends on the others'
        is_long = len(catalog.skus) > LONG_SHELF
        truly, updates = true_day(catalog, tomorrow), (some_updates if is_long else updates_due)(catalog)
        opens = zip((book.of().prices, usual.of().prices), outlooks, strict=True)
        own, others = (prices_of_day(*each, truly, updates) for each in opens)
        believed = replace(believed, truth=true_gain(catalog, tomorrow, own, others))
    return replace(estimate, believed=believed)


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
    price = book.at(visits.product, visits.stock, ticks_left).prices
    theirs = usual.at(visits.product, visits.stock, ticks_left).prices
    truth = (true_chances_at(catalog, visits, price), true_chances_at(catalog, visits, theirs)) if is_known else None
    return estimate_gain(
        LoggedEvidence(
            product=visits.product,
            price=visits.price,
            propensity=visits.propensity,
            purchased=visits.purchased.astype(float),
            unit_value=_unit_values(incumbent or book, visits, ticks_left) + costs_that_count(catalog)[visits.product],
            p_sale=curves.p_sale_at(visits.product, visits.price),
            dice=visits.dice,
            n_store_days=visits.n_store_days,
            candidates=curves.prices,
            smallest=catalog.store.money.smallest,
        ),
        Shown(price, curves.p_sale_at(visits.product, price)),
        Shown(theirs, curves.p_sale_at(visits.product, theirs)),
        truth,
    )


def _in_force(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    champion: DatedModel | None,
    date: dt.date,
    seen: LogEvidence,
) -> tuple[DayKnowledge, PriceBook] | None:
    """Return what would be known without the challenger, and the book; None where base prices would stand."""
    if champion is None and catalog.store.policies.before_champion != "belief":
        return None
    try:
        known = learned_for(connection, champion, catalog, date, seen)
        return known, unpublished_book(catalog, known.curves, known.visits, date)
    except ModelError:
        return None  # a champion of another shelf


def _unit_values(book: PriceBook, visits: LoggedVisits, ticks_left: Ints) -> Floats:
    """Return what a unit kept is worth in each visit's state by a book, 0 where its policy does not value stock."""
    return np.nan_to_num(book.at(visits.product, visits.stock, ticks_left).unit_value)
