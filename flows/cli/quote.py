"""The commands that answer: one price with its explanation, and questions in SQL. They start no service."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from catalog.bounds import HIGHEST_PRICE, LOWEST_PRICE
from catalog.currency import currency_of
from catalog.settings import read_settings
from flows.cli.command import HIGHEST, Catalog, Json, command, known_skus, text_of
from flows.cli.console import remark, say, show_table

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
    typer.Option(
        min=LOWEST_PRICE,
        max=HIGHEST_PRICE,
        help="Price on the shelf now, for limits on steps; by default what a store shows that is being sold.",
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        help="Answer for one store: by what its own sales of the day led to, what people ordered there, or the old "
        "price where it keeps that this week."
    ),
]
Opening = Annotated[
    float | None,
    typer.Option(
        min=LOWEST_PRICE,
        max=HIGHEST_PRICE,
        help="Price at opening, for the limit of a day; by default --shown.",
    ),
]


@command()
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
    """Price one product at a stock level, from the price book in force, what people ordered, and the guardrails.

    Without --store it answers where every store has the same price, and else names the prices and the stores.

    For example:
      shelfprice quote --sku MILK --stock 8
      shelfprice quote --sku MILK --stock 8 --shown 1.29 --explain
      shelfprice quote --sku MILK --stock 8 --ticks-left 12 --store S01
    """
    from catalog.load import load
    from catalog.stock_rules import fate_of_unsold
    from flows.workspace import now_of
    from serving.quote import PriceQuestion, QuoteDesk
    from serving.quote import text_of as json_of
    from warehouse.lake import Lake
    from warehouse.query.advice import own_shelf
    from warehouse.workspace import Workspace

    text_of(catalog)
    settings = read_settings()
    shelf = load(catalog or own_shelf(settings))
    product = shelf.product(sku)
    for option, price in (("--shown", shown), ("--opening", opening)):
        if price is not None and price < shelf.store.money.smallest:
            raise typer.BadParameter(
                f"expected a price from {shelf.store.money.format_money(shelf.store.money.smallest)}, found {price}",
                param_hint=f"'{option}'",
            )
    lake = Lake(settings)
    desk = QuoteDesk(lake, shelf, catalog, now_of(Workspace(settings, shelf, lake)))
    question = PriceQuestion(sku, stock, ticks_left, shown, opening)
    answer = desk.answer(question, store)
    if desk.passed_over is not None:
        remark(f"{desk.passed_over.sentence}: run {desk.passed_over.remedy}")
    if as_json:
        sys.stdout.write(json_of(answer, desk.warning))
    elif show := getattr(answer, "show", None):  # of a store whose prices follow from no book
        show()
    elif explain:
        show_explanation(answer)
        for sentence in desk.said(sku):
            say(sentence)
        if fate := fate_of_unsold(product, shelf.store.money, shelf.store.closed_days):
            say(fate)
    else:
        show_quote(product.name, answer, desk.worths(answer, store))


def show_quote(name: str, answer: Any, worths: Sequence[float | None]) -> None:
    """Print the price beside its candidates, with what the policy maximises, EUR per visit, in the last column."""
    marks = {answer.unconstrained_price: "policy", answer.price: "->"}
    candidates = [
        [marks.get(candidate["price"], ""), *candidate.values(), None if worth is None else 100 * worth]
        for candidate, worth in zip(answer.candidates, worths, strict=True)
    ]
    chance = "" if answer.p_sale is None else f", chance of sale {answer.p_sale:.1%}"
    revenue, money = answer.expected_revenue, currency_of(answer.currency)
    expected = (
        "" if revenue is None else f", expected revenue {revenue:.{max(2, money.digits)}f} {money.code} per visit"
    )
    show_table(
        f"{name}: {money.format_money(answer.price)}{chance}{expected}",
        ["", f"price, {money.code}", "chance of sale", f"revenue, {money.code} per visit", "gain per 100"],
        candidates,
        f"{_stock(answer)}, {answer.ticks_left} ticks to closing; {_source(answer)}, rule: {answer.binding_rule}. "
        f"Gain: {money.code} per 100 visits, from sales now and from what is left, above keeping all units; the policy "
        "takes the price with the highest",
        money=[f"price, {money.code}"],
        digits=money.digits,
    )


def show_explanation(answer: Any) -> None:
    """Print the reason as a sentence, and each step from the policy's price to the price on the shelf."""
    say(answer.reason)
    money = currency_of(answer.currency)
    before = ["" if clamp["before"] is None else money.format_amount(clamp["before"]) for clamp in answer.clamps]
    clamps = [[clamp["rule"], old, clamp["after"]] for clamp, old in zip(answer.clamps, before, strict=True)]
    steps = [["the policy's price", "", answer.unconstrained_price], *clamps, ["price to show", "", answer.price]]
    columns = ["step", "before", "after"]
    show_table(
        f"From the policy's price to the shelf, {money.code}", columns, steps, money=["after"], digits=money.digits
    )
    cost = "no limit changes the price"
    if answer.clamps and answer.clamp_cost is None:
        cost = "the cost of the limits is unknown without a model"
    elif answer.clamps:
        cost = f"the limits cost {answer.clamp_cost:.4f} {money.code} per visit in expectation"
    say(f"Binding rule: {answer.binding_rule}; {cost}. {_source(answer)}, for {_stock(answer)}.")


def _stock(answer: Any) -> str:
    if answer.priced_as_stock == answer.stock:
        return f"{answer.stock} left"
    return f"{answer.stock} left, priced as {answer.priced_as_stock}: the price book knows no more than a full shelf"


def _source(answer: Any) -> str:
    if answer.binding_rule == "kill_switch":
        return "no price book is used while the kill switch is on"
    return f"{answer.policy}, model version {answer.model_version}, book of {answer.made_for}, {answer.holds_in}"
