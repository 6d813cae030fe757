"""Batches as functions of what is wanted, was sent and was said: no lake, no clock."""

import csv
import datetime as dt
import hashlib
import io
import json
import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from catalog.clocks import WallClock
from catalog.records.shoppers import Opening
from plugins.connect.labels.batch import (
    DEVICES,
    Acknowledgement,
    BatchDraft,
    BatchPrice,
    Device,
    PriceBatch,
    ShelfPrice,
    StoreRecord,
    device_states,
    next_batch,
    rows_of,
)
from plugins.connect.labels.export_log import ExportHistory
from plugins.connect.labels.status import late_labels, ticks_passed
from plugins.connect.labels.targets import csv_of, json_of
from warehouse.query.questions import as_it_was

OPENS = dt.datetime(2026, 1, 19, 8, tzinfo=dt.UTC)
OPENING = WallClock(Opening(opens="08:00", closes="20:00"))


SKUS = ("BREAD", "EGGS", "MILK")
_CENTS = st.integers(1, 5).map(lambda cents: cents / 100)
_SHELF = st.fixed_dictionaries(dict.fromkeys(SKUS, _CENTS))
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("price"), st.sampled_from(SKUS), _CENTS),
        st.tuples(st.sampled_from(DEVICES), st.sampled_from(SKUS), st.one_of(st.none(), _CENTS)),
    ),
    max_size=20,
)
_MOMENTS = st.integers(0, 10**14).map(lambda since: OPENS + dt.timedelta(microseconds=since))
_TEXTS = st.text(max_size=4) | st.sampled_from(["=1+1", 'Käse "mild", 200 g'])
_SENT = st.builds(
    BatchPrice, _TEXTS, _CENTS, _MOMENTS, st.none() | _CENTS, st.none() | _CENTS, st.none() | _TEXTS, _CENTS
)


class Store:
    """A store that is played by hand: its prices, its batches and what its devices say."""

    def __init__(self, prices: dict[str, float] | None = None) -> None:
        self.prices = dict(prices or {"MILK": 1.00, "EGGS": 2.00})
        self.batches: list[PriceBatch] = []
        self.said: list[Acknowledgement] = []
        self.tick = 0

    @property
    def now(self) -> dt.datetime:
        return OPENS + self.tick * dt.timedelta(minutes=15)

    @property
    def record(self) -> StoreRecord:
        return ExportHistory(tuple(self.batches), tuple(self.said)).of("S01")

    def wanted(self) -> list[ShelfPrice]:
        return [ShelfPrice(sku, price, self.now) for sku, price in self.prices.items()]

    def draft(self, *, full: bool = False) -> BatchDraft | None:
        return next_batch("S01", self.wanted(), self.record, full=full)

    def export(self, *, full: bool = False) -> PriceBatch | None:
        draft = self.draft(full=full)
        if draft is None:
            return None
        number = len(self.batches) + 1
        self.batches.append(PriceBatch(number, draft.id, draft.after, "S01", draft.rows, self.now, self.now))
        return self.batches[-1]

    def say(self, device: Device, sku: str, price: float | None = None, error: str | None = None) -> None:
        """Let a device say that it has a price, by default the one that it was sent last."""
        of_it = [batch for batch in self.batches if any(own.sku == sku for own in batch.prices)][-1]
        sent = next(own for own in of_it.prices if own.sku == sku)
        shown = sent.expected(device) if price is None and error is None else price
        at = OPENS + dt.timedelta(seconds=len(self.said))
        self.said.append(Acknowledgement(of_it.id, "S01", sku, device, shown, error is None, error, at))

    def late(self) -> list[tuple[str, Device]]:
        return [(own.sku, own.device) for own in late_labels(self.record, self.now, OPENING)]


def skus_of(batch: PriceBatch | None) -> list[str]:
    assert batch is not None
    return [own.sku for own in batch.prices]


def played(prices: dict[str, float], steps: Sequence[tuple[str, str, float | None]]) -> Store:
    store = Store(prices)
    store.export()
    for kind, sku, price in steps:
        if kind == "price":
            assert price is not None
            store.prices[sku] = price
            store.tick += 1
        elif kind == "label":
            store.say("label", sku, price)
        else:
            store.say("till", sku, price)
        store.export()
    return store


@given(_SHELF, _STEPS, st.randoms(use_true_random=False))
def test_the_same_prices_are_the_same_batch_and_an_export_without_news_makes_none(
    prices: dict[str, float], steps: list[tuple[str, str, float | None]], dice: random.Random
) -> None:
    store = played(prices, steps)
    assert store.draft() is None, "everything was just sent"
    store.prices["MILK"] += 0.10
    once = store.draft()
    store.prices = dict(dice.sample(list(store.prices.items()), len(store.prices)))
    again = store.draft()
    assert once is not None
    assert again is not None
    assert (once, once.id) == (again, again.id)
    store.prices["MILK"] += 0.10
    other = store.draft()
    assert other is not None
    assert other.id != once.id


@given(_SHELF, _STEPS)
def test_no_two_batches_have_the_same_id_whatever_comes_back(
    prices: dict[str, float], steps: list[tuple[str, str, float | None]]
) -> None:
    names = [batch.id for batch in played(prices, steps).batches]
    assert len(set(names)) == len(names)


@given(_SHELF, _STEPS)
def test_whoever_reads_the_newest_batch_of_each_product_shows_what_is_wanted(
    prices: dict[str, float], steps: list[tuple[str, str, float | None]]
) -> None:
    store = played(prices, steps)
    shown = {own.sku: own.price for batch in store.batches for own in batch.prices}
    assert shown == store.prices


@given(_SHELF, _STEPS)
def test_a_till_is_never_told_more_than_the_label_is_known_to_show(
    prices: dict[str, float], steps: list[tuple[str, str, float | None]]
) -> None:
    store = played(prices, steps)
    for sku, sent in store.record.sent.items():
        label, last = store.record.state_of(sku, "label"), sent[-1].price
        assert last.till_price <= last.price
        if label is not None and label.price is not None:
            assert last.till_price <= label.price


@given(_SHELF, _STEPS, st.randoms(use_true_random=False))
def test_the_order_in_which_acknowledgements_are_heard_does_not_matter(
    prices: dict[str, float], steps: list[tuple[str, str, float | None]], dice: random.Random
) -> None:
    store = played(prices, steps)
    numbers = {batch.id: batch.number for batch in store.batches}
    mixed = dice.sample(store.said, len(store.said))
    assert device_states(mixed, numbers) == device_states(store.said, numbers)
    at_once = [replace(own, said_at=OPENS) for own in store.said]
    assert device_states(dice.sample(at_once, len(at_once)), numbers) == device_states(at_once, numbers)


@given(st.lists(_SENT, min_size=1, max_size=5), _TEXTS, st.sampled_from(["EUR", "JPY"]))
def test_a_batch_is_named_by_its_content_and_sent_with_each_price(
    prices: list[BatchPrice], store: str, currency: str
) -> None:
    draft = BatchDraft(store, "earlier", rows_of(prices))
    assert draft.prices == prices
    content = {"store": store, "after": "earlier", "prices": [vars(own) for own in prices]}
    text = json.dumps(content, sort_keys=True, default=dt.datetime.isoformat)
    assert draft.id == hashlib.sha256(text.encode()).hexdigest()[:24]

    batch = PriceBatch(7, draft.id, "earlier", store, draft.rows, OPENS, OPENS, "Europe/Berlin", currency)
    told = json.loads(json_of(batch))
    assert (told["batch"], told["number"], told["store"], told["currency"]) == (draft.id, 7, store, currency)
    assert [own["price"] for own in told["prices"]] == [own.price for own in prices]
    assert [dt.datetime.fromisoformat(own["valid_from_local"]) for own in told["prices"]] == [
        own.valid_from for own in prices
    ]
    header, *rows = csv.reader(io.StringIO(csv_of(batch), newline=""))
    assert header == ["batch", "store", *told["prices"][0], "currency"]
    assert not any(cell.startswith("=") for row in rows for cell in row), "no cell is a formula"
    digits = {"EUR": 2, "JPY": 0}[currency]
    assert [row[header.index("price")] for row in rows] == [f"{own.price:.{digits}f}" for own in prices]
    assert [as_it_was(row[header.index("sku")]) for row in rows] == [own.sku for own in prices]


def test_only_what_is_not_acknowledged_is_sent_with_what_is_new() -> None:
    store = Store()
    assert skus_of(store.export()) == ["EGGS", "MILK"]
    for device in DEVICES:
        store.say(device, "EGGS")
    assert store.export() is None
    store.prices["MILK"] = 1.10
    assert skus_of(store.export()) == ["MILK"]
    store.prices["EGGS"] = 2.20
    assert skus_of(store.export()) == ["EGGS", "MILK"], "milk is not acknowledged yet"


def test_a_full_batch_has_every_price_and_comes_once() -> None:
    store = Store()
    store.export()
    for sku in store.prices:
        for device in DEVICES:
            store.say(device, sku)
    store.prices["MILK"] = 1.10
    store.export()
    assert skus_of(store.export(full=True)) == ["EGGS", "MILK"]
    assert store.export(full=True) is None


def test_until_the_label_has_followed_the_till_takes_the_lower_price_and_then_the_new_one() -> None:
    store = Store({"MILK": 1.00})
    store.export()
    store.say("label", "MILK")
    store.prices["MILK"] = 1.20
    raised = store.export()
    assert raised is not None
    assert [(own.price, own.till_price) for own in raised.prices] == [(1.20, 1.00)]
    store.say("label", "MILK")
    followed = store.export()
    assert followed is not None
    assert [(own.price, own.till_price) for own in followed.prices] == [(1.20, 1.20)]
    store.prices["MILK"] = 0.90
    lowered = store.export()
    assert lowered is not None
    assert [(own.price, own.till_price) for own in lowered.prices] == [(0.90, 0.90)]
    store.prices["MILK"] = 1.10
    again = store.export()
    assert again is not None
    assert [own.till_price for own in again.prices] == [0.90], "the label may show the price before, unheard"


def test_a_label_that_answers_with_another_price_is_sent_its_price_once_more() -> None:
    store = Store({"MILK": 1.00})
    first = store.export()
    store.say("label", "MILK", 0.80)
    second = store.export()
    assert first is not None
    assert second is not None
    assert second.id != first.id
    assert [(own.price, own.till_price) for own in second.prices] == [(1.00, 0.80)]
    assert store.export() is None


def test_a_label_is_late_after_two_ticks_without_an_acknowledgement_even_while_prices_go_on_changing() -> None:
    store = Store({"MILK": 1.00})
    store.export()
    assert store.late() == []
    store.tick = 1
    store.prices["MILK"] = 1.10
    store.export()
    assert store.late() == []
    store.tick = 2
    assert store.late() == [("MILK", "till"), ("MILK", "label")]
    store.say("label", "MILK")
    assert store.late() == [("MILK", "till")]


def test_a_label_that_fails_stays_late_with_what_it_said() -> None:
    store = Store({"MILK": 1.00})
    store.export()
    store.say("label", "MILK", error="battery empty")
    assert store.export() is None, "a failure is no reason to send the same again"
    store.tick = 2
    late = late_labels(store.record, store.now, OPENING)
    own = [one for one in late if one.device == "label"]
    assert [(late.problem, late.shown, late.ticks) for late in own] == [("battery empty", None, 2)]


def test_the_night_is_no_time_in_which_a_label_could_follow() -> None:
    closing, next_opening = OPENS.replace(hour=19, minute=45), OPENS + dt.timedelta(days=1)
    assert ticks_passed(OPENING, closing, next_opening) == 1
    assert ticks_passed(OPENING, closing, next_opening + dt.timedelta(minutes=15)) == 2
    assert ticks_passed(OPENING, closing, next_opening + dt.timedelta(days=3)) == 1
    assert ticks_passed(OPENING, next_opening, closing) == 0
