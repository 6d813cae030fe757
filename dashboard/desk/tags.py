"""Price tags and stickers to print: a page without a script of Dash, at `/desk/tags?store=S01&size=large`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from barcode import get_barcode_class
from flask import Flask, render_template_string, request

from catalog.errors import ShelfpriceError
from catalog.records.product import Product
from dashboard.data.desk.price_desk import PriceDesk, Sheet
from dashboard.data.desk.rows import Row
from dashboard.data.desk.table import DeskQuestion
from dashboard.formats import euros, store_name
from plugins.connect.labels.wanted import wanted_of
from warehouse.workspace import Workspace

PATH = "/desk/tags"
_BARCODES = {8: "ean8", 12: "upca", 13: "ean13"}  # by digits; 14 are of a case, which no till scans
_QUIET = 11  # modules left and right of the bars that stay white

_SIZES = {"small": (40, "52.5 x 29.7 mm"), "medium": (24, "70 x 36 mm"), "large": (8, "105 x 74 mm"),
          "sticker": (40, "52.5 x 29.7 mm")}  # fmt: skip
"""Tags on a sheet of A4, as label sheets are cut, and their measures; stickers are for single units."""
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
            <nav aria-label="Size">{% for name, address in sizes %}
                <a href="{{ address }}"{% if name == size %} aria-current="page"{% endif %}>{{ name.capitalize() }}</a>
            {% endfor %}</nav>
            <button type="button" data-print="yes">Print</button> <a href="/desk">Back to the desk</a>
        </header>
        <main class="tags tags-{{ size }}">{% for sheet in tags | batch(on_sheet) %}<section class="tags-sheet">
            {% for tag in sheet %}<article class="tag">
                <div class="tag-row"><h2>{{ tag.name }}</h2>
                    {% if tag.cut %}<p class="tag-cut">{{ tag.cut }}</p>{% endif %}</div>
                <p>{{ tag.unit }}</p>
                {% if tag.prior %}<p class="tag-prior">{{ tag.prior }}</p>{% endif %}
                <div class="tag-row tag-last">{% if tag.bars %}<svg viewBox="0 0 {{ tag.bars.width }} 40"
                    preserveAspectRatio="none" style="--modules: {{ tag.bars.width }}" role="img"
                    aria-label="Barcode of {{ tag.ean }}"><path d="{{ tag.bars.path }}"/></svg>{% endif %}
                <p class="tag-price{% if tag.price | length > 5 %} tag-long{% endif %}">{{ tag.price.split(".")[0]
                    }}{% if "." in tag.price %}<span class="tag-point">.</span><sup>{{ tag.price.split(".")[1] }}</sup>
                    {%- endif %}</p></div>
                <p class="tag-row tag-foot">{% if tag.ean %}<span>{{ tag.ean }}</span>{% endif %}
                    <span>{{ tag.foot }}</span></p>
            </article>{% endfor %}</section>{% endfor %}
        </main>
        <script src="/assets/desk.js"></script>
    </body>
</html>
"""


def wire_tags(server: Flask, desk: PriceDesk) -> None:
    """Serve the page of price tags."""

    @server.get(PATH)
    def tags() -> tuple[str, int]:
        size = request.args.get("size", "")
        size = size if size in _SIZES else "medium"
        parameters = [(name, value) for name, value in request.args.items(multi=True) if name != "size"]
        sizes = [(name, f"{PATH}?{urlencode([*parameters, ('size', name)])}") for name in _SIZES]
        shown: dict[str, Any] = {"size": size, "sizes": sizes, "on_sheet": _SIZES[size][0], "tags": []}
        try:
            sheet = desk.sheet()
        except ShelfpriceError as error:
            return render_template_string(_PAGE, told=str(error), **shown), 503
        rows = meant(sheet, request.args, request.args.getlist("price"))
        products = {product.sku: product for product in sheet.catalog.products}
        if size == "sticker":
            shown["tags"] = [tag for row in rows for tag in stickers_of(row, products.get(row.sku))]
        else:
            prior = prior_prices(desk.workspace, sheet, rows)
            shown["tags"] = [tag_of(row, products.get(row.sku), prior.get((row.store, row.sku))) for row in rows]
        return render_template_string(_PAGE, told=told_of(rows, size), **shown), 200


def meant(sheet: Sheet, query: Mapping[str, str], ids: Sequence[str]) -> list[Row]:
    """Return the rows whose tags are printed: those with some ids, or without ids all that the filters find.

    Parameters
    ----------
    asked
        Filters, as the desk's address names them. Only `unchanged=false` leaves out prices that do not change.
    """
    words = {name: query.get(name) for name in ("text", "store", "category", "state")}
    question = DeskQuestion(**words, unchanged=query.get("unchanged") != "false", dearer=query.get("dearer") == "true")
    return list(question.found_in(sheet.rows.those(ids) if ids else sheet.rows))


def told_of(rows: Sequence[Row], size: str = "medium") -> str:
    """Say what is printed, and on how many sheets."""
    on_sheet, measures = _SIZES[size]
    units = sum(row.sticker.units for row in rows if row.sticker is not None)
    if size == "sticker":
        noun = "sticker" if units == 1 else "stickers"
        return f"{units:,} {noun} for units on their last day, {on_sheet} of {measures} on a sheet of A4."
    if not rows:
        return "There is no price to print: choose a store and products at the desk."
    dates = " and ".join(f"{date}" for date in sorted({row.date for row in rows}))
    noun = "tag" if len(rows) == 1 else "tags"
    sentence = f"{len(rows):,} {noun} with the opening prices of {dates}, as decided so far"
    return f"{sentence}; {on_sheet} of {measures} on a sheet of A4."


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
    ean, is_cut = "" if product is None or product.ean is None else f"EAN {product.ean}", prior and prior > row.stands
    return {
        "name": row.name,
        "price": euros(row.stands),
        "prior": f"Prior price {euros(prior)}" if prior and is_cut else "",
        "cut": _cut(row.stands, prior) if prior and is_cut else "",
        "unit": unit,
        "bars": None if product is None or product.ean is None else bars_of(product.ean),
        "foot": f"{store_name(row.store)}, {row.date}",
        "ean": ean,
    }


def stickers_of(row: Row, product: Product | None) -> list[dict[str, Any]]:
    """Return a sticker for each unit that carries one: no bars, for a till would charge the price of the label."""
    if row.sticker is None:
        return []
    tag = tag_of(replace(row, stands=row.sticker.price), product)
    labels = {"prior": f"instead of {euros(row.stands)}", "cut": _cut(row.sticker.price, row.stands), "bars": None}
    return [tag | labels | {"foot": f"Last day, {store_name(row.store)}, {row.date}", "ean": ""}] * row.sticker.units


def _cut(now: float, before: float) -> str:
    return f"−{100 * (1 - now / before):.0f} %"


def bars_of(ean: str) -> dict[str, Any] | None:
    """Return the bars of an EAN-8, UPC-A or EAN-13 as an SVG path, 40 high, and the width in modules.

    None for a number of 14 digits.
    """
    if len(ean) not in _BARCODES:
        return None
    (modules,) = get_barcode_class(_BARCODES[len(ean)])(ean).build()
    path = "".join(f"M{_QUIET + place} 0h1v40h-1z" for place, module in enumerate(modules) if module == "1")
    return {"path": path, "width": len(modules) + 2 * _QUIET}
