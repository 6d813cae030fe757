"""Price tags to print: a page of its own, without a script of Dash, at `/desk/tags?store=S01`."""

from collections.abc import Sequence
from typing import Any

from barcode import get_barcode_class
from flask import Flask, render_template_string, request

from catalog.errors import ShelfpriceError
from catalog.records.product import Product
from connect.export.wanted import wanted_of
from dashboard.data.desk.price_desk import PriceDesk, Sheet
from dashboard.data.desk.rows import Row
from dashboard.formats import euros
from warehouse.workspace import Workspace

PATH = "/desk/tags"
_BARCODES = {8: "ean8", 12: "upca", 13: "ean13"}  # by digits; 14 are of a case, which no till scans
_QUIET = 11  # modules left and right of the bars that stay white

_PAGE = """<!DOCTYPE html>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Price tags · Shelfprice</title>
        <link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
        <link rel="stylesheet" href="/assets/desk.css">
    </head>
    <body class="tags-page">
        <header class="tags-head">
            <h1>Price tags</h1>
            <p>{{ told }}</p>
            <button type="button" data-print="yes">Print</button> <a href="/desk">Back to the desk</a>
        </header>
        <main class="tags">{% for tag in tags %}
            <article class="tag">
                <h2>{{ tag.name }}</h2>
                <p class="tag-price">{{ tag.price }}</p>
                {% if tag.prior %}<p class="tag-prior">{{ tag.prior }}</p>{% endif %}
                <p class="tag-unit">{{ tag.unit }}</p>
                {% if tag.bars %}<svg class="tag-bars" viewBox="0 0 {{ tag.bars.width }} 40" preserveAspectRatio="none"
                    style="width: {{ tag.bars.width * 0.33 }}mm" role="img" aria-label="Barcode of {{ tag.ean }}">
                    <path d="{{ tag.bars.path }}"/></svg>{% endif %}
                <p class="tag-foot"><span>{{ tag.foot }}</span><span>{{ tag.ean }}</span></p>
            </article>{% endfor %}
        </main>
        <script src="/assets/desk.js"></script>
    </body>
</html>
"""


def wire_tags(server: Flask, desk: PriceDesk) -> None:
    """Serve the page of price tags."""

    @server.get(PATH)
    def tags() -> tuple[str, int]:
        try:
            sheet = desk.sheet()
        except ShelfpriceError as error:
            return render_template_string(_PAGE, told=str(error), tags=[]), 503
        rows = meant(sheet, request.args.get("store"), request.args.getlist("price"))
        products = {product.sku: product for product in sheet.catalog.products}
        prior = prior_prices(desk.workspace, sheet, rows)
        printed = [tag_of(row, products.get(row.sku), prior.get((row.store, row.sku))) for row in rows]
        return render_template_string(_PAGE, told=told_of(rows), tags=printed), 200


def meant(sheet: Sheet, store: str | None, ids: Sequence[str]) -> list[Row]:
    """Return the rows whose tags are printed: some of them by id, all of a store, or all."""
    rows = sheet.chosen(ids) if ids else list(sheet.rows)
    return [row for row in rows if store in {None, "", row.store}]


def told_of(rows: Sequence[Row]) -> str:
    """Say what is printed."""
    if not rows:
        return "There is no price to print: choose a store and products at the desk."
    dates = " and ".join(f"{date}" for date in sorted({row.date for row in rows}))
    noun = "tag" if len(rows) == 1 else "tags"
    return f"{len(rows):,} {noun} with the opening prices of {dates}, as they were decided so far."


def prior_prices(workspace: Workspace, sheet: Sheet, rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    """Return the price that an announced reduction has to name by law, EUR, by store and product, as labels name it."""
    clocks = {store: sheet.clocks[store] for store in dict.fromkeys(row.store for row in rows)}
    return {
        (store, price.sku): price.prior_price
        for store, prices in wanted_of(workspace.lake, sheet.catalog, clocks).items()
        for price in prices
        if price.prior_price is not None
    }


def tag_of(row: Row, product: Product | None, prior: float | None = None) -> dict[str, Any]:
    """Return what stands on a tag: the price that holds, not what is proposed.

    Parameters
    ----------
    product
        None where the catalog has it no longer and a store still sells it on the day that is open.
    prior
        Price that an announced reduction names, EUR; None where none is announced.
    """
    unit = ""
    if product is not None and product.measure is not None:
        per_unit, name = product.measure.per_unit(row.stands)
        unit = f"{product.measure.amount:g} {product.measure.unit}: {euros(per_unit)} per {name}"
    ean = "" if product is None or product.ean is None else f"EAN {product.ean}"
    return {
        "name": row.name,
        "price": euros(row.stands),
        "prior": f"Prior price {euros(prior)} ({row.stands / prior - 1:.0%})" if prior and prior > row.stands else "",
        "unit": unit,
        "bars": None if product is None or product.ean is None else bars_of(product.ean),
        "foot": f"{row.store}, {row.date}",
        "ean": ean,
    }


def bars_of(ean: str) -> dict[str, Any] | None:
    """Return the bars of an EAN-8, UPC-A or EAN-13 as an SVG path, 40 high, and the width in modules.

    None for a number of 14 digits.
    """
    if len(ean) not in _BARCODES:
        return None
    (modules,) = get_barcode_class(_BARCODES[len(ean)])(ean).build()
    path = "".join(f"M{_QUIET + place} 0h1v40h-1z" for place, module in enumerate(modules) if module == "1")
    return {"path": path, "width": len(modules) + 2 * _QUIET}
