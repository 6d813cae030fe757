"""Dates of an export that are admitted elsewhere: the bytes of one process, exactly once, or a clear refusal."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from elsewhere import Elsewhere
from hypothesis import HealthCheck, given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from catalog.errors import DataError
from catalog.settings import Settings, read_settings
from catalog.spread import HERE, Done, Spread, unheard
from own_data.exports.admit_dates import Room
from own_data.exports.columns import Reading
from own_data.exports.corrections import CorrectionRequest
from own_data.exports.ingest import ingest, is_worth_a_cluster
from own_data.exports.read import open_export
from warehouse.lake import Lake

pytestmark = pytest.mark.play

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
FIRST = dt.date(2026, 1, 5)
HEADER = "time,store,customer,sku,price,bought,promotion"
BAD = (
    "not a date,S01,1,A,2.00,1,0",
    f"{FIRST} 10:00,S01,1,A,two,1,0",
    f"{FIRST} 10:00,S01,1,A",
    "2026-02-01 09:00,S01,1,A,x,1,0",
)
OF_A_FILE = ("interactions", "rejected", "promotions")

visit = st.builds(
    lambda day, hour, store, sku, price, bought: (
        f"{FIRST + dt.timedelta(days=day)} {hour:02d}:00,S0{store},{hour},{sku},{price}.00,{bought:d},{hour % 2}"
    ),
    st.integers(0, 4),
    st.integers(8, 19),
    st.integers(1, 2),
    st.sampled_from("ABC"),
    st.integers(2, 4),
    st.booleans(),
)


def take(
    home: Path, rows: Sequence[str], spread: Spread, asked: CorrectionRequest | None = None, name: str = "log.csv"
) -> Settings:
    """Ingest rows into a home, which is that of the environment as well."""
    settings, file = read_settings({"SHELFPRICE_HOME": str(home)}), home.parent / name
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHELFPRICE_HOME", str(home))
        ingest(settings, file, Reading(), None, NOW, Room(spread=spread), asked or CorrectionRequest())
    return settings


def bytes_in(settings: Settings) -> dict[str, tuple[str, str]]:
    lake = Lake(settings)
    found = [(part, lake.receipt(part)) for table in OF_A_FILE for part in lake.partitions(table)]
    return {str(part): (receipt.sha256, receipt.inputs) for part, receipt in found if receipt is not None}


def row_of(settings: Settings) -> list[dict[str, Any]]:
    lake = Lake(settings)
    return [row for part in lake.partitions("ingested_files") for row in lake.read(part).to_pylist()]


@of_hypothesis(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(visit, min_size=20, max_size=40), st.lists(st.sampled_from(BAD), max_size=3), st.randoms())
def test_the_dates_of_a_file_have_the_same_bytes_wherever_they_are_admitted(
    tmp_path_factory: pytest.TempPathFactory, good: list[str], bad: list[str], random: Any
) -> None:
    folder, rows = tmp_path_factory.mktemp("homes"), [*good, *bad]
    random.shuffle(rows)
    here, away = (take(folder / name, rows, spread) for name, spread in (("here", HERE), ("away", Elsewhere())))
    assert bytes_in(here) == bytes_in(away)
    assert row_of(here) == row_of(away)
    assert not (away.lake / "scratch").exists()


def rows_of(days: Sequence[int], price: str = "2.00") -> list[str]:
    moments = [(FIRST + dt.timedelta(days=day), hour) for day in days for hour in range(8, 14)]
    return [f"{date} {hour:02d}:00,S01,{hour},A,{price},{hour % 2},0" for date, hour in moments]


def test_days_that_are_replaced_or_repeated_are_so_elsewhere_too(tmp_path: Path) -> None:
    made = []
    for name, spread in (("here", HERE), ("away", Elsewhere())):
        home = tmp_path / name / "home"
        home.parent.mkdir()
        take(home, rows_of([0, 1, 2]), spread, name="first.csv")
        replaced = CorrectionRequest((FIRST + dt.timedelta(days=1),))
        made.append(take(home, [*rows_of([1, 3], "3.00"), *rows_of([2])], spread, replaced, "second.csv"))
    assert bytes_in(made[0]) == bytes_in(made[1])
    assert len(bytes_in(made[0])) > 3


class DiesAfterOne(Elsewhere):
    """Elsewhere, where whoever sends is killed when one job is done."""

    def __call__(self, function: Callable[[Any], Any], jobs: Sequence[Any], on_done: Done = unheard) -> list[Any]:
        super().__call__(function, jobs[:1], on_done)
        raise KeyboardInterrupt


def test_after_a_kill_the_same_file_again_ends_in_the_bytes_of_an_undisturbed_run(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = take(tmp_path / "whole" / "home", rows_of(range(4)), HERE)
    with pytest.raises(KeyboardInterrupt):
        take(tmp_path / "home", rows_of(range(4)), DiesAfterOne())
    killed = read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")})
    assert [part.business_date for part in Lake(killed).partitions("interactions")] == [FIRST]
    assert row_of(killed) == []
    assert bytes_in(take(tmp_path / "home", rows_of(range(4)), Elsewhere())) == bytes_in(whole)


class Succeeded(Elsewhere):
    """Elsewhere, where the rows that were handed over are gone when the jobs arrive."""

    def __call__(self, function: Callable[[Any], Any], jobs: Sequence[Any], on_done: Done = unheard) -> list[Any]:
        Lake(read_settings()).store.take_back()
        return super().__call__(function, jobs, on_done)


def test_what_a_killed_run_sent_out_publishes_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected the rows of log.csv on 2026-01-05 in .*; nothing was published of"):
        take(tmp_path / "home", rows_of(range(3)), Succeeded())
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")}))
    assert list(lake.partitions("interactions")) == []


def test_rows_that_a_kill_left_in_the_store_are_gone_with_the_next_file_wherever_that_is_admitted(
    tmp_path: Path,
) -> None:
    store = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")})).store
    store.hand_over("left", memoryview(b"rows"))
    assert store.handed_over("left") == b"rows"
    take(tmp_path / "home", rows_of([0]), HERE)
    assert store.handed_over("left") is None


def test_a_large_file_of_visits_alone_is_worth_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visits, units = tmp_path / "visits.csv", tmp_path / "units.csv"
    visits.write_text("\n".join([HEADER, *rows_of([0])]) + "\n", encoding="utf-8")
    units.write_text("date,store,sku,price,qty\n2026-01-05,S01,A,2.00,5\n", encoding="utf-8")
    assert not is_worth_a_cluster(open_export(visits, Reading()))
    monkeypatch.setattr("own_data.exports.ingest._LARGE", 1)
    assert is_worth_a_cluster(open_export(visits, Reading()))
    assert not is_worth_a_cluster(open_export(units, Reading()))
