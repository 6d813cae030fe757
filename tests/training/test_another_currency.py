"""A shelf in yen is learned from and priced like any other."""

import datetime as dt
from pathlib import Path

from price_shop import SEED, Shop, priced_in

from etl.batches import Batch, play_batch
from etl.transform import transform
from plugins.evaluation.memory_registry import MemoryRegistry
from serving.quote import PriceQuestion, QuoteDesk
from serving.store.in_force import pricing_on
from training.evening import Evening
from training.fit.session import train
from training.night import price_date

DAYS = (dt.date(2026, 1, 5), dt.date(2026, 1, 6), dt.date(2026, 1, 7))


def test_days_in_yen_are_transformed_learned_from_and_priced_in_whole_yen(tmp_path: Path) -> None:
    shop, registry = Shop(tmp_path, changed=priced_in("JPY")), MemoryRegistry()
    for date in DAYS[:2]:
        play_batch(shop.workspace, Batch(date, "g000", ("S01",)), pricing_on(shop.lake, shop.catalog, date), SEED)
    transform(shop.workspace)
    trained = train(Evening(shop.workspace, registry, DAYS[1], SEED))
    said = str(trained.said) + trained.note
    assert "JPY less per store day" in said or "JPY more per store day" in said
    assert "EUR" not in said
    book = price_date(shop.workspace, registry, DAYS[2]).book
    assert (book.of().prices == book.of().prices.round()).all()
    assert (book.of().prices.min(axis=(1, 2)) >= [product.floor for product in shop.catalog.products]).all()
    answer = QuoteDesk(shop.lake, shop.catalog).answer(PriceQuestion("MILK", 8), None)
    assert (answer.currency, answer.price) == ("JPY", round(answer.price))
