"""Our side: from till receipts to what they tell, by the functions that `ingest`, `transform` and `train` call.

A log moves no price, so every product keeps its own.
"""

import datetime as dt
from pathlib import Path

import duckdb
from pyarrow import csv

from catalog.load import load
from catalog.settings import read_settings
from etl.live.calendar import newest_grouped
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from evaluation.outside_store.grocery.examination import LearnedFromReceipts
from evaluation.outside_store.grocery.question import ExaminationQuestion
from flows.workspace import prepared
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from training.session import train
from warehouse.sql_files import queries_beside

_QUERY = queries_beside(__file__)


def learn(home: Path, receipts: Path, question: ExaminationQuestion) -> LearnedFromReceipts:
    """Take an export into a lake of its own, and train on it.

    Parameters
    ----------
    home
        Empty folder for everything that is generated.
    question
        Says in which grain the export is read, and what prices maximise: that is written into the estimated shelf, as a
        retailer would.

    Raises
    ------
    ShelfpriceError
        When a step refuses the export.
    """
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    export = receipts if question.grain == "receipts" else baskets_as_visits(receipts)
    done = ingest(settings, export, Reading(), None, dt.datetime.now(dt.UTC))
    with (done.shelf / "store.yaml").open("a", encoding="utf-8") as store:
        store.write(f"policies: {{objective: {question.objective}}}\n")
    workspace = prepared(settings, load(done.shelf))
    transform(workspace)
    result = train(workspace, MemoryRegistry(), newest_grouped(workspace.lake), question.seed)
    unmet = tuple(f"{condition.name}: {condition.found}" for condition in result.verdict.unmet)
    return LearnedFromReceipts(done.row["rows"], done.row["rejected"], tuple(result.responses), unmet, prices={})


def baskets_as_visits(receipts: Path) -> Path:
    """Write an export of till lines as visits beside it, and return its file.

    Every receipt becomes a shopper who looked at each product on the shelf. How many units were bought is lost.
    """
    visits = receipts.with_name("visits.csv")
    with duckdb.connect() as connection:
        table = connection.sql(_QUERY("baskets_as_visits"), params={"receipts": str(receipts)}).to_arrow_table()
    csv.write_csv(table, visits)
    return visits
