"""The till of an outside store: what it sends, what goes wrong on the way, and the program against a small server."""

import datetime as dt
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.load import load
from evaluation.outside_store.stores import till_faults
from evaluation.outside_store.stores.count_grocer import CountGrocer
from evaluation.outside_store.stores.engine_commands import run_command
from evaluation.outside_store.stores.fetched_prices import ExportFolder, QuotedPrices
from evaluation.outside_store.stores.outside_till import OutsideTill, StorePlan
from evaluation.outside_store.stores.sales_client import AT_ONCE, RefusedRequestError, SalesClient
from evaluation.outside_store.stores.shelf_files import write_shelf
from evaluation.outside_store.stores.till_faults import FAULTS, FaultyPost, counted_once
from evaluation.outside_store.stores.till_lines import TillLine, lines_of
from evaluation.outside_store.stores.twin_store import TwinStore

MONDAY = dt.date(2026, 1, 5)
OPENING = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
WORLD = CountGrocer(1, 2, 6.0, 3)
UNITS = np.array([[7, 0, 3], [2, 5, 40]])


def day_of(date: dt.date, units: np.ndarray = UNITS) -> list[TillLine]:
    return lines_of(units, WORLD.owner_prices, WORLD.stores, WORLD.skus, date, 1)


def units_in(lines: list[TillLine]) -> np.ndarray:
    units = np.zeros(UNITS.shape, dtype=np.int64)
    for line in lines:
        units[WORLD.stores.index(line.store_id), WORLD.skus.index(line.sku)] += line.units
    return units


@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=2, max_size=2))
@settings(deadline=None)
def test_receipts_hold_every_unit_once_with_ids_of_their_own(units: list[list[int]]) -> None:
    lines = day_of(MONDAY, np.array(units))
    assert units_in(lines).tolist() == units
    assert len({line.event_id for line in lines}) == len({(line.receipt, line.line) for line in lines}) == len(lines)
    assert all(OPENING <= line.sold_at < OPENING + dt.timedelta(hours=12) for line in lines)
    assert lines == day_of(MONDAY, np.array(units))


@given(st.sets(st.sampled_from(FAULTS)), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_whatever_goes_wrong_on_the_way_what_was_sold_is_the_same(faults: set[str], seed: int) -> None:
    post, sold, sent = FaultyPost(faults, seed), list[TillLine](), list[TillLine]()
    for day in range(6):
        lines = day_of(MONDAY + dt.timedelta(days=day))
        sold += lines
        sent += post.of_day(lines)
    sent += post.left()
    assert units_in(counted_once(sent)).tolist() == units_in(sold).tolist() == (6 * UNITS).tolist()
    ids: dict[tuple[str, int], TillLine] = {}
    for line in sent:
        assert ids.setdefault((line.receipt, line.line), line) == line


def test_each_fault_does_what_its_name_says() -> None:
    lines = [line for store in range(20) for line in lines_of(UNITS * 9, WORLD.owner_prices, WORLD.stores, WORLD.skus,
                                                              MONDAY + dt.timedelta(days=store), 1)]  # fmt: skip
    posts = {fault: FaultyPost({fault}, 3) for fault in FAULTS}
    first = {fault: post.of_day(lines) for fault, post in posts.items()}
    assert 0.9 < len(first["late"]) / len(lines) < 0.99
    assert sorted(line.event_id for line in first["late"] + posts["late"].left()) == sorted(
        line.event_id for line in lines
    )
    assert first["out-of-order"] != lines
    assert {line.event_id for line in first["out-of-order"]} == {line.event_id for line in lines}
    assert len(first["duplicates"] + posts["duplicates"].left()) > 1.03 * len(lines)
    assert [line.units for line in first["voids"] if line.voids] == [0] * ((len(first["voids"]) - len(lines)) // 2)
    assert len(first["voids"]) > 1.02 * len(lines)
    assert {line.units for line in posts["returns"].left()} == {-1}
    assert FaultyPost((), 3).of_day(lines) == lines


def test_no_two_lines_of_a_faulty_post_stand_in_one_place_of_a_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(till_faults, "_VOIDED", 0.6)
    monkeypatch.setattr(till_faults, "_RETURNED", 0.6)
    lines = day_of(MONDAY)
    post = FaultyPost(("voids", "returns"), 1)
    sent = post.of_day(lines) + post.left()
    assert len(sent) > 2 * len(lines)
    assert len({(line.receipt, line.line) for line in sent}) == len({line.event_id for line in sent}) == len(sent)


def test_a_line_is_sent_as_the_intake_reads_it() -> None:
    line = day_of(MONDAY)[0]
    sent, void = line.as_json(), line.voided().as_json()
    assert sorted(sent) == ["event_id", "line", "price", "receipt", "sku", "sold_at", "store_id", "units"]
    assert sent["sold_at"].endswith("+00:00")
    assert void["voids"] == line.event_id
    assert {"units", "price"} & void.keys() == set()


def batch(number: int, sku: str, price: float, till: float, valid_from: str = "2026-01-05T08:00:00+00:00") -> str:
    price_of = {"sku": sku, "price": price, "till_price": till, "valid_from": valid_from}
    return json.dumps({"batch": f"b{number}", "number": number, "store": "G01", "prices": [price_of]})


def test_the_export_holds_the_newest_valid_price_and_is_acknowledged(tmp_path: Path) -> None:
    for number, text in enumerate([
        batch(2, "P01", 2.0, 1.9),
        batch(1, "P01", 5.0, 5.0),
        batch(3, "P02", 3.0, 3.0, "2026-01-06T08:00:00+00:00"),
    ]):  # fmt: skip
        (tmp_path / f"G01-{number}.json").write_text(text, encoding="utf-8")
    folder = ExportFolder(tmp_path, WORLD.stores, WORLD.skus)
    found = folder.fetch(OPENING, WORLD.owner_prices, UNITS)
    assert (found.till[0, 0], found.label[0, 0]) == (1.9, 2.0)
    assert np.array_equal(found.till[:, 1:], WORLD.owner_prices[:, 1:])
    assert found.missing == 5
    (acks,) = (tmp_path / "acks").glob("*.json")
    said = json.loads(acks.read_text(encoding="utf-8"))
    assert [(one["batch"], one["store"], one["device"]) for one in said] == [
        ("b2", "G01", "label"),
        ("b2", "G01", "till"),
    ], "nobody shows a price before it holds"
    later = folder.fetch(OPENING + dt.timedelta(days=1), WORLD.owner_prices, UNITS)
    assert later.till[0, 1] == 3.0


def test_the_shelf_files_are_a_catalog_that_holds_the_owners_rules(tmp_path: Path) -> None:
    world = CountGrocer(4, 3, 10.0)
    write_shelf(world, tmp_path)
    catalog = load(tmp_path)
    assert catalog.base_prices == pytest.approx(world.owner_prices[0])
    assert tuple(catalog.store.stores) == world.stores
    assert catalog.store.guardrails.largest_step == 0.1
    ratios = [(one.floor / one.base_price, one.ceiling / one.base_price) for one in catalog.products]
    assert min(low for low, _ in ratios) > 0.75 - 1e-9
    assert max(high for _, high in ratios) < 1.25 + 1e-9


def test_a_command_that_fails_ends_the_run_with_its_last_line() -> None:
    run_command(f"{sys.executable} -c 'import sys; assert sys.argv[1] == \"2026-01-05\"' {{date}}", MONDAY)
    with pytest.raises(RefusedRequestError, match=r"expected a command that succeeds, found .*no such thing"):
        run_command(f"{sys.executable} -c 'raise SystemExit(\"no such thing\")'", MONDAY)


@dataclass
class Engine:
    """A small server that takes sales and quotes every product at 95 % of the price that the grocer's owner has."""

    world: Any = WORLD
    fails: list[int] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: list[tuple[str, Any]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)

    def answer(self, path: str, body: Any) -> Any:
        self.bodies.append((path, body))
        if path == "/v1/quotes":
            return [self._quote(one) for one in body]
        if path == "/v1/sales":
            before = len(self.events)
            self.events.update({line["event_id"]: line for line in body})
            taken = len(self.events) - before
            return {"taken": taken, "known": len(body) - taken, "refused": []}
        return {"taken": len(body), "refused": []}

    def _quote(self, question: dict[str, Any]) -> dict[str, Any]:
        if question["sku"] == "P03":
            return {"status": 404, "detail": "no such product"}
        column = self.world.skus.index(question["sku"])
        rule = "exploration" if question["store"] == self.world.stores[0] else "greedy"
        return {"price": round(float(self.world.owner_prices[0, column]) * 0.95, 2), "binding_rule": rule}


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            engine.tokens.add(self.headers["Authorization"])
            status = engine.fails.pop(0) if engine.fails else 200
            if status == 0:  # taken in, and the answer is lost
                engine.answer(self.path, body)
                self.close_connection = True
                return
            answer = json.dumps(engine.answer(self.path, body) if status == 200 else {"detail": "why not"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.server
def test_a_till_sends_again_what_was_not_answered(engine: Engine, url: str) -> None:
    engine.fails = [503, 0, 429]
    pauses = list[float]()
    client = SalesClient(url, "secret", pause=pauses.append)
    lines = day_of(MONDAY)
    client.send_sales(lines)
    assert pauses == [0.5, 1.0, 2.0]
    assert engine.events == {line.event_id: line.as_json() for line in lines}
    assert client.answers == {"/v1/sales taken": 0, "/v1/sales known": len(lines), "/v1/sales refused": 0}
    assert engine.tokens == {"Bearer secret"}


@pytest.mark.server
def test_a_request_that_is_refused_is_not_sent_again(engine: Engine, url: str) -> None:
    engine.fails = [422]
    with pytest.raises(RefusedRequestError, match=r"it answers 422: .*why not"):
        SalesClient(url).send_sales(day_of(MONDAY))
    assert engine.bodies == []


@pytest.mark.server
def test_many_lines_go_in_several_requests_in_their_order(engine: Engine, url: str) -> None:
    lines = lines_of(UNITS * 400, WORLD.owner_prices, WORLD.stores, WORLD.skus, MONDAY, 1)
    SalesClient(url).send_sales(lines)
    assert [len(body) for _, body in engine.bodies] == [
        AT_ONCE,
        *[AT_ONCE] * (len(lines) // AT_ONCE - 1),
        len(lines) % AT_ONCE,
    ]
    assert list(engine.events) == [line.event_id for line in lines]


@pytest.mark.server
def test_a_shop_that_gets_no_price_keeps_the_one_that_stands(engine: Engine, url: str) -> None:
    engine.fails = [503, 503]
    supply = QuotedPrices(SalesClient(url, pause=lambda _: None), WORLD.stores, WORLD.skus)
    standing = WORLD.owner_prices * 1.1
    without = supply.fetch(OPENING, standing, UNITS)
    assert np.array_equal(without.till, standing)
    assert without.missing == UNITS.size
    assert supply.fetch(OPENING, standing, UNITS).missing == 2
    assert [one["stock"] for one in engine.bodies[-1][1]] == UNITS.ravel().tolist()


@pytest.mark.server
@pytest.mark.parametrize("faults", [(), FAULTS])
def test_a_store_sells_at_the_prices_it_gets_and_says_what_it_earned(
    engine: Engine, url: str, faults: tuple[str, ...]
) -> None:
    client = SalesClient(url, sends_twice="duplicates" in faults)
    plan = StorePlan(MONDAY, n_weeks=3, owner_weeks=1, faults=faults)
    till = OutsideTill(WORLD, QuotedPrices(client, WORLD.stores, WORLD.skus), client, plan)
    found = till.run()
    taken = [TillLine(**{"units": 0, "price": 0.0, "voids": None} | event) for event in engine.events.values()]
    sold = sum(day.units for day in till.sold)
    assert units_in(counted_once(taken)).tolist() == sold.tolist()
    last = {(line.store_id, line.sku): line.price for line in counted_once(taken) if line.receipt.startswith("G0")}
    assert last["G01", "P01"] == round(WORLD.owner_prices[0, 0] * 0.95, 2)
    assert last["G02", "P03"] == WORLD.owner_prices[0, 2]
    assert [week["monday"] for week in found["weeks"]] == ["2026-01-12", "2026-01-19", "2026-01-26"]
    assert [(week["without_price"], week["tried"], week["outside_rules"]) for week in found["weeks"]] == [(2, 2, 0)] * 3
    assert found["units"] == sum(day.units.sum() for day in till.sold[7:])
    assert 0 < found["lost_by_trying"] < found["lost"] < 1
    assert found["lost"] > found["owner_lost"]
    assert found["attainable"] == "exact"
    assert found["answers"]["/v1/sales taken"] == len(engine.events)
    assert (found["answers"]["/v1/sales known"] > 0) == bool(faults)


@pytest.mark.server
def test_the_twin_tells_visitors_and_stock_too_and_asks_at_each_tick(engine: Engine, url: str) -> None:
    engine.world = world = TwinStore(1, MONDAY)
    client = SalesClient(url)
    plan = StorePlan(MONDAY, n_weeks=1, owner_weeks=1, each_tick=True)
    found = OutsideTill(world, QuotedPrices(client, world.stores, world.skus), client, plan).run()
    asked = [body for path, body in engine.bodies if path == "/v1/quotes"]
    assert len(asked) == 1 + 7 * 48
    assert [len(body) for body in asked] == [15] * len(asked)
    assert asked[1][0]["ticks_left"] == 48
    assert {path for path, _ in engine.bodies} == {"/v1/quotes", "/v1/sales", "/v1/traffic", "/v1/stock"}
    assert found["weeks"][0]["expected_eur"] is None
    assert -0.1 < found["lost"] < 0.9


@pytest.mark.server
def test_the_program_plays_and_ends_with_one_json(engine: Engine, url: str, tmp_path: Path) -> None:
    engine.world = CountGrocer(5, 1, 2.0)
    (tmp_path / "token").write_text("secret\n", encoding="utf-8")
    options = ["--url", url, "--token-file", str(tmp_path / "token"), "--weeks", "1", "--size", "1x2", "--seed", "5"]
    more = ["--sold", str(tmp_path / "sold.csv"), "--first-monday", "2026-01-05", "--faults", "late,returns"]
    command = [sys.executable, "-m", "evaluation.outside_store", "grocer", *options, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["store"], found["seed"], found["stores"], found["faults"]) == ("grocer", 5, 1, ["late", "returns"])
    assert len(found["weeks"]) == 1
    rows = [line.split(",") for line in (tmp_path / "sold.csv").read_text(encoding="utf-8").splitlines()]
    taken = counted_once(
        [TillLine(**{"units": 0, "price": 0.0, "voids": None} | one) for one in engine.events.values()]
    )
    assert sum(int(row[3]) for row in rows[1:]) == sum(line.units for line in taken) > 0
    assert engine.tokens == {"Bearer secret"}


def test_an_engine_that_is_away_ends_the_program_with_one_line() -> None:
    client = SalesClient("http://127.0.0.1:9", pause=lambda _: None)
    with pytest.raises(RefusedRequestError, match=r"does not answer .* sends it again without harm"):
        client.send_sales(day_of(MONDAY))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--size", "10"), "stores x units a day, such as 10x10, found 10"),
        (("--first-monday", "2026-01-06"), "expected a Monday, found Tuesday 2026-01-06"),
        (("--faults", "late,odd"), "found odd"),
        (("--weeks", "0"), "a whole number from 1, found 0"),
    ],
)
def test_what_cannot_be_played_is_wrong_usage(options: tuple[str, ...], said: str) -> None:
    command = [sys.executable, "-m", "evaluation.outside_store", "grocer", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr
