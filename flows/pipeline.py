"""The whole loop, as a store lives it: sell and explore, then every night learn, price, and sell the next day."""

import datetime as dt
from dataclasses import dataclass

from prefect import flow

from flows.edge import DEFAULT_SEED, DEFAULT_START, Surroundings, dates_from
from flows.learn import learn
from flows.progress import tell
from flows.simulate import batch_inputs, batches_of, pricing_on, simulate, without_live_days
from flows.transform import transform


@dataclass(frozen=True)
class Loop:
    """What the loop did: nights done before, and what a person should know about the others."""

    nights_done_before: int
    remarks: tuple[str, ...]


@flow(name="pipeline", flow_run_name="pipeline-{start}")
def pipeline(
    start: dt.date = DEFAULT_START,
    days: int = 14,
    explore_days: int = 7,
    stores: int | None = None,
    seed: int = DEFAULT_SEED,
    catalog_dir: str | None = None,
) -> Loop:
    """Play `explore_days` at prices that teach, then learn and reprice every night until `days` are played.

    A night that was done from the same inputs is not done again, so running this twice changes nothing.
    """
    dates = dates_from(start, days)
    simulate(start, min(explore_days, days), stores, seed, None, catalog_dir)
    transform(catalog_dir)
    tell("days played", min(explore_days, days), days)
    remarks: list[str] = []
    done_before = 0
    for date in dates[explore_days:]:
        if is_played(date, stores, seed, catalog_dir):
            done_before += 1
        else:
            night = learn(date - dt.timedelta(days=1), seed, catalog_dir)
            remarks += [night.remark] if night.remark else []
            simulate(date, 1, stores, seed, None, catalog_dir)
            transform(catalog_dir)
        tell("days played", dates.index(date) + 1, days)
    return Loop(done_before, tuple(remarks))


def is_played(date: dt.date, stores: int | None, seed: int, catalog_dir: str | None) -> bool:
    """Tell whether a date was played from the price book in force for exactly that date, with these inputs."""
    around = Surroundings(catalog_dir)
    priced_by = pricing_on(around.lake, around.catalog, date, None)
    made_for_date = any(partition.business_date == date for partition in around.lake.partitions("price_book"))
    return made_for_date and all(
        around.lake.is_current(batch.partition, batch_inputs(around.catalog, batch, priced_by, seed))
        for batch in without_live_days(around.lake, batches_of(around.catalog, [date], stores))
    )
