"""Bring a retailer's own export into the lake."""

import datetime as dt
from pathlib import Path

from prefect import flow

from catalog.settings import read_settings
from etl.exports.columns import Reading
from etl.exports.corrections import NOTHING_ASKED, Asked
from etl.exports.ingest import Ingested
from etl.exports.ingest import ingest as ingest_file
from flows.progress import tell
from flows.runs import tag_run
from flows.tasks import as_task


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
    shelf = Path(catalog_dir) if catalog_dir else None
    return as_task(ingest_file, read_settings(), file, reading, shelf, dt.datetime.now(dt.UTC), tell, asked)
