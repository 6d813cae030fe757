"""`shelfprice rules`: the rules for prices in plain sentences, and what they do now."""

from typing import TYPE_CHECKING, Any

from flows.cli.command import RUN_AGAIN, Catalog, Json, command, text_of
from flows.cli.console import emit, say, show_table

if TYPE_CHECKING:
    from plugins.desk.rules.effects import RulesNow
    from warehouse.workspace import Workspace


@command("desk", when_stopped=RUN_AGAIN)
def rules(catalog: Catalog = None, as_json: Json = False) -> None:
    """List the rules for prices: how many prices each holds now, what that costs a day, and which rules disagree.

    A rule is changed in store.yaml; docs/guardrails.md has the order in which they are applied. Rules that look at the
    day so far hold nothing before it begins.

    For example:
      shelfprice rules
    """
    from flows.workspace import open_workspace

    workspace = open_workspace(text_of(catalog))
    found = _read(workspace)
    if as_json:
        emit(_as_json(found))
        return
    money, on = workspace.catalog.store.money, [effect for effect in found.effects if effect.rule.sentences]
    rows = [
        [one.rule.title, " ".join(one.rule.sentences), one.shown, money.format_amount(one.cost), one.rule.path]
        for one in on
    ]
    show_table("Rules in force", ["rule", "what holds", "prices", f"{money.code} a day", "where it stands"], rows)
    if found.conflicts:
        rows = [[one.won, one.overruled, len(one.prices), _example(one.prices[0])] for one in found.conflicts]
        show_table("Rules that disagree", ["this one won", "over this one", "prices", "such as"], rows)
    say(f"Rules hold {found.held:,} of {found.n_prices:,} prices; expected cost: {money.format_sum(found.cost)} a day.")
    if off := [one.rule for one in found.effects if not one.rule.sentences]:
        say(f"Off: {', '.join(f'{rule.title} ({rule.path})' for rule in off)}. --json has lines that turn each on.")


def _read(workspace: "Workspace") -> "RulesNow":
    from etl.calendar import stores_now
    from flows.clock import now_of
    from plugins.desk.price_changes.consequence import outlook_of
    from plugins.desk.rules.effects import rules_now
    from serving.book.store import opened_once
    from serving.store.standing import standings

    lake, catalog = workspace.lake, workspace.catalog
    clocks = stores_now(lake, catalog, catalog.store.stores, now_of(workspace))
    books = opened_once(lake)
    opened = {date: books(catalog, date) for date in {now.date for now in clocks.values()}}
    forecasts = {date: outlook_of(lake, catalog, own.found, date, own) for date, own in opened.items() if own}
    return rules_now(catalog, standings(lake, catalog, clocks, books), forecasts)


def _example(price: Any) -> str:
    return f"{price.sku} in {price.store}"


def _as_json(found: "RulesNow") -> dict[str, Any]:
    rules = [
        {
            "rule": one.rule.title,
            "is_on": bool(one.rule.sentences),
            **{name: getattr(one.rule, name) for name in ("sentences", "skus", "example")},
            "where": one.rule.path,
            "held": one.shown,
            "cost_a_day": one.cost,
            "held_of_unknown_cost": one.unknown,
        }
        for one in found.effects
    ]
    conflicts = [
        {"won": one.won, "overruled": one.overruled}
        | {"prices": [{"store": own.store, "sku": own.sku, "price": own.price} for own in one.prices]}
        for one in found.conflicts
    ]
    told = {"prices": found.n_prices, "held": found.held, "cost_a_day": found.cost}
    return told | {"rules": rules, "conflicts": conflicts}
