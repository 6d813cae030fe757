"""Turn the champion into the price book of a business date."""

import datetime as dt
from dataclasses import dataclass

from prefect import flow, task

from catalog.errors import DataError, Declined, ModelError
from features.cells import feature_workbench
from features.footfall import expected_visits
from flows.artifacts import show_prices
from flows.edge import TOUCHES_THE_DISK, Surroundings, newest_date, tag_run
from serving.book_store import GROUP, book_in_force, publish_book
from serving.champion import Champion, load_champion
from serving.curves import curves_from_table
from serving.day_curves import learned_for
from serving.price_book.book import PriceBook
from training.promotion.change import finish_changes
from training.promotion.history import LOCK
from warehouse.lake import Lake, Partition
from warehouse.locks import held


@dataclass(frozen=True)
class Priced:
    """The book in force for a date, and why it is not a new one when it is not."""

    book: PriceBook
    old_prices_hold: str | None


@flow(name="price", flow_run_name="price-{for_date}")
def price(for_date: dt.date | None = None, catalog_dir: str | None = None) -> Priced:
    """Make the price book of a business date, by default the day after the newest one with decisions.

    When the registry is away or the champion cannot be trusted, the last known good book stands.

    Raises
    ------
    Declined
        When the kill switch is on: base prices stand and no book is written. When the champion is being changed.
    DataError
        When there is no champion.
    ModelError
        When the champion cannot be used and there is no earlier book either.
    """
    around = Surroundings(catalog_dir)
    if around.catalog.store.guardrails.kill_switch:
        raise Declined(
            "guardrails.kill_switch is on: base prices stand and no price book is written; turn it off to price again"
        )
    date = for_date or newest_date(around.lake) + dt.timedelta(days=1)
    tag_run("pricing")
    try:
        with held(around.settings.locks, LOCK):  # no rollback comes between the champion and its book
            finish_changes(around, date)
            champion = load_champion(around.settings)
            if champion is None:
                raise DataError("expected a champion in the model registry, found none; run `shelfprice train`")
            book = make_book(around, champion, date)
    except ModelError as error:
        known_good = book_in_force(around.lake, date)
        if known_good is None:
            raise
        return Priced(known_good[0], str(error))
    show_prices(book)
    return Priced(book, None)


@task(**TOUCHES_THE_DISK)
def make_book(around: Surroundings, champion: Champion, date: dt.date) -> PriceBook:
    """Ask the champion for the demand curves and the log for the footfall, work the policy out, and publish."""
    with feature_workbench(around.settings) as connection:
        curves, visits = learned_for(connection, champion, around.catalog, date)
    return publish_book(around.lake, around.catalog, curves, visits, date)


def has_curves(lake: Lake, date: dt.date) -> bool:
    """Tell whether the demand curves are there that a date's book was made from."""
    return lake.receipt(Partition("demand_curves", date, GROUP)) is not None


@task(**TOUCHES_THE_DISK)
def make_book_again(around: Surroundings, date: dt.date) -> PriceBook:
    """Work a date's book out anew from the demand curves that it was made from, whoever is champion by now."""
    curves = curves_from_table(around.lake.read(Partition("demand_curves", date, GROUP)))
    with feature_workbench(around.settings) as connection:
        visits = expected_visits(connection, around.catalog, date - dt.timedelta(days=1))
    return publish_book(around.lake, around.catalog, curves, visits, date)
