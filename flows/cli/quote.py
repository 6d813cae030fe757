"""The command that quotes one price and explains it. It starts no service."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.errors import DataError
from catalog.settings import Settings, read_settings
from flows.cli.completion import known_skus
from flows.cli.console import emit, remark, say, show_table
from flows.cli.options import HIGHEST, HIGHEST_PRICE, Catalog, Json, text_of

Sku = Annotated[str, typer.Option(help="Stock-keeping unit, for example MILK.", autocompletion=known_skus)]
Stock = Annotated[int, typer.Option(min=0, max=HIGHEST, help="Units on the shelf.")]
TicksLeft = Annotated[
    int | None,
    typer.Option(min=1, max=HIGHEST, help="Ticks until closing, this one included; by default the whole day."),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Say why: the policy's price, each limit, what the limits cost.")
]
Shown = Annotated[
    float | None,
    typer.Option(min=0.01, max=HIGHEST_PRICE, help="Price on the shelf now, EUR, for limits on steps."),
]
Store = Annotated[
    str | None,
    typer.Option(
        help="Answer for one store: by the prices that its own sales of the day led to, or with the old price where it "
        "keeps that this week."
    ),
]
Opening = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=HIGHEST_PRICE,
        help="Price at opening, EUR, for the limit of a day; by default --shown.",
    ),
]


def quote(
    sku: Sku,
    stock: Stock,
    ticks_left: TicksLeft = None,
    explain: Explain = False,
    shown: Shown = None,
    opening: Opening = None,
    store: Store = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Price one product at a stock level: a look-up in the price book in force, under the guardrails.

    For example:
      shelfprice quote --sku MILK --stock 8
      shelfprice quote --sku MILK --stock 8 --shown 1.29 --explain
      shelfprice quote --sku MILK --stock 8 --ticks-left 12 --store S01
    """
    from catalog.load import load
    from serving.book_store import book_in_force
    from serving.quote import PriceQuestion, explained
    from warehouse.advice import own_shelf
    from warehouse.books import books_passed_over
    from warehouse.lake import Lake

    text_of(catalog)
    settings = read_settings()
    shelf = load(catalog or own_shelf(settings))
    product = shelf.product(sku)
    found, passed_over = book_in_force(Lake(settings)), books_passed_over(Lake(settings))
    if found is None and passed_over is not None:
        raise DataError(
            f"{passed_over.sentence}: {sku} keeps its base price, {product.base_price:.2f} EUR; run "
            f"{passed_over.remedy}"
        )
    if found is None:
        raise DataError(
            f"expected a price book, found none; {sku} keeps its base price, {product.base_price:.2f} EUR: "
            f"{_way_to_prices(catalog)}"
        )
    book, curves = found.book, found.curves
    if store is not None and found.belief is not None:
        book, curves = _remade(settings, store, found.book)
    elif store is not None and store not in shelf.store.stores:
        raise DataError(
            f"expected a store of this catalog, such as {shelf.store.stores[0]}, found {store!r}; nothing was quoted"
        )
    answer = explained(shelf, book, curves, PriceQuestion(sku, stock, ticks_left, shown, opening), store)
    if passed_over is not None:
        remark(f"{passed_over.sentence}: run {passed_over.remedy}")
    if as_json:
        emit({**vars(answer), **({"passed_over": [str(date) for date in passed_over.dates]} if passed_over else {})})
    elif explain:
        show_explanation(answer)
    else:
        show_quote(product.name, answer)


def _remade(settings: Settings, store: str, book: Any) -> tuple[Any, Any]:
    """Return the newest prices that a store's own sales led to."""
    from serving.reprice import repriced
    from warehouse.lake import Lake

    found = repriced(Lake(settings), store, book.published_at.date())
    if found is None:
        raise DataError(
            f"expected prices that were remade for {store} on {book.published_at:%Y-%m-%d}, found none: nothing was "
            f"quoted; run `shelfprice reprice --store {store}` while it sells, or leave --store out"
        )
    return found


def _way_to_prices(catalog: Path | None) -> str:
    from warehouse.advice import next_command, situation_of

    command = next_command(situation_of(read_settings(), catalog))
    return f"run `{command}`" if command else "earlier days have books of their own"


def show_quote(name: str, answer: Any) -> None:
    """Print the price beside its candidates."""
    candidates = [["->" if one["price"] == answer.price else "", *one.values()] for one in answer.candidates]
    chance = "" if answer.p_sale is None else f", chance of sale {answer.p_sale:.1%}"
    revenue = answer.expected_revenue
    expected = "" if revenue is None else f", expected revenue {revenue:.2f} EUR per visit"
    show_table(
        f"{name}: {answer.price:.2f} EUR{chance}{expected}",
        ["", "price, EUR", "chance of sale", "expected revenue, EUR per visit"],
        candidates,
        f"{_stock(answer)}, {answer.ticks_left} ticks to closing; {_source(answer)}, rule: {answer.binding_rule}",
        money=["price, EUR"],
    )


def show_explanation(answer: Any) -> None:
    """Print the reason as a sentence, and each step from the policy's price to the price on the shelf."""
    say(answer.reason)
    rows = [["the policy's price", None, answer.unconstrained_price]]
    rows += [[clamp["rule"], clamp["before"], clamp["after"]] for clamp in answer.clamps]
    rows.append(["price to show", None, answer.price])
    written = [[step, "" if before is None else f"{before:.2f}", f"{after:.2f}"] for step, before, after in rows]
    show_table("From the policy's price to the shelf, EUR", ["step", "before", "after"], written)
    cost = "no limit changes the price"
    if answer.clamps and answer.clamp_cost is None:
        cost = "the cost of the limits is unknown without a model"
    elif answer.clamps:
        cost = f"the limits cost {answer.clamp_cost:.4f} EUR per visit in expectation"
    say(f"Binding rule: {answer.binding_rule}; {cost}. {_source(answer)}, for {_stock(answer)}.")


def _stock(answer: Any) -> str:
    if answer.priced_as_stock == answer.stock:
        return f"{answer.stock} left"
    return f"{answer.stock} left, priced as {answer.priced_as_stock}: the price book knows no more than a full shelf"


def _source(answer: Any) -> str:
    if answer.binding_rule == "kill_switch":
        return "no price book is used while the kill switch is on"
    return f"{answer.policy}, model version {answer.model_version}, book of {answer.made_for}"
