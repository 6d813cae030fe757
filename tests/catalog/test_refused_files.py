from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import CatalogError
from catalog.load import CLASSIC, load, read_mapping
from catalog.records.store import Store

PRICE = "base_price: 1.50"
COST = "unit_cost: 0.90"
NAME = "name: Milk"
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nproducts: [*c]\n"

PRODUCT_FAULTS = {
    "duplicate key": (PRICE, f"{PRICE}\n    base_price: 1.60", ["line 8", "base_price", "twice"]),
    "duplicate sku": ("sku: BREAD", "sku: MILK", ["sku", "'MILK'", "twice"]),
    "not a number": (PRICE, "base_price: .nan", ["line 7", ".nan", "finite"]),
    "too large for a float": (PRICE, "base_price: 1.0e+999", ["line 7", "1.0e+999", "finite"]),
    "negative": (PRICE, "base_price: -1.50", ["products[0].base_price", "-1.5"]),
    "more than a million": (PRICE, "base_price: 1000001", ["products[0].base_price", "1000001"]),
    "a time": (PRICE, "base_price: 12:30", ["line 7", "'12:30'"]),
    "octal": (PRICE, "base_price: 0123", ["line 7", "'0123'"]),
    "hexadecimal": (PRICE, "base_price: 0x1F", ["line 7", "'0x1F'"]),
    "underscore": (PRICE, "base_price: 1_000", ["line 7", "'1_000'"]),
    "norway": (NAME, "name: NO", ["line 4", "'NO'"]),
    "decimal comma": (PRICE, "base_price: 12,99", ["products[0].base_price", "'12,99'"]),
    "exponent": (PRICE, "base_price: 1e3", ["products[0].base_price", "'1e3'"]),
    "price in quotes": (PRICE, 'base_price: "1.50"', ["products[0].base_price", "'1.50'"]),
    "true": (PRICE, "base_price: true", ["products[0].base_price", "True"]),
    "fractional stock": ("par_stock: 100", "par_stock: 99.5", ["products[0].par_stock", "99.5"]),
    "no stock": ("par_stock: 100", "par_stock: 0", ["products[0].par_stock", "0"]),
    "nothing": (PRICE, "base_price:", ["products[0].base_price", "None"]),
    "missing field": (f"    {PRICE}\n", "", ["products[0].base_price", "a number above 0", "found none"]),
    "unknown field": (PRICE, f"{PRICE}\n    colour: red", ["products[0].colour", "'red'"]),
    "unknown top field": ("products:", "brands: [x]\nproducts:", ["brands", "unknown field"]),
    "floor above ceiling": (
        PRICE,
        f"{PRICE}\n    floor_price: 1.40\n    ceiling_price: 1.30",
        ["products[0]", "floor_price 1.4", "ceiling_price 1.3"],
    ),
    "cost above the base price": ("unit_cost: 0.9", "unit_cost: 1.6", ["base_price 1.5", "MILK", "unit_cost 1.6"]),
    "floor above the base price": (
        PRICE,
        f"{PRICE}\n    floor_price: 1.60",
        ["base_price 1.5", "MILK", "floor_price 1.6"],
    ),
    "floor below cost": (PRICE, f"{PRICE}\n    floor_price: 0.80", ["floor_price 0.8", "MILK", "unit_cost 0.9"]),
    "base above ceiling": (PRICE, f"{PRICE}\n    ceiling_price: 1.40", ["base_price 1.5", "MILK", "ceiling_price 1.4"]),
    "number as name": (NAME, "name: 12", ["products[0].name", "12"]),
    "empty name": (NAME, 'name: ""', ["products[0].name", "''"]),
    "control character in sku": ("sku: MILK", 'sku: "MI\\tLK"', ["products[0].sku", "'MI\\tLK'"]),
    "python tag": (NAME, "name: !!python/object/apply:os.getcwd []", ["line 4", "python/object/apply:os.getcwd"]),
    "own tag": (NAME, "name: !milk Milk", ["line 4", "!milk"]),
    "list as key": (NAME, "? [a]\n    : Milk", ["line 4", "key"]),
    "broken syntax": (NAME, "name: [Milk", ["line"]),
    "keeps for no day": (
        PRICE,
        f"{PRICE}\n    shelf_life_days: 0",
        ["products[0].shelf_life_days", "from 1 to 365", "found 0"],
    ),
    "disposal of what is simply replaced": (
        PRICE,
        f"{PRICE}\n    disposal_cost: 0.05",
        ["disposal_cost 0.05", "MILK", "full at each opening", "give it shelf_life_days, or leave disposal_cost out"],
    ),
    "holding of what is simply replaced": (
        PRICE,
        f"{PRICE}\n    holding_cost: 0.05",
        ["holding_cost 0.05", "MILK", "full at each opening", "give it shelf_life_days or deliveries"],
    ),
    "disposal of what keeps for ever": (
        PRICE,
        f"{PRICE}\n    deliveries: {{}}\n    disposal_cost: 0.05",
        ["disposal_cost 0.05", "MILK", "keeps for ever", "give it shelf_life_days, or leave disposal_cost out"],
    ),
    "a quantity of what keeps for ever": (
        PRICE,
        f"{PRICE}\n    deliveries: {{quantity: 40}}",
        ["deliveries: quantity 40", "MILK", "give it shelf_life_days, or leave quantity out"],
    ),
    "more on the shelf than a book has rows for": (
        PRICE,
        f"{PRICE}\n    shelf_life_days: 300\n    deliveries: {{quantity: 1000}}",
        ["deliveries: quantity 1000", "MILK", "300 days", "300000 units", "lower quantity or shelf_life_days"],
    ),
    "delivered twice on a day": (
        PRICE,
        f"{PRICE}\n    deliveries: {{weekdays: [mon, mon]}}",
        ["products[0].deliveries.weekdays", "each day once", "['mon', 'mon']"],
    ),
    "delivered on no day": (
        PRICE,
        f"{PRICE}\n    deliveries: {{weekdays: [monday]}}",
        ["products[0].deliveries.weekdays.0", "`mon`", "'monday'"],
    ),
    "ordered before the order before it has come": (
        PRICE,
        f"{PRICE}\n    deliveries: {{weekdays: [mon, thu], lead_time_days: 4}}",
        ["MILK: deliveries: lead_time_days", "at most 3", "found 4", "shorten it, or name weekdays"],
    ),
    "a product that is a word": ("products:", "products:\n  - Milk", ["products[0]", "'Milk'"]),
}

STORE_FAULTS = {
    "popularity of an unknown product": ("MEAT: 0.7}", "MEAT: 0.7, WINE: 1.0}", ["popularity", "'WINE'"]),
    "visits to an unknown product": (
        "  trust_in_owner:",
        "  visits_per_day: {WINE: 80}\n  trust_in_owner:",
        ["belief: visits_per_day", "'WINE'"],
    ),
    "popularity lacks a product": (", MEAT: 0.7}", "}", ["popularity", "'MEAT'"]),
    "norway as sku": ("MEAT: 0.7}", "NO: 0.7}", ["line", "'NO'"]),
    "unquoted time": ('opens: "08:00"', "opens: 12:30", ["line 6", "'12:30'"]),
    "not a time": ('opens: "08:00"', 'opens: "25:00"', ["opening.opens", "'25:00'"]),
    "closes before it opens": ('closes: "20:00"', 'closes: "07:00"', ["opening", "07:00", "08:00"]),
    "ticks do not fill the day": ("tick_minutes: 15", "tick_minutes: 7", ["opening", "720", "7-minute"]),
    "store twice": ("[S01, S02, S03]", "[S01, S02, S01]", ["twice", "stores"]),
    "no stores": ("[S01, S02, S03]", "[]", ["stores", "[]"]),
    "store that leaves the lake": ("[S01, S02, S03]", "[../S01]", ["stores.0", "'../S01'"]),
    "no visits": ("visits_per_day: 500", "visits_per_day: 0", ["visits_per_day", "0"]),
    "nobody comes": ("[0.6, 0.8, 1.0, 1.1, 1.2, 1.0, 0.8, 0.8, 1.0, 1.3, 1.4, 1.0]", "[0, 0]", ["hourly_profile"]),
    "shares do not add up": ("share: 1.0", "share: 0.9", ["personas", "0.9"]),
    "shock on an unknown product": ("shocks: []", "shocks: [{business_date: 2026-01-09, sku: WINE}]", ["'WINE'"]),
    "shock at no time": ("shocks: []", "shocks: [{business_date: 2026-01-09, starts: noon}]", ["starts", "'noon'"]),
    "shock after closing": (
        "shocks: []",
        'shocks: [{business_date: 2026-01-09, starts: "20:00", demand_factor: 2.0}]',
        ["20:00", "08:00"],
    ),
    "half a day of budgets": (
        "shocks: []",
        'shocks: [{business_date: 2026-01-09, starts: "13:00", budget_shift: 0.1}]',
        ["shocks.0", "13:00", "budget_shift"],
    ),
    "a shock that ends before it begins": (
        "shocks: []",
        "shocks: [{business_date: 2026-01-09, through: 2026-01-08, budget_shift: -0.2}]",
        ["shocks.0", "through 2026-01-08", "business_date 2026-01-09"],
    ),
    "no such day": ("shocks: []", "shocks: [{business_date: 2026-02-30}]", ["day"]),
    "unknown policy": ("before_champion: belief", "before_champion: magic", ["policies.before_champion", "'magic'"]),
    "frozen stranger": ("frozen: {}", "frozen: {WINE: 5.0}", ["guardrails", "frozen", "'WINE'"]),
    "frozen above its ceiling": ("frozen: {}", "frozen: {MILK: 2.41}", ["frozen", "MILK", "2.41", "ceiling 2.4"]),
    "frozen below its floor": ("frozen: {}", "frozen: {MILK: 1.04}", ["frozen", "MILK", "1.04", "floor 1.05"]),
    "frozen between cents": ("frozen: {}", "frozen: {MILK: 1.495}", ["guardrails.frozen", "1.495", "whole cents"]),
    "margin above the base price": (
        "minimum_margin: 0.0",
        "minimum_margin: 0.7",
        ["0.7", "MILK", "1.53", "base_price"],
    ),
    "margin above the ceiling": ("minimum_margin: 0.0", "minimum_margin: 2", ["2", "MILK", "2.7", "base_price 1.5"]),
    "margin of no category": ("frozen: {}", "margins: {wine: 0.1}", ["margins", "'wine'", "butcher", "dairy"]),
    "margin of a category above the base price": (
        "frozen: {}",
        "margins: {dairy: 0.7}",
        ["margins: dairy: 0.7", "MILK", "1.53", "base_price"],
    ),
    "family of a stranger": (
        "frozen: {}",
        "families: [{skus: [MILK, WINE]}]",
        ["guardrails: families[0]", "'WINE'", "not on the shelf"],
    ),
    "own brand above the brand": (
        "frozen: {}",
        "own_brands: [{sku: MILK, brand: BREAD, below: -0.1}]",
        ["guardrails.own_brands.0.below", "-0.1"],
    ),
    "ending of two digits": ("price_ending: null", "price_ending: 99", ["guardrails.price_ending", "99"]),
    "step below a cent": ("largest_step: null", "largest_step: 0.01", ["largest_step", "0.01", "BREAD", "1 cents"]),
    "nothing may move": ("moving_share: 1.0", "moving_share: 0.1", ["moving_share", "0.1", "5 products"]),
    "one price of all": ("frozen: {}", "one_price: all", ["guardrails.one_price", "`zone`", "'all'"]),
    "markdown of nothing": ("frozen: {}", "markdown_only: []", ["guardrails.markdown_only", "`all`", "[]"]),
    "markdown of a stranger": (
        "frozen: {}",
        "markdown_only: [MILK, dairy, wine]",
        ["guardrails", "markdown_only", "'wine'", "neither a sku nor a category"],
    ),
    "event of a stranger": (
        "frozen: {}",
        "frozen_during: [{first: 2026-12-24, prices: {WINE: 5.0}}]",
        ["guardrails", "frozen_during[0]", "'WINE'", "not on the shelf"],
    ),
    "event that ends before it begins": (
        "frozen: {}",
        "frozen_during: [{first: 2026-12-24, through: 2026-12-23, prices: {MILK: 1.49}}]",
        ["guardrails.frozen_during.0", "2026-12-23", "2026-12-24", "never holds"],
    ),
    "event above the ceiling": (
        "frozen: {}",
        "frozen_during: [{first: 2026-12-24, prices: {MILK: 2.41}}]",
        ["frozen_during[0]", "MILK", "2.41", "ceiling 2.4"],
    ),
    "never open": (
        "shocks: []",
        "closed_days: [mon, tue, wed, thu, fri, sat, sun]",
        ["closed_days", "a day on which the stores open", "all seven", "leave one out"],
    ),
    "closed twice on a day": ("shocks: []", "closed_days: [sun, sun]", ["closed_days", "once", "['sun', 'sun']"]),
    "more than all take the freshest": ("shocks: []", "freshest_share: 1.5", ["freshest_share", "1.5"]),
    "no such objective": ("objective: revenue", "objective: sales", ["policies.objective", "`profit`", "'sales'"]),
    "no currency": ("currency: EUR", "currency: USDT", ["currency", "'USDT'"]),
}

RULES_THAT_CANNOT_BOTH_HOLD = {
    "frozen below cost plus margin": (
        {"frozen: {}": "frozen: {MILK: 1.10}", "minimum_margin: 0.0": "minimum_margin: 0.5"},
        ["frozen", "MILK", "1.1", "1.35"],
    ),
    "no price with the ending": ({"price_ending: null": "price_ending: 9"}, ["price_ending", "9", "MILK"]),
    "events that both stand on a date": (
        {
            "frozen: {}": "frozen_during: [{first: 2026-12-01, through: 2026-12-24, prices: {MILK: 1.49}}, "
            "{first: 2026-12-24, prices: {MILK: 1.39}}]"
        },
        ["frozen_during[1]", "MILK", "1.39", "1.49", "2026-12-24", "let one event end"],
    ),
    "event below cost plus margin": (
        {
            "frozen: {}": "frozen_during: [{first: 2026-12-24, prices: {MILK: 1.10}}]",
            "minimum_margin: 0.0": "minimum_margin: 0.5",
        },
        ["frozen_during[0]", "MILK", "1.1", "1.35"],
    ),
    "event above the base price of a markdown": (
        {"frozen: {}": "frozen_during: [{first: 2026-12-24, prices: {MILK: 1.59}}]\n  markdown_only: all"},
        ["frozen_during[0]", "MILK", "1.59", "base_price 1.5", "markdown_only"],
    ),
    "frozen above the base price of a markdown": (
        {"frozen: {}": "frozen: {MILK: 1.59}\n  markdown_only: [dairy]"},
        ["frozen", "MILK", "1.59", "base_price 1.5", "markdown_only"],
    ),
    "markdown without a price of the ending": (
        {"price_ending: null": "price_ending: 9\n  markdown_only: all", "minimum_margin: 0.0": "minimum_margin: 0.66"},
        ["markdown_only", "MILK", "base_price 1.5", "9, the price_ending"],
    ),
    "only falls where nothing changes": (
        {"frozen: {}": "changes_per_day: 0\n  down_only_within_day: true"},
        ["down_only_within_day", "True", "changes_per_day is 0", "leave down_only_within_day out"],
    ),
    "share that moves where nothing changes": (
        {"frozen: {}": "changes_per_day: 0", "moving_share: 1.0": "moving_share: 0.4"},
        ["moving_share", "0.4", "changes_per_day is 0"],
    ),
    "one price of stores that sell outside": (
        {"frozen: {}": "one_price: zone", "currency: EUR": "currency: EUR\nsales: outside"},
        ["one_price", "zone", "outside", "leave one_price out"],
    ),
    "own brand where tills have prices of their own": (
        {
            "frozen: {}": "own_brands: [{sku: MILK, brand: BREAD, below: 0.1}]",
            "currency: EUR": "currency: EUR\nsales: outside",
        },
        ["own_brands", "sell outside", "leave own_brands out"],
    ),
    "markdown of a price that is drawn": (
        {
            "frozen: {}": "markdown_only: [MILK]",
            "currency: EUR": "currency: EUR\nsales: outside\ndrawn_prices: {products: [MILK]}",
        },
        ["markdown_only", "MILK", "drawn", "drawn_prices.products"],
    ),
    "step that reaches no other ending": (
        {"price_ending: null": "price_ending: 9", "largest_step: null": "largest_step: 0.08"},
        ["largest_step", "0.08", "MILK", "10 cents"],
    ),
}

WHOLE_FILES = {
    "empty": (b"", "found nothing"),
    "comments alone": (b"# nothing\n", "found nothing"),
    "a list": (b"- a\n", "found list"),
    "no products": (b"products: []\n", "products: expected a list with at least one product"),
    "products is a word": (b"products: Milk\n", "'Milk'"),
    "alias bomb": (BOMB.encode(), "aliases are not allowed"),
    "not utf-8": (b"products: \xff\n", "byte 10 is not UTF-8"),
    "nested without end": (b"[" * 5_000, "not readable as YAML"),
    "larger than allowed": (b"#" * (4 * 1024 * 1024 + 1), "4194305 bytes"),
}


@pytest.mark.parametrize("fault", PRODUCT_FAULTS)
def test_a_spoiled_products_file_is_refused_naming_file_place_and_value(
    write_catalog: Callable[..., Path], fault: str
) -> None:
    old, new, named = PRODUCT_FAULTS[fault]
    folder = write_catalog({"products.yaml": (old, new)})
    with pytest.raises(CatalogError) as refusal:
        load(folder)
    assert [part for part in [str(folder / "products.yaml"), *named] if part not in str(refusal.value)] == []


@pytest.mark.parametrize("fault", STORE_FAULTS)
def test_a_spoiled_store_file_is_refused_naming_file_place_and_value(
    write_catalog: Callable[..., Path], fault: str
) -> None:
    old, new, named = STORE_FAULTS[fault]
    folder = write_catalog({"store.yaml": (old, new)})
    with pytest.raises(CatalogError) as refusal:
        load(folder)
    assert [part for part in [str(folder / "store.yaml"), *named] if part not in str(refusal.value)] == []


def test_a_delivery_on_a_closed_day_is_refused_naming_product_and_day(write_catalog: Callable[..., Path]) -> None:
    delivered = (PRICE, f"{PRICE}\n    deliveries: {{weekdays: [fri, sun]}}")
    folder = write_catalog({"products.yaml": delivered, "store.yaml": ("shocks: []", "closed_days: [sun]")})
    with pytest.raises(CatalogError) as refusal:
        load(folder)
    assert str(refusal.value) == (
        f"{folder / 'products.yaml'}: MILK: deliveries: weekdays: 'sun' is one of the closed_days of store.yaml; name "
        "days on which the stores open"
    )


def test_the_gap_between_daily_deliveries_leaves_closed_days_out(write_catalog: Callable[..., Path]) -> None:
    delivered = (PRICE, f"{PRICE}\n    deliveries: {{lead_time_days: 3}}")
    closed = ("shocks: []", "closed_days: [tue, wed, fri, sat, sun]")
    assert (
        load(write_catalog({"products.yaml": delivered, "store.yaml": closed})).products[0].delivered.lead_time_days
        == 3
    )


@pytest.mark.parametrize("fault", RULES_THAT_CANNOT_BOTH_HOLD)
def test_rules_that_cannot_both_hold_are_refused_naming_file_field_and_value(
    write_catalog: Callable[..., Path], fault: str
) -> None:
    changes, named = RULES_THAT_CANNOT_BOTH_HOLD[fault]
    tight = f"{PRICE}\n    floor_price: 1.50\n    ceiling_price: 1.55" if fault == "no price with the ending" else PRICE
    folder = write_catalog({"products.yaml": (PRICE, tight)})
    store = folder / "store.yaml"
    for old, new in changes.items():
        assert old in store.read_text(encoding="utf-8")
        store.write_text(store.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogError) as refusal:
        load(folder)
    assert [part for part in [str(store), "guardrails", *named] if part not in str(refusal.value)] == []


def test_events_of_a_product_may_follow_one_another_and_share_dates_at_one_price(
    write_catalog: Callable[..., Path],
) -> None:
    events = (
        "frozen_during: [{first: 2026-12-01, through: 2026-12-23, prices: {MILK: 1.49}}, "
        "{first: 2026-12-24, prices: {MILK: 1.39}}, {first: 2026-12-20, prices: {MILK: 1.49, EGGS: 0.99}}]"
    )
    folder = write_catalog({"store.yaml": ("frozen: {}", events)})
    assert [event.last.day for event in load(folder).store.guardrails.frozen_during] == [23, 24, 20]


@pytest.mark.parametrize("fault", WHOLE_FILES)
def test_a_file_that_holds_no_shelf_is_refused_by_name(write_catalog: Callable[..., Path], fault: str) -> None:
    content, said = WHOLE_FILES[fault]
    folder = write_catalog({})
    (folder / "products.yaml").write_bytes(content)
    with pytest.raises(CatalogError) as refusal:
        load(folder)
    assert str(folder / "products.yaml") in str(refusal.value)
    assert said in str(refusal.value)


@pytest.mark.parametrize("name", ["products.yaml", "store.yaml"])
def test_a_folder_that_lacks_a_file_is_refused_with_the_option_that_helps(
    write_catalog: Callable[..., Path], name: str
) -> None:
    folder = write_catalog({})
    (folder / name).unlink()
    with pytest.raises(CatalogError, match="--catalog DIR") as refusal:
        load(folder)
    assert str(folder / name) in str(refusal.value)


def test_a_huge_wrong_value_is_shortened_in_the_message(write_catalog: Callable[..., Path]) -> None:
    folder = write_catalog({"products.yaml": (PRICE, f"base_price: {'x' * 50_000}")})
    with pytest.raises(CatalogError) as refusal:
        load(folder)
    assert len(str(refusal.value)) < 500


def test_a_byte_order_mark_is_no_fault(write_catalog: Callable[..., Path]) -> None:
    folder = write_catalog({})
    path = folder / "products.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(folder) == load(CLASSIC)


def test_stickers_beside_substitutes_are_refused_with_what_is_not_modelled() -> None:
    both = load().store.model_dump() | {"substitution": {"strength": 2.0}}
    with pytest.raises(ValueError, match=r"policies.stickers: expected false .*strength 2\), found true"):
        Store.model_validate(both)


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ("rivals: {of: [Corner], held: [WINE]}", ["rivals: held", "'WINE'", "not on the shelf"]),
        ("rivals: {held: [MILK]}", ["rivals", "expected of: the rivals"]),
        (
            "sales: outside\ndrawn_prices: {products: [MILK]}\nrivals: {of: [Corner], held: [MILK]}",
            ["rivals: of: MILK", "drawn_prices.products"],
        ),
    ],
)
def test_limits_by_rivals_that_cannot_hold_are_refused_naming_file_and_field(
    write_catalog: Callable[..., Path], rules: str, named: list[str]
) -> None:
    folder = write_catalog({"store.yaml": ("currency: EUR", f"currency: EUR\n{rules}")})
    with pytest.raises(CatalogError) as refusal:
        load(folder)
    assert [part for part in [str(folder / "store.yaml"), *named] if part not in str(refusal.value)] == []


def test_each_file_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr("catalog.load.read_mapping", lambda file: (read.append(file.name), read_mapping(file))[1])
    load(CLASSIC)
    assert sorted(read) == ["products.yaml", "store.yaml"]


def test_of_two_files_that_cannot_be_read_the_products_are_named_first(tmp_path: Path) -> None:
    for name in ("products.yaml", "store.yaml"):
        (tmp_path / name).write_text("a: [")
        with pytest.raises(CatalogError, match=r"products\.yaml"):
            load(tmp_path)
    (tmp_path / "products.yaml").write_bytes((CLASSIC / "products.yaml").read_bytes())
    with pytest.raises(CatalogError, match=r"store\.yaml: line 1"):
        load(tmp_path)
