"""Bring a retailer's own export into the lake."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import flow

from catalog.settings import Settings, read_settings
from catalog.spread import HERE, Spread
from flows.progress import tell
from flows.runs import tag_run
from flows.spreading.choose import spreading
from flows.tasks import as_task
from own_data.exports.admit_dates import Room
from own_data.exports.columns import Reading
from own_data.exports.corrections import NOTHING_ASKED, Asked
from own_data.exports.ingest import Ingested, is_worth_a_cluster
from own_data.exports.ingest import ingest as ingest_file
from own_data.exports.read import open_export


@flow(name="ingest")
def ingest(file: Path, reading: Reading, catalog_dir: str | None = None, asked: Asked = NOTHING_ASKED) -> Ingested:
    """Ingest one file of visits, receipts or units; the same file read in the same way again changes nothing.

    Parameters
    ----------
    reading
        What its columns mean and how its values are written.
    catalog_dir
        The shelf to look its products up on; by default the one under `SHELFPRICE_HOME`, estimated from the first file.
    asked
        Dates of earlier files to replace, and whether stores that are new may be added.

    Raises
    ------
    DataError
        When the file cannot be read, or none of its rows can be used.
    Declined
        When the lake belongs to another shelf, or another file is being ingested.
    """
    tag_run("ingest")
    shelf, settings = Path(catalog_dir) if catalog_dir else None, read_settings()
    with _spread(settings, file, reading) as spread:
        room = Room(tell, spread)
        return as_task(ingest_file, settings, file, reading, shelf, dt.datetime.now(dt.UTC), room, asked)


@contextmanager
def _spread(settings: Settings, file: Path, reading: Reading) -> Iterator[Spread]:
    """Open the place where dates are admitted: a cluster only for a large file, which it must see under the home."""
    if settings.dask is None or not is_worth_a_cluster(open_export(file, reading)):
        yield HERE
        return
    with spreading(settings, seconds=0, sees_home=True) as spread:
        yield spread
