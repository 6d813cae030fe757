"""Where the stores of a zone show one price, a store that is asked about alone shows what it does among all."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from price_shop import Shop

from etl.calendar import stores_now
from plugins.connect.labels.export import export
from plugins.connect.labels.targets import FolderTarget
from plugins.desk import standing
from plugins.desk.standing import standings

LEFT = {"S01": 3, "S02": 12, "S03": 100}
"""Units with which each store opens, of every product."""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that prices by a rule on stock, whose stores open with other units."""
    known = standing.opens_with

    def opens_with(lake: Any, catalog: Any, stores: Sequence[str], date: Any) -> Any:
        found = known(lake, catalog, stores, date)
        return replace(found, stock=np.repeat([[LEFT[store]] for store in stores], len(catalog.skus), axis=1))

    monkeypatch.setattr(standing, "opens_with", opens_with)
    return Shop(tmp_path, changed=show_one_price)


def show_one_price(folder: Path) -> None:
    file = folder / "store.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace("largest_step: null", "largest_step: null\n  one_price: zone")
    file.write_text(text.replace("before_champion: belief", "before_champion: rule"), encoding="utf-8")


def test_a_store_that_is_asked_about_alone_shows_the_zones_price(shop: Shop) -> None:
    catalog = shop.catalog
    at, rails = stores_now(shop.lake, catalog, catalog.store.stores), catalog.store.guardrails
    free = catalog.store.model_copy(update={"guardrails": rails.model_copy(update={"one_price": None})})
    apart = standings(shop.lake, replace(catalog, store=free), at)
    assert len(np.unique([held.prices for held in apart.values()], axis=0)) > 1
    together = standings(shop.lake, catalog, at)
    assert len(np.unique([held.prices for held in together.values()], axis=0)) == 1
    for store, held in together.items():
        alone = standings(shop.lake, catalog, {store: at[store]})
        assert list(alone) == [store]
        np.testing.assert_array_equal(alone[store].prices, held.prices)
        assert list(map(list, alone[store].details.limits)) == list(map(list, held.details.limits))


def test_an_export_of_one_store_sends_what_an_export_of_all_does(shop: Shop, tmp_path: Path) -> None:
    shop.publish()
    alone = [export(shop.workspace, FolderTarget(tmp_path / store), [store]).sent for store in LEFT]
    prices = [{price.sku: price.price for batch in sent for price in batch.prices} for sent in alone]
    assert prices[0] == prices[1] == prices[2] != {}
