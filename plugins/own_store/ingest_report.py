"""What `shelfprice ingest` prints about a file: how it was read, and what its rows say about each product."""

from typing import Any

from catalog.currency import EUR, Currency
from flows.cli.console import remark, show_table

_DATES_SHOWN = 5
_A_ROW = {
    "visits": "a visit: a shopper who looked at a product, bought or not",
    "receipts": "a line of a receipt",
    "units": "the units of one store, product and day or hour",
}
_COUNTED = {
    "returned_units": "{count} units were brought back: they are taken off what was sold that day.",
    "zero_days": "{count} store days of a product without a sale were added, at its last price and the next one.",
    "sudden_zeros": "{count} store days sold nothing of what usually sells: the shelf may have been empty, so they are "
    "left out.",
    "more_than_most": "{count} rows have more units than most_units_per_day of their product: raise it in the catalog.",
    "promoted": "{count} store days of a product stand beside a promotion, display, leaflet or event.",
}
_SALES = ("receipts", "units")
_WITHOUT: dict[str, tuple[str, tuple[str, ...]]] = {
    "inventory_level": ("stock is stored as unknown, and policies assume a full shelf", ("visits", *_SALES)),
    "unit_cost": ("prices can earn revenue, not margin", ("visits", *_SALES)),
    "base_price": ("the median price is used, or the regular price where there is one", ("visits", *_SALES)),
    "shopper_id": (
        "visits to one product at one moment are numbered, so duplicate rows cannot be detected",
        ("visits",),
    ),
    "receipt": ("equal lines are taken for purchases of their own", ("receipts",)),
    "traffic": ("a day's units are counted against most_units_per_day of the product", _SALES),
    "promotion": ("what was on offer is not known", _SALES),
    "store_id": ("all rows belong to one store, S01", ("visits", *_SALES)),
    "propensity": ("price frequency is used as propensity", ("visits",)),
}
"""What follows where a file lacks a column, and for which grains."""


def show_ingested(row: dict[str, Any], time_zone: str, money: Currency = EUR) -> None:
    """Say how a file was read, what became of its rows, and what it says about each product."""
    taken, grain = row["columns"], row["grain"]
    remark(f"Each row was read as {_A_ROW[grain]} (--grain {grain}).")
    remark("Columns: " + ", ".join(f"{theirs} as {ours}" for ours, theirs in taken.items()))
    remark(f"Times without an offset were read as {time_zone}.")
    for ours, (consequence, grains) in _WITHOUT.items():
        if ours not in taken and grain in grains:
            remark(f"There is no column for {ours}: {consequence}.")
    counts = ["rows", "valid", "rejected", "first_date", "last_date"]
    show_table(f"{row['file']}, as stored in the lake", counts, [[row[name] for name in counts]])
    if row["reasons"]:
        reasons = sorted(row["reasons"].items(), key=lambda item: -item[1][0])
        columns = ["reason", "rows", "first at line"]
        show_table("Rejected rows, in the table rejected", columns, [[reason, *found] for reason, found in reasons])
    _show_what_happened(row["summary"])
    _show_products(row["profile"], grain, money)


def _show_what_happened(summary: dict[str, Any]) -> None:
    for name, sentence in _COUNTED.items():
        if count := summary["counts"].get(name):
            remark(sentence.format(count=f"{count:,.0f}"))
    replaced = summary["replaced"]
    if replaced:
        columns = list(replaced[0])
        shown = [list(day.values()) for day in replaced[:_DATES_SHOWN]]
        show_table(f"{len(replaced)} days of earlier files were replaced, the first of them", columns, shown)


def _show_products(profile: list[dict[str, Any]], grain: str, money: Currency) -> None:
    seen, counted, rate = ("decisions", "visits", "share bought")
    if grain != "visits":
        seen, counted, rate = ("store_days", "store days", "units a day")
    prices = ("lowest", "median", "highest", "base price")
    fields = ["sku", "name", seen, "purchase_rate", "prices", "lowest", "median", "highest", "base_price", "response"]
    rounded = [product | {"purchase_rate": round(product["purchase_rate"], 4)} for product in profile]
    products = [[product[name] for name in fields] for product in rounded]
    names = ["sku", "product", counted, rate, "prices", *prices, "response"]
    caption = (
        "response: change of log units per log price that the log suggests; at -2 a price 10 % lower sells 23 % more. "
        "It is only the first guess where prices are drawn"
    )
    title = money.format_title("Products, money in EUR")
    show_table(title, names, products, caption, money=prices, digits=money.digits)
