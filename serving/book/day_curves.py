"""What is known of a business date before it begins: demand curves, visits, and the belief behind both.

A model of prices that somebody else set has no say: those prices had reasons that were not logged.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import duckdb
import pyarrow as pa

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.tables.decisions import SUBSTITUTE_CHOICES
from features.cells import feature_workbench
from features.context import TABLES_OF_CONTEXT
from features.footfall import observed_prices
from serving.belief.log import ChampionCurves, Seen, belief_from, seen_in
from serving.belief.own_sales import LOOKS_BACK
from serving.belief.table import belief_to_table
from serving.learning.outlook import Outlook, morning_of
from serving.limits.on_a_shelf import with_support
from serving.optimise.curves import DemandCurves, DemandModel, demand_curves
from serving.store.evidence import evidence
from warehouse.checks.proof import Span, prove
from warehouse.lake import Lake
from warehouse.partition import Within, between
from warehouse.sold import COUNTS, SOLD


class DatedModel(DemandModel, Protocol):
    """A demand model that says from which days it learned."""

    @property
    def learned_from(self) -> dt.date | None:
        """First business date it learned from; None for all of them."""
        ...

    @property
    def trained_through(self) -> dt.date | None:
        """Last business date it learned from; None where it does not say."""
        ...


@dataclass(frozen=True)
class DayKnowledge:
    """What is known of a business date before it begins.

    Attributes
    ----------
    curves
        Chances of sale; they know which prices were observed.
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    belief
        The belief behind both, in the columns of `beliefs`.
    outlook
        The belief before the first visit, which the day's sales correct.
    """

    curves: DemandCurves
    visits: Floats
    belief: pa.Table
    outlook: Outlook


def learned_for(
    connection: duckdb.DuckDBPyConnection,
    model: DatedModel | None,
    catalog: Catalog,
    date: dt.date,
    seen: Seen | None = None,
) -> DayKnowledge:
    """Return what is known of a business date before it begins, from a champion and the log, or the log alone.

    Parameters
    ----------
    seen
        What the log shows before the date, if it was read already.
    """
    through, champion = date - dt.timedelta(days=1), None
    if holds_exported(connection, catalog, dt.date.min, through):
        model = None
    seen = seen or seen_in(connection, catalog, through)
    if model is not None:
        curves = supported_curves(connection, model, catalog, through)
        champion = ChampionCurves(curves, model.trained_through or through)
    belief = belief_from(catalog, seen, date, champion)
    version = None if model is None else model.version
    outlook = morning_of(catalog, belief, version).outlook()
    table = belief_to_table(catalog, belief, version)
    return DayKnowledge(outlook.curves, belief.footfall.by_tick, table, outlook)


def dates_known_from(lake: Lake, models: Iterable[DatedModel | None], through: dt.date) -> Within | None:
    """Return which dates up to one tell all that `learned_for` says with some models; None for every date there is.

    A belief looks back some weeks, and a price counts as observed on the days that a model learned from. Of
    exported prices all of the log counts.
    """
    if next(lake.partitions("ingested_files"), None) is not None:
        return None
    return between(first_date_known_from(models, through), through)


def first_date_known_from(models: Iterable[DatedModel | None], through: dt.date) -> dt.date:
    """Return the first date that a belief about the day after, or one of the models, rests on."""
    of_models = [model.learned_from or dt.date.min for model in models if model is not None]
    return min([through - dt.timedelta(days=LOOKS_BACK), *of_models])


def known_before(
    lake: Lake,
    model: DatedModel | None,
    catalog: Catalog,
    date: dt.date,
    products: pa.Table | None = None,
    *,
    sets_aside: bool = True,
) -> DayKnowledge:
    """Return what is known of a business date before it begins, once everything that tells of it is proven.

    Parameters
    ----------
    products
        The shelf, if it is another than the one in the lake.
    sets_aside
        Whether damaged decisions and cells are moved out of the lake.

    Raises
    ------
    DamagedError
        When the bytes of some partitions are not those of their receipts.
    """
    prove(lake, read_for(lake, model, date), sets_aside=sets_aside)
    with feature_workbench(lake.settings, products, within=dates_known_from(lake, (model,), date)) as connection:
        return learned_for(connection, model, catalog, date)


def read_for(lake: Lake, model: DatedModel | None, date: dt.date) -> tuple[Span, ...]:
    """Return what is read to know a business date before it begins.

    A belief looks back some weeks. Where somebody else set prices, all of the log counts, and what lay beside it.
    """
    through = date - dt.timedelta(days=1)
    spans = [Span("products"), Span("ingested_files"), *map(Span, TABLES_OF_CONTEXT)]
    first = through - dt.timedelta(days=LOOKS_BACK - 1)
    if exported := evidence().spans_read(lake, date):
        first = dt.date.min
        spans += exported
    spans += [Span(table, first, through) for table in (*SOLD, *COUNTS, SUBSTITUTE_CHOICES.name)]
    if model is not None:
        spans.append(Span("demand_cells", model.learned_from or dt.date.min, through))
        spans += [Span(table) for table in TABLES_OF_CONTEXT]
    return tuple(spans)


def holds_exported(connection: duckdb.DuckDBPyConnection, catalog: Catalog, after: dt.date, through: dt.date) -> bool:
    """Tell whether somebody else's prices count: of a store that says who came, only our own do."""
    return not catalog.store.is_priced_hourly and evidence().holds_exported(connection, after, through)


def supported_curves(
    connection: duckdb.DuckDBPyConnection, model: DatedModel, catalog: Catalog, through: dt.date
) -> DemandCurves:
    """Ask a model for the demand curves of the day after a date, and mark the prices that decisions until then show."""
    curves = demand_curves(connection, model, catalog)
    return with_support(curves, observed_prices(connection, catalog, through, model.learned_from))
