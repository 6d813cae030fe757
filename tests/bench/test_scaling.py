"""What a chain needs follows from what was measured, and what is busy first is named."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scaling import Chain, Parts, main, plan, read_parts, rows_of

PARTS = Parts(
    decisions_per_core_second=1e6,
    bytes_per_decision=2.0,
    partitions_per_batch=10.0,
    requests_per_partition=5.0,
    commits_per_batch=1.0,
    seconds_per_commit=0.02,
    log_bytes_per_commit=2000.0,
    seconds_per_task=0.005,
    core_seconds_per_booked_product=0.002,
    bytes_per_booked_product=2000.0,
    core_seconds_per_updated_product=0.003,
    core_seconds_per_price=20e-6,
    bytes_per_price=5.0,
    requests_per_second=3500.0,
    bytes_per_second=1e9,
    eur_per_core_hour=0.036,
    eur_per_million_requests=5.0,
    eur_per_gb_month=0.023,
)
BILLION = Chain(
    stores=1000,
    days=1000,
    products=0,
    stores_per_zone=1000,
    updates_per_day=0,
    decisions_per_store_day=1000.0,
    decisions_per_batch=1e6,
    workers=10,
)
NIGHT = Chain(
    stores=10_000,
    days=1,
    products=30_000,
    stores_per_zone=100,
    updates_per_day=12,
    decisions_per_store_day=60_000.0,
    decisions_per_batch=1e6,
    workers=100,
)


def test_a_billion_decisions_by_hand() -> None:
    found = plan(PARTS, BILLION)
    assert (found.decisions, found.batches) == (1e9, 1000)
    assert found.seconds == pytest.approx(100.0)  # 1e9 decisions on 10 cores of 1e6 a second
    assert found.busy["workers"] == 1.0
    assert found.busy["commits to one log"] == pytest.approx(1000 * 0.02 / 100)
    assert found.busy["requests to the store"] == pytest.approx(50_000 / 3500 / 100)
    assert found.saturates_first == "commits to one log"
    assert found.useful_workers == 50  # 1000 core seconds in the 20 seconds that the commits take
    assert found.requests == 50_000
    assert found.lake_bytes == 2e9
    assert found.log_bytes == 2e6
    assert found.eur_of_compute == pytest.approx(10 * 100 / 3600 * 0.036)
    assert found.eur_per_billion == pytest.approx(0.01 + 0.25)


def test_a_night_of_a_chain_by_hand() -> None:
    found = plan(PARTS, NIGHT)
    assert (found.zones, found.decisions, found.batches) == (100, 6e8, 600)
    seconds = {
        "playing and grouping": 600.0,
        "price books": 100 * 30_000 * 0.002,
        "learning within the day": 100 * 30_000 * 12 * 0.003,
        "prices of stores": 3e8 * 20e-6,
    }
    assert found.core_hours == pytest.approx({name: took / 3600 for name, took in seconds.items()})
    assert found.seconds == pytest.approx(sum(seconds.values()) / 100)
    assert found.lake_bytes == pytest.approx(6e8 * 2 + 100 * 30_000 * 2000 + 3e8 * 5)
    assert found.busy["commits to one log"] == pytest.approx(6 * 0.02 / found.seconds)  # each zone has a log


@given(zone=st.integers(1, 10_000), smaller=st.integers(1, 10_000))
def test_smaller_zones_cost_more_books_and_less_waiting_for_one_log(zone: int, smaller: int) -> None:
    few, many = (replace(NIGHT, stores_per_zone=size) for size in (max(zone, smaller), min(zone, smaller)))
    assert plan(PARTS, few).zones <= plan(PARTS, many).zones
    assert plan(PARTS, few).core_hours["price books"] <= plan(PARTS, many).core_hours["price books"]
    assert plan(PARTS, few).log_bytes >= plan(PARTS, many).log_bytes


@given(workers=st.integers(1, 5000), more=st.integers(1, 5000))
def test_more_workers_never_take_longer_and_beyond_the_useful_ones_nothing_is_faster(workers: int, more: int) -> None:
    few, many = (plan(PARTS, replace(BILLION, workers=count)) for count in (workers, workers + more))
    assert many.seconds <= few.seconds
    assert few.useful_workers == many.useful_workers
    if workers >= few.useful_workers:
        assert many.seconds == few.seconds


@given(
    worse=st.sampled_from(["seconds_per_commit", "seconds_per_task", "requests_per_partition", "bytes_per_decision"])
)
def test_what_becomes_dear_enough_is_what_saturates_first(worse: str) -> None:
    names = {
        "seconds_per_commit": "commits to one log",
        "seconds_per_task": "handing out tasks",
        "requests_per_partition": "requests to the store",
        "bytes_per_decision": "bytes to the store",
    }
    dear = replace(PARTS, **{worse: getattr(PARTS, worse) * 1e4})
    found = plan(dear, BILLION)
    assert found.saturates_first == names[worse]
    assert found.busy["workers"] < 1.0


def test_a_part_that_is_missing_or_cannot_be_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "parts.json"
    known = asdict(PARTS)
    file.write_text(json.dumps(known))
    assert read_parts(file) == PARTS
    file.write_text(json.dumps({name: value for name, value in known.items() if name != "seconds_per_task"}))
    with pytest.raises(ValueError, match="seconds_per_task"):
        read_parts(file)
    file.write_text(json.dumps({**known, "bytes_per_second": 0}))
    with pytest.raises(ValueError, match="bytes_per_second: expected a number above 0, found 0"):
        read_parts(file)


def test_parts_that_cannot_be_read_are_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.json").write_text("{")
    for file in ("missing.json", "broken.json"):
        monkeypatch.setattr("sys.argv", ["bench.scaling", str(tmp_path / file)])
        with pytest.raises(SystemExit, match="2"):
            main()
        assert capsys.readouterr().err.rstrip().endswith("nothing was planned")


def test_the_plan_is_said_in_rows() -> None:
    rows = dict(rows_of(plan(PARTS, BILLION)))
    assert rows["saturates first"] == "commits to one log, at 50 workers"
    assert rows["a billion decisions"] == "0.26 EUR"
    assert rows["takes"] == "100 s"
    assert dict(rows_of(plan(PARTS, replace(BILLION, workers=1, days=10**5))))["takes"] == "27.8 h"
    assert dict(rows_of(plan(PARTS, replace(BILLION, workers=1, days=10**6))))["takes"] == "11.6 days"
