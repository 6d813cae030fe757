"""A price that was sent long ago stands until another one is: what sells at it is ours, however long ago that was."""

import datetime as dt
from pathlib import Path

import pytest
from selling_store import DATE, NOW, SellingStore, line

from plugins.connect.labels.batch import Acknowledgement, BatchDraft, BatchPrice, rows_of
from plugins.connect.labels.export_log import record_acknowledgements, record_batches


@pytest.mark.parametrize("days", [10, 40, 300])
def test_what_sells_at_a_price_that_was_sent_long_ago_and_never_changed_is_ours(tmp_path: Path, days: int) -> None:
    store = SellingStore(tmp_path)
    for number, (sku, price, ago) in enumerate([("MILK", 1.29, days), ("EGGS", 2.49, 2)], start=1):
        sent = dt.datetime.combine(DATE, dt.time(8), dt.UTC) - dt.timedelta(days=ago)
        draft = BatchDraft("S01", None, rows_of([BatchPrice(sku, price, sent, till_price=price)]))
        record_batches(store.lake, store.catalog, [draft], number, {"S01": sent}, sent)
        acks = [Acknowledgement(draft.id, "S01", sku, device, price, True, None, sent) for device in ("till", "label")]
        record_acknowledgements(store.lake, store.catalog, acks, {"S01": sent}, "till", NOW)
    store.take(line(units=3))
    store.make()
    (milk,) = [row for row in store.rows_of("exposures") if row["sku"] == "MILK"]
    assert (milk["price"], milk["not_ours"], milk["units"], milk["is_acknowledged"]) == (1.29, None, 3, True)
