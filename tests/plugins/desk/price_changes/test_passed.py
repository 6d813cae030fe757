"""What passes by rule is a set of rows, and what people must see is a document; both say and bind the same."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from price_shop import DATE, Shop

from plugins.desk.price_changes import propose, record
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.listing import rows_of
from plugins.desk.price_changes.orders import orders_on
from plugins.desk.price_changes.proposals import PASSES, THE_RULE, proposals_on
from plugins.desk.price_changes.record import all_changes, changes_named, changes_on, listed_changes
from plugins.operations.checks.proving import verify

RULES = "{within_of_base: 0.042}"


@pytest.fixture(params=["told", "many"])
def shop(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose book has proposed its prices: few enough to be told one by one, or more than that."""
    if request.param == "many":
        monkeypatch.setattr(propose, "MOST_TOLD", 0)
    shop = Shop(tmp_path, RULES)
    propose.propose(shop.workspace, shop.publish(), DATE)
    return shop


def test_what_passes_is_no_document_and_what_waits_is_one(shop: Shop) -> None:
    changes = all_changes(shop.lake)
    waiting = [change for change in changes if change.last == "proposed"]
    assert 0 < len(waiting) < len(changes) == 15
    assert [change.id for change in changes_on(shop.lake, DATE)] == [change.id for change in waiting]
    assert {change.approver for change in changes if change not in waiting} == {THE_RULE}
    assert not verify(shop.lake).findings


def test_each_price_of_a_set_has_the_id_the_times_and_the_proposer_of_a_document(shop: Shop) -> None:
    waiting, one = (
        next(own for own in all_changes(shop.lake) if own.last == last) for last in ("proposed", "approved")
    )
    assert changes_named(shop.lake, [one.id]) == [one]
    assert one.id == f"p1.{one.terms.store}.{one.terms.sku}"
    assert (one.proposer, one.terms.valid_until) == (waiting.proposer, waiting.terms.valid_until)
    assert one.span(one.terms.store) == (waiting.terms.valid_from, waiting.terms.valid_until)
    assert rows_of(shop.workspace, [one])[0]["state"] == "in_force"


def test_no_price_that_waits_can_be_shown_and_each_that_passed_can(shop: Shop) -> None:
    """No label shows a price that nobody released."""
    orders, proposals = orders_on(shop.lake, shop.catalog, DATE), proposals_on(shop.lake, shop.catalog, DATE)
    windows = orders.windows(shop.catalog.store.stores, len(shop.catalog.store.stores), orders.n_ticks)
    holds = proposals.number > 0
    assert (windows.lowest <= proposals.price)[holds].all()
    assert (proposals.price <= windows.highest)[holds].all()
    for place, change in proposals.documents.items():
        assert not windows.lowest[place] <= change.terms.new_price <= windows.highest[place]
    assert holds.sum() + len(proposals.documents) == holds.size


def test_a_price_of_a_set_that_somebody_takes_back_is_a_document_from_then_on(shop: Shop) -> None:
    one = next(own for own in all_changes(shop.lake) if own.last == "approved")
    decide(shop.workspace, [one.id], "withdrawn", "anna", "not today")
    taken = next(own for own in changes_on(shop.lake, DATE) if own.id == one.id)
    assert [event.event for event in taken.events] == ["proposed", "approved", "withdrawn"]
    assert (taken.proposer, changes_named(shop.lake, [one.id])) == (one.proposer, [taken])
    again = decide(shop.workspace, [one.id], "approved", "ben")[0]
    assert again.id == f"p3.{one.terms.store}.{one.terms.sku}"
    place = shop.catalog.store.stores.index(one.terms.store or ""), shop.catalog.skus.index(one.terms.sku or "")
    assert proposals_on(shop.lake, shop.catalog, DATE).documents[place].id == again.id


def test_another_book_takes_back_what_passed_before(shop: Shop) -> None:
    first = proposals_on(shop.lake, shop.catalog, DATE)
    proposed = propose.propose(shop.workspace, shop.publish(visits=1.0), DATE)
    changes, second = all_changes(shop.lake), proposals_on(shop.lake, shop.catalog, DATE)
    assert proposed.passed + proposed.waiting == 15
    gone = {change.id for change in changes if change.last == "withdrawn"}
    moved = (first.number > 0) & (first.price != second.price)
    assert moved.any()
    assert gone >= {
        f"p1.{shop.catalog.store.stores[row]}.{shop.catalog.skus[column]}" for row, column in np.argwhere(moved)
    }
    assert len(changes) - len(gone) == 15
    assert len(second.documents) == proposed.waiting


def test_the_prices_of_too_many_are_not_forecast_one_by_one(shop: Shop) -> None:
    is_told = propose.MOST_TOLD > 0
    for change in all_changes(shop.lake):
        if change.last == "approved":
            assert (change.terms.reason != PASSES) == is_told
            assert is_told or change.terms.expected_units is None


def test_sets_are_listed_price_by_price_while_they_are_few_and_counted_while_they_are_many(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = all_changes(shop.lake)
    assert listed_changes(shop.lake, None, None) == (every, 0)
    one = next(own for own in every if own.last == "approved")
    assert listed_changes(shop.lake, one.terms.sku, one.terms.store) == ([one], 0)
    monkeypatch.setattr(record, "MOST_LISTED", 1)
    documents, counted = listed_changes(shop.lake, None, None)
    assert {change.last for change in documents} == {"proposed"}
    assert len(documents) + counted == len(every)
    decide(shop.workspace, [one.id], "withdrawn", "anna")
    assert one.id in {change.id for change in listed_changes(shop.lake, None, None, dt.date.max)[0]}
