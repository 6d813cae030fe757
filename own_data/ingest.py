"""Bring a retailer's own export into the lake."""

import datetime as dt
from contextlib import nullcontext
from pathlib import Path

from catalog.settings import read_settings
from catalog.spread import HERE
from flows.progress import tell
from flows.spreading import spreading
from own_data.exports.admit_dates import Room
from own_data.exports.columns import Reading
from own_data.exports.corrections import NOTHING_ASKED, CorrectionRequest
from own_data.exports.ingest import Ingested, is_worth_a_cluster
from own_data.exports.ingest import ingest as ingest_file
from own_data.exports.read import open_export


def ingest(
    file: Path, reading: Reading, catalog_dir: str | None = None, asked: CorrectionRequest = NOTHING_ASKED
) -> Ingested:
    """Ingest one file of visits, receipts or units; the same file read in the same way again changes nothing.

    A cluster admits the dates of a large file.

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
    shelf, settings = Path(catalog_dir) if catalog_dir else None, read_settings()
    is_large = settings.dask is not None and is_worth_a_cluster(open_export(file, reading))
    with spreading(settings, seconds=0) if is_large else nullcontext(HERE) as spread:
        return ingest_file(settings, file, reading, shelf, dt.datetime.now(dt.UTC), Room(tell, spread), asked)
