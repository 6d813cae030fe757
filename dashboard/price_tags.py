"""Price tags to print: a page of its own, without a script of Dash, at `/desk/tags?store=S01`."""

from collections.abc import Sequence

from flask import Flask, render_template_string, request

from catalog.errors import ShelfpriceError
from catalog.records.product import Product
from dashboard.data.desk.price_desk import PriceDesk, Sheet
from dashboard.data.desk.rows import Row
from dashboard.formats import euros

PATH = "/desk/tags"

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
                <p class="tag-unit">{{ tag.unit }}</p>
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
        printed = [tag_of(row, products.get(row.sku)) for row in rows]
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


def tag_of(row: Row, product: Product | None) -> dict[str, str]:
    """Return the texts of a tag: what stands, not what is proposed.

    `product` is None where the catalog has it no longer and a store still sells it on the day that is open.
    """
    unit = ""
    if product is not None and product.measure is not None:
        per_unit, name = product.measure.per_unit(row.stands)
        unit = f"{product.measure.amount:g} {product.measure.unit}: {euros(per_unit)} per {name}"
    ean = "" if product is None or product.ean is None else f"EAN {product.ean}"
    return {"name": row.name, "price": euros(row.stands), "unit": unit, "foot": f"{row.store}, {row.date}", "ean": ean}
