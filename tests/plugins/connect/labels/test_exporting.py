"""Exports of a store that sells: to a folder and to an address, with acknowledgements on their way back."""

import csv
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from price_shop import DATE, Shop
from receiver import receiving

from catalog.errors import DataError, ServiceError
from etl.calendar import ONE_DAY
from plugins.connect.labels.ack_files import FOLDER, read_ack_files
from plugins.connect.labels.acknowledge import acknowledge
from plugins.connect.labels.export import ExportResult, export, unproven_deliveries
from plugins.connect.labels.export_log import ExportLog
from plugins.connect.labels.status import late_in, status
from plugins.connect.labels.targets import FolderTarget, HttpTarget, target_of
from plugins.desk.next_ticks import next_date
from plugins.desk.price_changes import propose
from plugins.desk.price_changes.record import all_changes
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.operations.checks.proving import unproven_notes, verify

LONG_AGO = 1_000_000_000  # s since 1970


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.publish()
    return shop


@pytest.fixture
def target(tmp_path: Path) -> FolderTarget:
    return FolderTarget(tmp_path / "labels")


def documents(target: FolderTarget) -> list[dict[str, Any]]:
    found = (json.loads(file.read_text(encoding="utf-8")) for file in target.folder.glob("*.json"))
    return sorted(found, key=lambda document: (document["number"], document["store"]))


def prices_in(document: dict[str, Any], name: str = "price") -> dict[str, Any]:
    return {own["sku"]: own[name] for own in document["prices"]}


def acks_of(document: dict[str, Any], *devices: str) -> list[dict[str, Any]]:
    return [
        {"batch": document["batch"], "store": document["store"], "device": device, "at": "2026-01-19T09:00:00Z"}
        for device in devices or ("till", "label")
    ]


def test_before_opening_every_store_is_sent_what_it_opens_with(shop: Shop, target: FolderTarget) -> None:
    done = export(shop.workspace, target)
    assert [batch.store for batch in done.sent] == list(shop.catalog.store.stores)
    own = next(document for document in documents(target) if document["store"] == "S01")
    assert set(prices_in(own)) == set(shop.catalog.skus)
    assert {moment[:10] for moment in prices_in(own, "valid_from").values()} == {"2026-01-05"}


@pytest.mark.parametrize("most_told", [0, 10_000])
def test_a_label_is_sent_what_passed_in_a_set_and_never_what_waits(
    tmp_path: Path, target: FolderTarget, monkeypatch: pytest.MonkeyPatch, most_told: int
) -> None:
    monkeypatch.setattr(propose, "MOST_TOLD", most_told)
    shop = Shop(tmp_path, "{within_of_base: 0.042}")
    opening = next_date(shop.lake, shop.catalog)
    proposed = propose.propose(shop.workspace, shop.publish(opening), opening)
    assert proposed.waiting
    assert proposed.passed
    sent = {(batch.store, own.sku): own.price for batch in export(shop.workspace, target).sent for own in batch.prices}
    for change in all_changes(shop.lake):
        price = sent[change.terms.store or "", change.terms.sku or ""]
        assert (price == change.terms.new_price) == (change.last == "approved")


def test_the_prices_of_the_running_day_are_sent_and_the_same_prices_once(shop: Shop, target: FolderTarget) -> None:
    player = shop.sell(4)
    export(shop.workspace, target, ["S01"])
    assert export(shop.workspace, target, ["S01"]).sent == ()
    (first,) = documents(target)
    assert prices_in(first) == {sku: shop.price_in(3, sku) for sku in shop.catalog.skus}
    ask(shop.workspace, PriceRequest("override", "a competitor", sku="MILK", store="S01", price=1.29), "anna")
    export(shop.workspace, target, ["S01"])
    second = documents(target)[-1]
    assert prices_in(second)["MILK"] == 1.29, "what people set is known before its tick"
    assert prices_in(second, "valid_from")["MILK"] == shop.catalog.store.clock_of(None).moment_of(DATE, 4).isoformat()
    assert second["after"] == first["batch"]
    shop.sell(5, player)
    assert shop.price_in(4) == 1.29
    newest = {}
    export(shop.workspace, target, ["S01"])
    for document in documents(target):
        newest.update(prices_in(document))
    assert newest == {sku: shop.price_in(4, sku) for sku in shop.catalog.skus}
    assert not verify(shop.lake).findings


def test_from_the_last_tick_on_the_next_opening_is_sent_and_what_is_ordered_for_it_since(
    shop: Shop, target: FolderTarget
) -> None:
    player = shop.sell(47)
    export(shop.workspace, target, ["S01"])
    shop.sell(48, player)  # nobody has closed the day
    export(shop.workspace, target, ["S01"])
    running, evening = documents(target)
    tomorrow = DATE + ONE_DAY
    opening = shop.catalog.store.clock_of("S01").opening_of(tomorrow).isoformat()
    assert {moment[:10] for moment in prices_in(running, "valid_from").values()} == {str(DATE)}
    assert set(prices_in(evening, "valid_from").values()) == {opening}
    assert set(prices_in(evening)) == set(shop.catalog.skus)
    assert not export(shop.workspace, target, ["S01"]).made
    player.close()
    assert not export(shop.workspace, target, ["S01"]).made
    ask(shop.workspace, PriceRequest("kill_switch", "prices look wrong"), "anna")
    export(shop.workspace, target, ["S01"])
    bases = {product.sku: product.base_price for product in shop.catalog.products}
    assert prices_in(documents(target)[-1]) == bases
    assert set(prices_in(documents(target)[-1], "valid_from").values()) == {opening}


def test_an_announced_reduction_has_its_prior_price(shop: Shop, target: FolderTarget) -> None:
    shop.sell(4)
    lows = {p.sku: min(shop.price_in(tick, p.sku) for tick in range(4)) for p in shop.catalog.products}
    sku = next(p.sku for p in shop.catalog.products if lows[p.sku] > p.floor + 0.05)
    price = round(lows[sku] - 0.05, 2)
    ask(shop.workspace, PriceRequest("override", "weekend", sku=sku, store="S01", price=price, announced=True), "anna")
    export(shop.workspace, target, ["S01"])
    (document,) = documents(target)
    assert prices_in(document, "prior_price")[sku] == lows[sku]
    assert {own for own, prior in prices_in(document, "prior_price").items() if prior is not None} == {sku}


def test_two_exports_at_once_make_and_send_one_batch(shop: Shop, target: FolderTarget) -> None:
    shop.sell(2)
    begin = threading.Barrier(4)

    def run(_: int) -> int:
        begin.wait()
        return len(export(shop.workspace, target, ["S01"]).made)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(run, range(4)))
    assert sum(made) == 1
    assert len(documents(target)) == 1


def test_what_a_receiver_did_not_take_is_sent_under_the_same_id(shop: Shop) -> None:
    shop.sell(2)
    with receiving([503, 503, 503, 503, 503]) as receiver:
        address = HttpTarget(receiver.url, pause=lambda _: None)
        with pytest.raises(ServiceError, match="answers 503"):
            export(shop.workspace, address, ["S01"])
        assert export(shop.workspace, address, ["S01"]).made == ()
        assert len(receiver.requests) == 6
        assert len(set(receiver.requests)) == 1, "the same key with the same bytes"
        assert export(shop.workspace, address, ["S01"]).sent == ()
    assert [document["batch"] for document in receiver.documents()] == list(receiver.batches)


def test_a_receiver_that_never_comes_to_the_end_of_its_answer_holds_no_export(shop: Shop) -> None:
    shop.sell(1)
    ended = threading.Event()

    def trickle(listener: socket.socket) -> None:
        with listener.accept()[0] as connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not ended.wait(0.05):
                connection.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        pool.submit(trickle, listener)
        address = HttpTarget(f"http://127.0.0.1:{listener.getsockname()[1]}", lambda _: listener.close(), 0.3)
        with pytest.raises(ServiceError, match="it does not answer"):
            export(shop.workspace, address, ["S01"])
        ended.set()


def test_a_batch_that_is_refused_holds_back_its_own_store_alone(shop: Shop) -> None:
    with receiving([422]) as receiver:
        address = HttpTarget(receiver.url)
        with pytest.raises(ServiceError, match="answers 422"):
            export(shop.workspace, address)
        first, *others = shop.catalog.store.stores
        assert [document["store"] for document in receiver.documents()] == others
        assert [batch.store for batch in export(shop.workspace, address).sent] == [first]


def test_an_address_that_is_none_is_a_problem_in_one_line(shop: Shop) -> None:
    with pytest.raises(ServiceError, match="it is not a valid URL"):
        export(shop.workspace, HttpTarget("https://localhost:port/prices"), ["S01"])


def test_a_product_that_left_the_catalog_is_not_late_for_ever(shop: Shop, target: FolderTarget) -> None:
    player = shop.sell(1)
    export(shop.workspace, target, ["S01"])
    shop.sell(5, player)
    assert {own.sku for late in late_in(shop.workspace).values() for own in late} == set(shop.catalog.skus)
    left = replace(shop.catalog, products=shop.catalog.products[1:])
    assert {own.sku for late in late_in(replace(shop.workspace, catalog=left)).values() for own in late} == set(
        left.skus
    )


def test_a_target_that_comes_later_gets_what_is_not_acknowledged(shop: Shop, target: FolderTarget) -> None:
    shop.sell(2)
    export(shop.workspace, target, ["S01"])
    with receiving() as receiver:
        address = HttpTarget(receiver.url)
        export(shop.workspace, address, ["S01"])
        assert [document["batch"] for document in receiver.documents()] == [own["batch"] for own in documents(target)]
        acknowledge(shop.workspace, acks_of(documents(target)[0]), "anna")
    with receiving() as other:
        assert export(shop.workspace, HttpTarget(other.url), ["S01"]).sent == ()
        assert len(export(shop.workspace, HttpTarget(other.url), ["S01"], full=True).sent) == 1


def test_no_flipped_bit_in_what_a_target_was_sent_loses_a_price_on_its_way(shop: Shop, target: FolderTarget) -> None:
    export(shop.workspace, target)
    shop.player().sell_tick()
    export(shop.workspace, target)
    (path,) = (shop.lake.root / "exports").glob("*.json")
    content = path.read_bytes()
    sent = [batch.id for batch in ExportLog(shop.lake).history().batches]
    assert len(sent) > 1
    for place in range(0, len(content), 9):
        for bit in (0, 4):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            path.write_bytes(bytes(damaged))
            (said,) = unproven_deliveries(shop.lake.notes)
            assert str(path) in said
            assert [finding.name for finding in unproven_notes(shop.lake.notes)] == [f"exports/{path.name}"]
            done = export(shop.workspace, target)
            assert done.unproven == said
            assert [batch.id for batch in done.sent] == sent
            assert unproven_deliveries(shop.lake.notes) == []
    assert export(shop.workspace, target) == ExportResult()


def test_while_nothing_is_proven_an_export_of_one_store_forgets_no_batch_of_another(
    shop: Shop, target: FolderTarget
) -> None:
    export(shop.workspace, target)
    shop.player().sell_tick()
    export(shop.workspace, target)
    (path,) = (shop.lake.root / "exports").glob("*.json")
    path.write_bytes(path.read_bytes().replace(b"S0", b"S1", 1))
    of_all = ExportLog(shop.lake).history().batches
    first, rest = export(shop.workspace, target, ["S01"]), export(shop.workspace, target)
    assert {batch.store for batch in first.sent} == {"S01"}
    assert sorted(batch.id for done in (first, rest) for batch in done.sent) == sorted(batch.id for batch in of_all)


def test_acknowledgements_in_files_are_taken_in_and_what_cannot_be_used_is_kept_out_with_a_reason(
    shop: Shop, target: FolderTarget
) -> None:
    shop.sell(2)
    export(shop.workspace, target, ["S01"])
    (document,) = documents(target)
    folder = target.folder / FOLDER
    folder.mkdir()
    good = acks_of(document, "label")
    bad = [{**good[0], "batch": "other"}, {**good[0], "device": "shelf"}, "nothing", {**good[0], "price": 1.0}]
    (folder / "1.json").write_text(json.dumps([*good, *bad]), encoding="utf-8")
    row = {"batch": document["batch"], "store": "S01", "sku": "MILK", "device": "till", "at": good[0]["at"]}
    with (folder / "2.CSV").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, [*row, "price", "ok", "error"])
        writer.writeheader()
        writer.writerow({**row, "price": prices_in(document)["MILK"]})
        writer.writerow({**row, "sku": "EGGS", "ok": "no", "error": "till 3 is off"})
    done = export(shop.workspace, target, ["S01"])
    assert done.acknowledged == len(shop.catalog.skus) + 2
    assert [(own.file, own.position) for own in done.refused] == [("1.json", place) for place in (1, 2, 3, 4)]
    reasons = json.loads((folder / "refused" / "1.json.reasons.json").read_text(encoding="utf-8"))
    assert [own["reason"].split(":")[0] for own in reasons] == ["batch", "device", "acknowledgement", "price"]
    assert sorted(file.name for file in (folder / "done").iterdir()) == ["1.json", "2.CSV"]
    (own,) = status(shop.workspace, every_price=True)
    assert (own.sent, own.acknowledged) == (len(shop.catalog.skus), 1)
    assert {row["sku"]: row["problems"] for row in own.prices}["EGGS"] == ["till 3 is off"]


def test_a_file_that_is_read_again_after_a_kill_says_nothing_new(shop: Shop, target: FolderTarget) -> None:
    shop.sell(2)
    export(shop.workspace, target, ["S01"])
    folder = target.folder / FOLDER
    folder.mkdir()
    file = folder / "1.json"
    file.write_text(json.dumps(acks_of(documents(target)[0])), encoding="utf-8")
    assert read_ack_files(shop.workspace, target.folder).recorded == 2 * len(shop.catalog.skus)
    (folder / "done" / "1.json").rename(file)
    again = read_ack_files(shop.workspace, target.folder)
    assert (again.recorded, again.known) == (0, 2 * len(shop.catalog.skus))
    assert len(ExportLog(shop.lake).history().acknowledgements) == 2 * len(shop.catalog.skus)


def test_a_file_that_is_half_written_waits_and_one_that_stays_so_is_refused(shop: Shop, target: FolderTarget) -> None:
    import os

    folder = target.folder / FOLDER
    folder.mkdir(parents=True)
    file = folder / "1.json"
    file.write_text('[{"batch": "', encoding="utf-8")
    assert read_ack_files(shop.workspace, target.folder).refused == ()
    os.utime(file, (LONG_AGO, LONG_AGO))
    (refused,) = read_ack_files(shop.workspace, target.folder).refused
    assert (refused.file, refused.position) == ("1.json", None)
    assert not file.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("1.csv", 'batch,store\n"open, and then" more\n'),
        ("1.csv", f"batch\n{'x' * 200_000}\n"),
        ("1.json", "[" * 100_000),
        ("1.json", '[{"batch": "\\ud800", "store": "S01"}]'),
        (f"{'x' * 240}.json", '[{"batch": "another", "store": "S01"}]'),
    ],
)
def test_no_file_of_a_device_stops_the_exports_of_a_store(
    shop: Shop, target: FolderTarget, name: str, content: str
) -> None:
    import os

    folder = target.folder / FOLDER
    folder.mkdir(parents=True)
    file = folder / name
    file.write_text(content, encoding="utf-8")
    os.utime(file, (LONG_AGO, LONG_AGO))
    done = export(shop.workspace, target, ["S01"])
    assert [own.file for own in done.refused] == [name]
    assert len(done.sent) == 1
    assert not file.exists()
    assert len(list((folder / "refused").iterdir())) == 1


def test_a_link_is_refused_with_a_reason_and_never_read(shop: Shop, target: FolderTarget, tmp_path: Path) -> None:
    export(shop.workspace, target, ["S01"])
    (elsewhere := tmp_path / "acks.json").write_text(json.dumps(acks_of(documents(target)[0])), encoding="utf-8")
    folder = target.folder / FOLDER
    folder.mkdir()
    (folder / "1.json").symlink_to(elsewhere)
    done = export(shop.workspace, target, ["S01"])
    assert [(own.file, own.reason[:29]) for own in done.refused] == [("1.json", "expected a file, found a link")]
    assert done.acknowledged == 0
    assert (elsewhere.exists(), (folder / "1.json").is_symlink()) == (True, False)
    assert not export(shop.workspace, target, ["S01"]).refused


def test_a_file_that_takes_the_place_of_one_that_is_read_is_read_too(
    shop: Shop, target: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.sell(2)
    export(shop.workspace, target, ["S01"])
    document = documents(target)[0]
    file = target.folder / FOLDER / "till.json"
    file.parent.mkdir()
    file.write_text(json.dumps(acks_of(document, "till")), encoding="utf-8")

    def while_it_is_recorded(*given: Any) -> Any:
        file.write_text(json.dumps(acks_of(document, "label")), encoding="utf-8")
        monkeypatch.undo()
        return acknowledge(*given)

    monkeypatch.setattr("plugins.connect.labels.ack_files.acknowledge", while_it_is_recorded)
    taken = [read_ack_files(shop.workspace, target.folder) for _ in range(2)]
    assert [own.recorded for own in taken] == [len(shop.catalog.skus)] * 2


def test_a_label_that_counts_in_four_bytes_shows_what_it_was_sent(shop: Shop, target: FolderTarget) -> None:
    shop.sell(1)
    export(shop.workspace, target, ["S01"])
    document = documents(target)[0]
    sent = prices_in(document)["MILK"]
    acks = [own | {"sku": "MILK", "price": float(np.float32(sent))} for own in acks_of(document)]
    assert acks[0]["price"] != sent
    assert acknowledge(shop.workspace, acks, "anna").recorded == 2
    row = next(own for own in status(shop.workspace, every_price=True)[0].prices if own["sku"] == "MILK")
    assert (row["label"], row["is_acknowledged"]) == (sent, True)


def test_what_no_clock_and_no_label_can_show_is_refused_and_the_rest_is_recorded(
    shop: Shop, target: FolderTarget
) -> None:
    export(shop.workspace, target, ["S01"])
    (ack,) = acks_of(documents(target)[0], "label")
    odd = [
        ack | {"at": "0001-01-01T00:00:00+12:00"},  # before the first moment that UTC can say
        ack | {"at": "2199-01-01T00:00:00Z"},
        ack | {"sku": "MILK", "price": 0.001},
        ack | {"sku": "MILK", "price": 1.295},
    ]
    (target.folder / FOLDER).mkdir()
    (target.folder / FOLDER / "odd.json").write_text(json.dumps([*odd, ack]), encoding="utf-8")
    found = export(shop.workspace, target, ["S01"])
    assert found.acknowledged == len(shop.catalog.skus)
    refused = [own.reason for own in found.refused]
    assert len(refused) == 4
    assert "expected a moment of 1970 or later" in refused[0]
    assert "expected a moment of 1970 or later" in refused[1]
    assert all("expected whole cents" in reason for reason in refused[2:])


def test_labels_that_have_not_followed_after_two_ticks_are_late(shop: Shop, target: FolderTarget) -> None:
    player = shop.sell(2)
    export(shop.workspace, target, ["S01"])
    acknowledge(shop.workspace, acks_of(documents(target)[0], "till"), "anna")
    shop.sell(3, player)
    assert late_in(shop.workspace) == {}
    shop.sell(4, player)
    assert {(own.store, own.device) for late in late_in(shop.workspace).values() for own in late} == {("S01", "label")}
    (own,) = status(shop.workspace)
    assert own.late == len(shop.catalog.skus)
    acknowledge(shop.workspace, acks_of(documents(target)[0], "label"), "anna")
    assert late_in(shop.workspace) == {}


@pytest.mark.parametrize(
    "to",
    [
        "http://anna:secret@192.0.2.1/prices",
        "ftp://localhost/x",
        "https://",
        "http://example.com:80/",
        "http://localhost:99999/",
    ],
)
def test_an_address_that_others_could_listen_to_is_refused(shop: Shop, to: str) -> None:
    with pytest.raises(DataError, match="expected an https URL") as refused:
        target_of(shop.settings, to)
    assert "secret" not in str(refused.value)


def test_the_data_folder_is_no_place_for_batches(shop: Shop) -> None:
    with pytest.raises(DataError, match="outside the data folder"):
        target_of(shop.settings, str(shop.settings.home / "labels"))


def test_a_store_that_is_not_there_is_refused(shop: Shop, target: FolderTarget) -> None:
    with pytest.raises(DataError, match="expected a store of the catalog"):
        export(shop.workspace, target, ["S99"])
