"""The commands of the price desk: set, keep, list and decide about prices."""

import datetime as dt
from typing import Annotated, Literal

import typer

from catalog.bounds import HIGHEST_PRICE, LOWEST_PRICE
from catalog.errors import Declined
from catalog.hooks import SELLERS
from flows.cli.command import (
    RUN_AGAIN,
    Catalog,
    Json,
    OneStore,
    command,
    date_of,
    date_option,
    known_skus,
    not_empty,
    text_of,
)
from flows.cli.console import emit, remark, say
from plugins.desk.alert_commands import alerts
from plugins.desk.answers import (
    DESIGN,
    ask_and_show,
    decide_and_show,
    decide_design_and_show,
    show_changes,
    show_promotions,
    show_stickers,
)
from plugins.desk.rules.commands import rules

_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%H:%M"]

Sku = Annotated[str, typer.Argument(help="Product, for example MILK.", autocompletion=known_skus)]
Price = Annotated[float, typer.Argument(min=LOWEST_PRICE, max=HIGHEST_PRICE, help="Price in the shelf's currency.")]
Names = Annotated[list[str], typer.Argument(help="Ids of price changes, as `shelfprice changes` lists them.")]
Reason = Annotated[
    str,
    typer.Option("--reason", help="Why, in a sentence; it is recorded with your name.", callback=not_empty),
]
OptionalReason = Annotated[
    str | None,
    typer.Option("--reason", help="Why; by default the reason that was given first stays.", callback=not_empty),
]
From = Annotated[
    dt.datetime | None,
    typer.Option(
        "--from",
        formats=_FORMATS,
        metavar="TIME",
        help="From when: 13:00, or 2026-01-09T13:00; by default the next tick. With --store it is that store's local "
        "time, else that of the chain's timezone, also for a store that is in another one.",
    ),
]
Until = Annotated[
    dt.datetime | None,
    typer.Option(
        "--until", formats=_FORMATS, metavar="TIME", help="Until when, written alike; by default until withdrawn."
    ),
]
Anyway = Annotated[bool, typer.Option("--anyway", help="Record it despite what speaks against it.")]
BelowCost = Annotated[
    bool,
    typer.Option(
        "--below-cost",
        help="Accept a price below the floor, and below cost plus the minimum margin as the cost is now; a higher cost "
        "asks for it anew.",
    ),
]
Announce = Annotated[
    bool,
    typer.Option(
        "--announce", help="Announce it as a reduction; the price that it has to name by law is worked out and kept."
    ),
]
ShelfPrice = Annotated[
    bool,
    typer.Option(
        "--shelf-price",
        help="Say your new shelf price of a product whose prices are drawn: the next draw has its band around it.",
    ),
]
On = Annotated[
    Literal["on", "off"], typer.Argument(help="on: base prices from the next tick; off: the policy prices again.")
]
Decision = Annotated[Literal["approve", "reject", "withdraw"], typer.Argument(help="What is decided.")]
_EVENTS = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}

Waiting = Annotated[bool, typer.Option("--waiting", help="Only those that wait for a person.")]
Everything = Annotated[bool, typer.Option("--all", help="Also those that are over, withdrawn or rejected.")]
Promotions = Annotated[
    bool, typer.Option("--promotions", help="Promotions: waiting, planned, running and past, and what they brought.")
]
Stickers = Annotated[bool, typer.Option("--stickers", help="The stickers to print for a morning.")]
StickersOn = Annotated[
    dt.datetime | None, date_option("--date", help="Of --stickers: business date; by default each store's next.")
]
Csv = Annotated[bool, typer.Option("--csv", help="Of --stickers: comma-separated values on stdout.")]
OfSku = Annotated[str | None, typer.Option("--sku", help="Only of one product.", autocompletion=known_skus)]

_OVER = {"rejected", "withdrawn", "expired"}


@command("desk", when_stopped=RUN_AGAIN)
def override(
    sku: Sku,
    price: Price,
    reason: Reason,
    store: OneStore = None,
    from_: From = None,
    until: Until = None,
    announce: Announce = False,
    anyway: Anyway = False,
    below_cost: BelowCost = False,
    shelf_price: ShelfPrice = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Set a price yourself, for a product, a store and a time; the shelf follows at its next tick.

    What speaks against it (frozen, below its floor, another override) is named first. A price below cost plus the
    minimum margin needs --below-cost, and floor and ceiling bind every price. It says what the price is expected to
    cost against the policy's, and how to undo it. --shelf-price says instead that the owner's own price has changed.

    For example:
      shelfprice override MILK 1.29 --store S01 --until 18:00 --reason "a competitor is cheaper"
      shelfprice override MILK 1.59 --shelf-price --reason "the dairy raised its price"
    """
    from plugins.desk.price_changes.request import PriceRequest

    if shelf_price:
        if from_ or until or announce or anyway or below_cost:
            raise typer.BadParameter("--shelf-price goes with --store, --reason, --catalog and --json alone")
        _say_shelf_price(sku, price, reason, store, text_of(catalog), as_json=as_json)
        return
    request = PriceRequest(
        "override",
        reason,
        sku=sku,
        store=store,
        price=price,
        announced=announce,
        ignore_conflicts=anyway,
        below_cost=below_cost,
    )
    ask_and_show(request, from_, until, text_of(catalog), as_json=as_json)


def _say_shelf_price(
    sku: str, price: float, reason: str, store: str | None, folder: str | None, *, as_json: bool
) -> None:
    from flows.workspace import open_workspace

    with override.working():
        outcome = SELLERS.needed("--shelf-price").set_owner_price(open_workspace(folder), sku, price, store, reason)
    if as_json:
        emit({"sku": sku, "price": price, "store": store, "said": outcome})
    else:
        say(outcome)


@command("desk", when_stopped=RUN_AGAIN)
def freeze(
    sku: Sku,
    reason: Reason,
    store: OneStore = None,
    from_: From = None,
    until: Until = None,
    anyway: Anyway = False,
    below_cost: BelowCost = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Keep the price that a product shows now, in one store or in every store, until a time or until it is withdrawn.

    For example:
      shelfprice freeze EGGS --store S01 --reason "the label printer is broken"
    """
    from plugins.desk.price_changes.request import PriceRequest

    request = PriceRequest("freeze", reason, sku=sku, store=store, ignore_conflicts=anyway, below_cost=below_cost)
    ask_and_show(request, from_, until, text_of(catalog), as_json=as_json)


@command("desk", when_stopped=RUN_AGAIN)
def kill_switch(
    position: On, reason: Reason, store: OneStore = None, catalog: Catalog = None, as_json: Json = False
) -> None:
    """Show base prices from the next tick on, in one store or in every store, or let the policy price again.

    It is kept in the lake. The switch of store.yaml, `guardrails.kill_switch`, is another one: it also stops the making
    of price books.

    For example:
      shelfprice kill-switch on --reason "prices look wrong"
      shelfprice kill-switch off --reason "they were right"
    """
    from flows.workspace import now_of, open_workspace
    from plugins.desk.next_ticks import next_tick
    from plugins.desk.price_changes.record import changes_by_people
    from plugins.desk.price_changes.request import PriceRequest

    folder = text_of(catalog)
    if position == "on":
        ask_and_show(PriceRequest("kill_switch", reason, store=store), None, None, folder, as_json=as_json)
        return
    workspace = open_workspace(folder)
    now = next_tick(workspace.lake, workspace.catalog, store, now_of(workspace))
    on = [
        change.id
        for change in changes_by_people(workspace.lake, now)
        if change.terms.kind == "kill_switch" and change.terms.store == store and change.state(now) not in _OVER
    ]
    if not on:
        where = f"in {store}" if store else "for every store"
        raise Declined(f"expected a kill switch that is on {where}, found none; nothing was changed")
    decide_and_show(on, "withdrawn", reason, folder, as_json=as_json)


@command("desk", when_stopped=RUN_AGAIN)
def changes(
    waiting: Waiting = False,
    everything: Everything = False,
    promotions: Promotions = False,
    stickers: Stickers = False,
    sku: OfSku = None,
    store: OneStore = None,
    date: StickersOn = None,
    csv: Csv = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """List what people and policies want to change about prices: what waits, is scheduled, or in force.

    More than 10,000 prices that pass by the rules are counted and not listed; --sku and --store narrow them down.
    A promotion is an override that is announced as a reduction; in SQL it is `promotion_calendar`. A sticker marks
    units on their last day, which go for less than younger ones; those of a date that is over were worked out in the
    night before.

    For example:
      shelfprice changes --waiting
      shelfprice changes --all --store S01 --json
      shelfprice changes --promotions
      shelfprice changes --stickers --store S01 --csv
    """
    if promotions and stickers:
        raise typer.BadParameter("expected one of --promotions and --stickers, found both: choose one")
    if (date or csv) and not stickers:
        raise typer.BadParameter("--date and --csv are of --stickers, which was not found: add it")
    if csv and as_json:
        raise typer.BadParameter("expected one of --csv and --json, found both: choose one")
    from flows.workspace import now_of, open_workspace
    from plugins.desk.next_ticks import next_date, refuse_unknown_store
    from plugins.desk.price_changes.listing import rows_of
    from plugins.desk.price_changes.record import listed_changes

    workspace = open_workspace(text_of(catalog))
    if sku is not None:
        workspace.catalog.product(sku)
    if store is not None:
        refuse_unknown_store(workspace.catalog, store)
    if promotions:
        show_promotions(workspace, sku, store, as_json=as_json)
        return
    if stickers:
        show_stickers(workspace, sku, store, date_of(date), as_csv=csv, as_json=as_json)
        return
    day_before = next_date(workspace.lake, workspace.catalog, now=now_of(workspace)) - dt.timedelta(days=1)
    since = None if everything else dt.date.max if waiting else day_before  # what passed never waits
    changes, left_out = listed_changes(workspace.lake, sku, store, since)
    states = {row["change"]: row["state"] for row in rows_of(workspace, changes)}
    wanted = {"proposed"} if waiting else {"proposed", "scheduled", "in_force", "superseded"}
    chosen = [change for change in changes if everything or states[change.id] in wanted]
    if left_out:
        remark(f"{left_out:,} prices pass by the rules, as sets, and are not listed: ask for one product by --sku.")
    if not chosen and not as_json:
        say("No price change is recorded as waiting." if waiting else "There is no such price change.")
        return
    title = "1 price change" if len(chosen) == 1 else f"{len(chosen)} price changes"
    show_changes(workspace, chosen, as_json=as_json, title=title)


@command("desk", when_stopped=RUN_AGAIN)
def decide(
    decision: Decision, names: Names, reason: OptionalReason = None, catalog: Catalog = None, as_json: Json = False
) -> None:
    """Approve or reject price changes that wait, or withdraw what holds; the shelf follows at its next tick.

    After `reject` the old price stands; it can still be approved until its day is over. `withdraw` takes back an
    override, a freeze, a kill switch or an approval: what stood before holds again. Where store.yaml says `approval:
    {by_another: true}`, nobody may approve a price that they asked for. `drawn_prices` in place of an id is the design
    of drawn prices, see docs/connect-a-store.md.

    For example:
      shelfprice decide approve p12.S01.MILK p12.S01.EGGS
      shelfprice decide reject p12.S01.MILK --reason "too dear for a Friday"
      shelfprice decide withdraw h7 --reason "they are dearer again"
    """
    if names == [DESIGN] and decision != "reject":
        decide_design_and_show(reason, text_of(catalog), is_approved=decision == "approve", as_json=as_json)
    else:
        decide_and_show(names, _EVENTS[decision], reason, text_of(catalog), as_json=as_json)


COMMANDS = (override, freeze, kill_switch, changes, decide, rules, alerts)
