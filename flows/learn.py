"""Learn from what was sold, let the gate decide, and price the next day; old prices hold when that fails."""

import datetime as dt

from prefect import flow

from catalog.errors import DataError, Declined
from flows.due import why_due
from flows.edge import DEFAULT_SEED, Surroundings, newest_date
from flows.nights import Night, Outcome, record
from flows.price import price
from flows.train import Training, train
from serving.bookshelf import book_in_force
from warehouse.locks import held


@flow(name="learn", flow_run_name="learn-{through}")
def learn(through: dt.date | None = None, seed: int = DEFAULT_SEED, catalog_dir: str | None = None) -> Night:
    """Train on everything through a business date if it is due, and price the day after it.

    The loop, the night and the event of a drift share this flow. One lake learns once at a time, and once a night.

    Parameters
    ----------
    through
        Last business date to learn from; by default the newest one with demand cells.

    Raises
    ------
    Declined
        When another process is learning from this lake.
    ModelError
        When the registry is away and there is no earlier book; the night is not done, run it again.
    """
    around = Surroundings(catalog_dir)
    date = through or newest_date(around.lake)
    with held(around.settings.locks, "learning"):
        because = why_due(around, date)
        trained: Training | None = None
        said = None
        if because:
            try:
                trained = train(date, seed, catalog_dir)
            except (DataError, Declined) as error:
                said = str(error)
        outcome, priced_by, held_because = price_after(around, date, catalog_dir)
        if trained is not None and not trained.verdict.promoted:
            said = stays_because(trained)
        night = Night(
            date,
            outcome,
            learned_because=because,
            trained_version=trained.version if trained else None,
            promoted=bool(trained and trained.verdict.promoted),
            priced_by=priced_by,
            said=held_because or said,
        )
        record(around.lake, night)
        return night
