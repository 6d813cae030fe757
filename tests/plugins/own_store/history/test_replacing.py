"""Days that are replaced: the lake stays whole, and the audit names every one of them, whenever it was killed."""

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.settings import Settings, read_settings
from plugins.operations.checks.proving import verify
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.corrections import CorrectionRequest, dates_of
from plugins.own_store.history.ingest import Ingested, ingest
from warehouse.commits.record import final_names, final_record
from warehouse.lake import Lake
from warehouse.receipts import final_path

pytestmark = pytest.mark.server

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
FIRST = dt.date(2026, 1, 5)
N_DAYS = 4
ALL = CorrectionRequest(replace=dates_of(f"{FIRST}..{FIRST + dt.timedelta(days=N_DAYS - 1)}"))
KILLS = [(name, step) for name in ("correction.csv", "again/january.csv") for step in (1, 4, 6)]
"""Names of the file that replaces what January said, asked for or a new edition, and the step that dies."""
DYING = """
import datetime as dt, json, os, signal, sys
from pathlib import Path
from catalog.settings import read_settings
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.corrections import CorrectionRequest, dates_of
from plugins.own_store.history.ingest import ingest
from warehouse.commits import commit

def take(home, file, dates, left):
    made, finished = commit.Commit.make, commit.finish

    def step_of(name):
        nonlocal left
        if name is not None and name.startswith("file-"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def make(self):
        step_of(self._name)
        made(self)

    def finish(store, record):
        step_of(record.name)
        finished(store, record)

    commit.Commit.make, commit.finish = make, finish
    asked = CorrectionRequest(replace=dates_of(dates)) if dates else CorrectionRequest()
    now = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    ingest(read_settings({"SHELFPRICE_HOME": home}), Path(file), Reading(), None, now, asked=asked)

for asked in json.loads(sys.argv[1]):
    child = os.fork()
    if child == 0:
        try:
            take(*asked)
        finally:
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def units_file(folder: Path, name: str, units: int, days: range = range(N_DAYS)) -> Path:
    rows = [f"{FIRST + dt.timedelta(days=day)},S01,A,2.00,{units}" for day in days]
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(["date,store,sku,price,qty", *rows]) + "\n", encoding="utf-8")
    return file


def taken(settings: Settings, file: Path, asked: CorrectionRequest | None = None) -> Ingested:
    return ingest(settings, file, Reading(), None, NOW, asked=asked or CorrectionRequest())


def replaced_days(found: Ingested) -> list[tuple[str, float, float]]:
    return [(day["date"], day["units_before"], day["units_after"]) for day in found.row["summary"]["replaced"]]


def expected_days(before: float, after: float) -> list[tuple[str, float, float]]:
    return [(str(FIRST + dt.timedelta(days=day)), before, after) for day in range(N_DAYS)]


def test_after_a_third_edition_and_a_day_back_the_lake_is_as_it_was_published(
    settings: Settings, tmp_path: Path
) -> None:
    first = units_file(tmp_path, "january.csv", 5)
    taken(settings, first)
    taken(settings, units_file(tmp_path, "second.csv", 9), ALL)
    taken(settings, units_file(tmp_path, "third.csv", 7, range(2)), CorrectionRequest(ALL.replace[:2]))
    taken(settings, first, ALL)
    lake = Lake(settings)
    assert verify(lake).findings == ()
    holders = {own.group for own in lake.partitions("unit_sales")}
    assert len(holders) == 1


def test_a_part_that_was_replaced_is_a_part_of_no_commit(settings: Settings, tmp_path: Path) -> None:
    taken(settings, units_file(tmp_path, "january.csv", 5))
    lake = Lake(settings)
    gone = {own.group for own in lake.partitions("unit_sales")}
    taken(settings, units_file(tmp_path, "correction.csv", 9), ALL)
    records = [final_record(lake.notes, name) for name in final_names(lake.notes)]
    assert not [part for one in records if one for part in one.parts if part.receipt and part.partition.group in gone]


def test_a_part_that_is_lost_after_its_days_were_replaced_back_is_still_told(
    settings: Settings, tmp_path: Path
) -> None:
    first = units_file(tmp_path, "january.csv", 5)
    taken(settings, first)
    taken(settings, units_file(tmp_path, "correction.csv", 9), ALL)
    taken(settings, first, ALL)
    lake = Lake(settings)
    part = next(iter(lake.partitions("unit_sales")))
    for file in (lake.path(part), final_path(lake.path(part))):
        file.unlink()
    assert {finding.kind for finding in verify(lake).findings} == {"missing"}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], tuple[Settings, Path]]:
    """Return the home of each kill and the file that was being taken: one program imports all, and forks to die."""
    before, found, asked = tmp_path_factory.mktemp("before"), dict[tuple[str, int], tuple[Settings, Path]](), []
    taken(read_settings({"SHELFPRICE_HOME": str(before / "home")}), units_file(before, "january.csv", 5))
    for name, step in KILLS:
        folder = shutil.copytree(before, tmp_path_factory.mktemp("killed"), dirs_exist_ok=True)
        settings = read_settings({"SHELFPRICE_HOME": str(folder / "home")})
        file = units_file((folder / name).parent, Path(name).name, 9)
        found[name, step] = (settings, file)
        dates = f"{ALL.replace[0]}..{ALL.replace[-1]}" if name == "correction.csv" else ""
        asked.append((str(settings.home), str(file), dates, step))
    died = subprocess.run(
        [sys.executable, "-c", DYING, json.dumps(asked)],
        check=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
    )
    assert [int(code) for code in died.stdout.split()] == [-signal.SIGKILL] * len(KILLS)
    return found


@pytest.mark.parametrize(("name", "step"), KILLS)
def test_killed_in_the_middle_the_same_command_names_every_day_that_was_replaced(
    killed: dict[tuple[str, int], tuple[Settings, Path]], name: str, step: int
) -> None:
    settings, file = killed[name, step]
    assert verify(Lake(settings)).findings == ()
    found = taken(settings, file, ALL if name == "correction.csv" else None)
    assert replaced_days(found) == expected_days(5.0, 9.0)
    assert verify(Lake(settings)).findings == ()


def test_the_audit_stays_when_the_same_file_is_read_in_another_way(settings: Settings, tmp_path: Path) -> None:
    taken(settings, units_file(tmp_path, "january.csv", 5))
    file = units_file(tmp_path, "correction.csv", 9)
    taken(settings, file, ALL)
    again = ingest(settings, file, Reading(grain="units"), None, NOW, asked=CorrectionRequest())
    assert replaced_days(again) == expected_days(5.0, 9.0)
