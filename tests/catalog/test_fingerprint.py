import datetime as dt
from dataclasses import replace

import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.records.alert_rules import AlertRules
from catalog.records.deliveries import Deliveries
from catalog.records.notify import NotifySettings
from catalog.records.price_law import PriceLaw
from catalog.records.pricing_rules import Approval, BeliefSettings, DrawnPriceRules, Gate, Learning, Policies
from catalog.records.product import Measure, Product
from catalog.records.rivals import RivalRules
from catalog.records.shoppers import (
    DemandEffect,
    FootfallSettings,
    Opening,
    Persona,
    Shock,
    Substitution,
    WeatherSettings,
)
from catalog.records.store import Store

PRODUCT_CHANGES: dict[str, object] = {
    "sku": "MILK2",
    "name": "Milk ",
    "category": "drinks",
    "icon": "",
    "base_price": 1.51,
    "unit_cost": 0.91,
    "floor_price": 1.0,
    "ceiling_price": 3.0,
    "par_stock": 101,
    "most_units_per_day": 400,
    "personas": (Persona(name="all", share=1.0, mean=1.1, standard_deviation=0.25),),
    "substitutes_with": ("BREAD",),
    "measure": Measure(amount=1.0, unit="l"),
    "ean": "4006381333931",
    "shelf_life_days": 5,
    "deliveries": Deliveries(weekdays=("mon",)),
    "disposal_cost": 0.05,
    "holding_cost": 0.002,
}
STORE_CHANGES: dict[str, object] = {
    "currency": "CHF",
    "timezone": "Europe/Berlin",
    "timezones": {"S01": "Asia/Tokyo"},
    "stores": ("S01", "S02"),
    "pay_day": 28,
    "sales": "outside",
    "rehearsal": True,
    "opening": Opening(opens="08:00", closes="20:00", tick_minutes=30),
    "visits_per_day": 501.0,
    "hourly_profile": (1.0,),
    "popularity": {},
    "shopper_pool": 2001,
    "personas": (Persona(name="all", share=1.0, mean=1.1, standard_deviation=0.25),),
    "waiting_share": 0.1,
    "freshest_share": 0.2,
    "substitution": Substitution(strength=1.0),
    "closed_days": ("sun",),
    "footfall": FootfallSettings(day_variation=0.3),
    "demand_effects": (DemandEffect(weekdays=("sat",), budget_shift=0.25),),
    "day_shift": 0.2,
    "weather": WeatherSettings(mean=20.0),
    "ladder_prices": 21,
    "belief": BeliefSettings(slope=6.0),
    "drawn_prices": DrawnPriceRules(held_share=0.2),
    "rivals": RivalRules(stale_after_days=3),
    "country": "DE",
    "gate": Gate(stale_after_days=8),
    "learning": Learning(window_days=60),
    "approval": Approval(within_of_base=0.2),
    "price_law": PriceLaw(days=60),
    "most_units_per_line": 500,
    "shocks": (Shock(business_date=dt.date(2026, 1, 9)),),
}


@pytest.mark.parametrize("field", Product.model_fields)
def test_the_fingerprint_changes_with_every_value_of_a_product(field: str) -> None:
    catalog = load(CLASSIC)
    changed = catalog.products[0].model_copy(update={field: PRODUCT_CHANGES[field]})
    assert Catalog((changed, *catalog.products[1:]), catalog.store).fingerprint != catalog.fingerprint


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


@pytest.mark.parametrize("field", sorted(Store.model_fields.keys() - {"alerts", "notify", "names"}))
def test_the_fingerprint_changes_with_every_value_of_the_store(field: str) -> None:
    catalog = load(CLASSIC)
    policies, exploration = catalog.store.policies, catalog.store.exploration
    changes = STORE_CHANGES | {
        "policies": policies.model_copy(update={"rule": policies.rule.model_copy(update={"raise_by": 0.21})}),
        "exploration": exploration.model_copy(update={"hold_ticks": 5}),
        "guardrails": catalog.store.guardrails.model_copy(update={"frozen": {"MILK": 1.4}}),
    }
    changed = catalog.store.model_copy(update={field: changes[field]})
    assert replace(catalog, store=changed).fingerprint != catalog.fingerprint


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
