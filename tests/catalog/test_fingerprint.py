import json
from dataclasses import replace

import pytest

from catalog.load import CLASSIC, Catalog, fingerprint_of, load
from catalog.records.pricing import Policies
from catalog.records.product import Product
from catalog.records.store import Store
from plugins.desk.records import AlertRules, NotifySettings


def test_the_fingerprint_is_of_every_field_but_alerts_and_names() -> None:
    products, store = load(CLASSIC).as_json
    assert load(CLASSIC).fingerprint == fingerprint_of(products, store)
    assert json.loads(products.splitlines()[0]).keys() == Product.model_fields.keys()
    assert json.loads(store).keys() == Store.model_fields.keys() - {"alerts", "notify", "names"}


def test_the_fingerprint_stays_where_alerts_and_store_names_change_so_that_no_night_is_done_anew() -> None:
    catalog = load(CLASSIC)
    heard = catalog.store.model_copy(
        update={
            "alerts": AlertRules(webhook="https://127.0.0.1/hear"),
            "notify": NotifySettings(digest=True),
            "names": {"S01": "Köln Süd"},
        }
    )
    assert replace(catalog, store=heard).fingerprint == catalog.fingerprint


def test_the_fingerprint_changes_with_the_order_of_the_shelf_and_with_nothing_else() -> None:
    catalog = load(CLASSIC)
    assert load(CLASSIC).fingerprint == catalog.fingerprint
    assert Catalog(catalog.products[::-1], catalog.store).fingerprint != catalog.fingerprint


def test_stickers_change_the_fingerprint() -> None:
    catalog = load(CLASSIC)
    policies = {"objective": "profit"}
    without, with_them = (
        replace(catalog, store=catalog.store.model_copy(update={"policies": Policies.model_validate(own)}))
        for own in (policies, policies | {"stickers": True})
    )
    assert with_them.fingerprint != without.fingerprint


def test_stickers_without_profit_as_the_objective_are_refused() -> None:
    with pytest.raises(ValueError, match="stickers: expected the objective `profit`, found `margin`"):
        Policies.model_validate({"objective": "margin", "stickers": True})
