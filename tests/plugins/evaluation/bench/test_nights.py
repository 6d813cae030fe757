"""A night costs the same however long a store has been selling: it opens as many files, and they are as new."""

import datetime as dt
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from opened_files import opened_below

from plugins.evaluation.bench.aged_lake import AgedStore, date_of
from plugins.evaluation.bench.nights import do_next_night
from plugins.operations.checks.proving import verify
from serving.belief.sales import LOOKS_BACK
from warehouse.receipts import RECEIPTS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which files were opened")

YOUNG, OLD = 64, 128  # days; more than any night looks back
_PLAYED = 4


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[int, AgedStore]:
    folder = tmp_path_factory.mktemp("aged")
    young = AgedStore(folder / "young", _PLAYED)
    young.age(YOUNG)
    old = young.copied(folder / "old")
    old.age(OLD)
    return {YOUNG: young, OLD: old}


@pytest.fixture(scope="module")
def opened(stores: dict[int, AgedStore]) -> dict[int, Counter[Path]]:
    """Return the files that the second night of each store opened, by age; the first looks at every date once."""
    found = {}
    for age, store in stores.items():
        registry = store.registry()
        do_next_night(store, registry)
        with opened_below(store.lake.root) as files:
            do_next_night(store, registry)
            found[age] = files.since_last_look()
    return found


def by_table(opened: Counter[Path], store: AgedStore) -> Counter[str]:
    """Count the files of each table; how often each is opened depends on the threads of DuckDB.

    A draft is of a note that is written where it changed.
    """
    files = (file.relative_to(store.lake.root).parts for file in opened if file.suffix != ".draft")
    return Counter(parts[parts[0] == RECEIPTS] for parts in files)


@pytest.mark.slow
def test_a_night_opens_as_many_files_of_each_table_at_twice_the_age(
    stores: dict[int, AgedStore], opened: dict[int, Counter[Path]]
) -> None:
    young, old = (by_table(opened[age], store) for age, store in stores.items())
    assert young.keys() == old.keys()
    assert min(young["interactions"], young["demand_cells"], young["model_versions"]) > 0
    apart = {table: (young[table], old[table]) for table in young if abs(young[table] - old[table]) > 2}
    assert apart == {}


@pytest.mark.slow
def test_a_night_opens_no_file_of_a_day_from_before_it_looks_back(
    stores: dict[int, AgedStore], opened: dict[int, Counter[Path]]
) -> None:
    store = stores[OLD]
    dates = [re.search(r"business_date=([0-9-]+)", str(file)) for file in opened[OLD]]
    days = {dt.date.fromisoformat(date[1]) for date in dates if date} - {dt.date(1970, 1, 1)}
    assert min(days) >= date_of(store.days - 1) - dt.timedelta(days=LOOKS_BACK)


@pytest.mark.slow
def test_a_lake_that_was_aged_is_sound(stores: dict[int, AgedStore]) -> None:
    store = stores[YOUNG]
    assert verify(store.lake).findings == ()
    assert len(store.lake.dates("interactions")) == store.days
    assert len(list(store.lake.partitions("model_versions"))) >= store.days - _PLAYED
