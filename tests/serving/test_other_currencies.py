"""A shelf in yen and one in dinars on their way from a played day to the till: every price in the smallest unit."""

import json
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path

import pytest
from price_shop import DATE, SHORT_DAY, Shop, priced_in

from catalog.currency import currency_of
from catalog.errors import DataError, Declined
from dashboard.formats import euros, in_currency, show_in
from etl.transform import transform
from flows.workspace import bring_dimensions_up_to_date
from plugins.connect.labels.export import export
from plugins.connect.labels.targets import FolderTarget
from plugins.desk.price_changes.listing import rows_of
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.operations.checks.proving import verify
from serving.quote import PriceQuestion, QuoteDesk
from warehouse.lake import Partition


@pytest.mark.parametrize("code", ["JPY", "KWD"])
def test_every_price_from_the_twin_to_the_till_is_in_the_smallest_unit(tmp_path: Path, code: str) -> None:
    shop, money = Shop(tmp_path, changed=priced_in(code)), currency_of(code)
    shop.publish()
    shop.sell(SHORT_DAY).close()
    transform(shop.workspace)
    assert verify(shop.lake).findings == ()
    sold = shop.lake.read(Partition("repricings", DATE, "live-S01"))
    assert all(map(money.is_whole, sold["new_price"].to_pylist()))
    assert set(shop.lake.read(Partition("products", None, "all"))["currency"].to_pylist()) == {code}
    assert money.format_amount(sold["new_price"][0].as_py()) in sold["reason"][0].as_py()
    quoted = json.loads(QuoteDesk(shop.lake, shop.catalog).text(PriceQuestion("MILK", 8), None))
    assert quoted["currency"] == code
    assert money.is_whole(quoted["price"])


@pytest.mark.parametrize(("code", "price", "between"), [("JPY", 190, 190.5), ("KWD", 1.295, 1.2955)])
def test_a_persons_price_reaches_the_till_with_its_digits(
    tmp_path: Path, code: str, price: float, between: float
) -> None:
    shop, money = Shop(tmp_path, changed=priced_in(code)), currency_of(code)
    shop.publish()
    wish = PriceRequest("override", "a test", "MILK", "S01", price, ignore_conflicts=True)
    with pytest.raises(DataError, match=f"expected a price in whole {money.smallest:g} {code}"):
        ask(shop.workspace, replace(wish, price=between), "anna")
    [row] = rows_of(shop.workspace, ask(shop.workspace, wish, "anna").changes)
    assert row["currency"] == code
    shop.sell(1)
    export(shop.workspace, FolderTarget(tmp_path / "till"), ["S01"])
    [file] = (tmp_path / "till").glob("*.json")
    sent = json.loads(file.read_text(encoding="utf-8"))
    assert sent["currency"] == code
    assert next(own["price"] for own in sent["prices"] if own["sku"] == "MILK") == price
    lines = file.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    [milk] = [line.split(",") for line in lines if ",MILK," in line]
    assert (milk[3], milk[-1]) == (money.format_amount(price), code)


def test_a_lake_belongs_to_one_currency(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=priced_in("JPY"))
    dollars = replace(shop.catalog, store=shop.catalog.store.model_copy(update={"currency": "USD"}))
    with pytest.raises(Declined, match="expected a lake with prices in USD, as the catalog says, found JPY"):
        bring_dimensions_up_to_date(shop.lake, dollars)


def test_amounts_are_shown_in_the_currency_of_the_request() -> None:
    def shown(code: str) -> tuple[str, str]:
        show_in(currency_of(code))
        return euros(1234.5), in_currency("price, EUR: €%{x:.2f}, €%{y:.3f} a visit")

    assert copy_context().run(shown, "JPY") == ("¥1,234", "price, JPY: ¥%{x:.0f}, ¥%{y:.3f} a visit")
    assert copy_context().run(shown, "KWD")[0] == "KWD\N{NO-BREAK SPACE}1,234.500"
    assert euros(1.5) == "€1.50"
