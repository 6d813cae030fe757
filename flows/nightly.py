"""A night of the store: close the day, look at what it says, learn if that is due, and price tomorrow."""

import datetime as dt

from prefect import flow

from catalog.errors import ModelError
from flows.closing import close_day
from flows.drift import watch_drift
from flows.edge import DEFAULT_SEED, Surroundings, name_run
from flows.learn import learn
from flows.nights import Night, needs_a_decision, night_to_do, recorded, refuse_what_cannot_be_closed
from flows.transform import transform
from warehouse.locks import held


@flow(name="nightly", persist_result=False)
def nightly(date: dt.date | None = None, seed: int = DEFAULT_SEED, catalog_dir: str | None = None) -> Night:
    """Close a business date, group its decisions, watch for drift, learn if that is due, and price the day after.

    The run is named by its business date and keeps it as its parameter, so that running it again means the same night.
    A night that is done is not done again; one that was interrupted goes on where it stopped.

    Parameters
    ----------
    date
        Business date to close; by default the first one whose night is not done.
    seed
        Seed of the world, for stores that the twin plays.

    Returns
    -------
    Night
        What was decided.

    Raises
    ------
    Declined
        When another process does a night of this lake or sells one of its stores live, or the date would leave a gap.
    ModelError
        When the registry is away: old prices hold, and the night is yet to do.
    """
    around = Surroundings(catalog_dir)
    with held(around.settings.locks, "night"):
        night_of = date or night_to_do(around.lake)
        name_run(f"nightly-{night_of}", date=night_of.isoformat())
        refuse_what_cannot_be_closed(around.lake, night_of)
        close_day(around, night_of, seed)
        transform(catalog_dir)
        if not needs_a_decision(around.lake, night_of):
            return recorded(around.lake, night_of)
        watch_drift(night_of, catalog_dir)
        night = learn(night_of, seed, catalog_dir)
        if night.outcome == "old prices hold":
            raise ModelError(f"{night.remark}; run this night again when it is mended")
        return night
