"""The commands that answer: one price with its explanation, and questions in SQL. They start no service."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.bounds import HIGHEST_PRICE, LOWEST_PRICE
from catalog.currency import currency_of
from catalog.settings import read_settings
from flows.cli.command import HIGHEST, Catalog, Json, command, known_skus, text_of
from flows.cli.console import remark, say, show_table

Query = Annotated[str | None, typer.Argument(help="A SQL query; without one, from standard input or a prompt.")]
Csv = Annotated[bool, typer.Option("--csv", help="Comma-separated values on stdout.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the answer to a file that ends in .csv, .json or .parquet."),
]
Force = Annotated[bool, typer.Option("--force", help="Let --out replace a file.")]


@command()
def sql(query: Query = None, csv: Csv = False, as_json: Json = False, out: Out = None, force: Force = False) -> None:
    """Query the warehouse in SQL, read-only, even while flows write.

    A query reads the lake and no other file, address or extension, and writes nothing; --out keeps its answer.

    Views for analysts: daily_sales, hourly_sales, daily_prices, daily_profit, daily_waste, daily_markdowns,
    days_of_cover, stock_by_expiry, stock_outs, demand_by_price, budget_groups, champion_history, past_days,
    price_history, newest_rival_prices, price_index, audit.
    Tables as stored, among others: interactions, substitutions, repricings, unit_sales, stock_movements, markdowns,
    promotions, demand_cells, visit_counts, store_visits, context_counts, events, weather, training_rows, price_book,
    demand_curves, beliefs, belief_updates, nights, model_versions, champions, drift_checks, days_in_force, catalogs,
    ingested_files, rejected, products, stores, shoppers, regret_by_day,
    price_changes, alerts, notifications, export_batches, label_states,
    receipt_lines, stock_events, traffic, product_visits, competitor_prices, exposures, price_draws, hourly_draws,
    experiments, earned.
    `from dictionary` names every table and column; docs/sql-cookbook.md has questions with their answers.

    For example:
      shelfprice sql "from daily_sales limit 5"
      shelfprice sql --csv "from dictionary"
    """
    from flows.cli.sql_answers import WRITERS, answer, converse, keep, refuse_place

    if csv + as_json + (out is not None) > 1:
        raise typer.BadParameter("expected one of --csv, --json and --out, found more; nothing was run: choose one")
    if force and out is None:
        raise typer.BadParameter("--force lets --out replace a file, and there is no --out; nothing was run: add one")
    if out is not None and out.suffix.lower() not in WRITERS:
        raise typer.BadParameter(f"--out {out}: expected an ending of {', '.join(WRITERS)}; nothing was run: add one")
    if query is None and out is None and sys.stdin.isatty():
        converse(read_settings())
        return
    settings = read_settings()
    place = None if out is None else refuse_place(settings, out, force=force)
    text = query if query is not None else sys.stdin.read()
    if place is not None:
        keep(settings, text, place)
    else:
        answer(settings, text, "csv" if csv else "json" if as_json else "table")


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
    typer.Option(min=LOWEST_PRICE, max=HIGHEST_PRICE, help="Price on the shelf now, for limits on steps."),
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
    from flows.clock import now_of
    from serving.quote import PriceQuestion
    from serving.quote import text_of as json_of
    from serving.quote_desk import open_desk
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
    desk = open_desk(lake, shelf, catalog, now_of(Workspace(settings, shelf, lake)))
    question = PriceQuestion(sku, stock, ticks_left, shown, opening)
    answer = desk.answer(question, store)
    if desk.passed_over is not None:
        remark(f"{desk.passed_over.sentence}: run {desk.passed_over.remedy}")
    if as_json:
        sys.stdout.write(json_of(answer, desk.warning))
    elif hasattr(answer, "drawn"):
        show_drawn_quote(answer)
    elif explain:
        show_explanation(answer)
        if fate := fate_of_unsold(product, shelf.store.money, shelf.store.closed_days):
            say(fate)
    else:
        show_quote(product.name, answer, desk.worths(answer, store))


def show_quote(name: str, answer: Any, worths: Sequence[float | None]) -> None:
    """Print the price beside its candidates, with what the policy maximises, EUR per visit, in the last column."""
    marks = {answer.unconstrained_price: "policy", answer.price: "->"}
    candidates = [
        [marks.get(one["price"], ""), *one.values(), None if worth is None else 100 * worth]
        for one, worth in zip(answer.candidates, worths, strict=True)
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


def show_drawn_quote(answer: Any) -> None:
    """Print why an outside store's price stands, and what the prices of the band are expected to sell."""
    say(answer.reason)
    money = currency_of(answer.currency)
    if not answer.candidates:
        return
    rows = [
        [
            "->" if one["price"] == answer.price else "",
            one["price"],
            *(
                "" if one[name] is None else f"{one[name]:.1f}"
                for name in ("expected_units", "units_low", "units_high")
            ),
            "" if one["expected_profit"] is None else f"{one['expected_profit']:.{max(2, money.digits)}f}",
        ]
        for one in answer.candidates
    ]
    price, drawn = f"price, {money.code}", answer.drawn
    held = "held at your own price" if drawn["is_held"] else "on the way to your own price"
    state = (
        held if drawn["is_held"] or drawn["is_on_the_way"] else "an experiment" if drawn["is_experiment"] else "drawn"
    )
    show_table(
        f"Expected from {drawn['first']} to {drawn['through']}, {answer.holds_in}",
        ["", price, "units", "from", "to", f"profit, {money.code}"],
        rows,
        f"{state}; your own price is {money.format_money(drawn['shelf_price'])}; design: {drawn['design']}",
        money=[price],
        digits=money.digits,
    )


def show_explanation(answer: Any) -> None:
    """Print the reason as a sentence, and each step from the policy's price to the price on the shelf."""
    say(answer.reason)
    money = currency_of(answer.currency)
    rows = [["the policy's price", None, answer.unconstrained_price]]
    rows += [[clamp["rule"], clamp["before"], clamp["after"]] for clamp in answer.clamps]
    rows.append(["price to show", None, answer.price])
    written = [
        [step, "" if before is None else money.format_amount(before), money.format_amount(after)]
        for step, before, after in rows
    ]
    show_table(f"From the policy's price to the shelf, {money.code}", ["step", "before", "after"], written)
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
