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
    result = _read(workspace)
    if as_json:
        emit(_as_json(result))
        return
    money, on = workspace.catalog.store.money, [effect for effect in result.effects if effect.rule.sentences]
    rows = [
        [
            effect.rule.title,
            " ".join(effect.rule.sentences),
            effect.shown,
            money.format_amount(effect.cost),
            effect.rule.path,
        ]
        for effect in on
    ]
    show_table("Rules in force", ["rule", "what holds", "prices", f"{money.code} a day", "where it stands"], rows)
    if result.conflicts:
        rows = [
            [conflict.won, conflict.overruled, len(conflict.prices), _example(conflict.prices[0])]
            for conflict in result.conflicts
        ]
        show_table("Rules that disagree", ["this one won", "over this one", "prices", "such as"], rows)
    say(
        f"Rules hold {result.held:,} of {result.n_prices:,} prices; expected cost: "
        f"{money.format_sum(result.cost)} a day."
    )
    if off := [effect.rule for effect in result.effects if not effect.rule.sentences]:
        say(f"Off: {', '.join(f'{rule.title} ({rule.path})' for rule in off)}. --json has lines that turn each on.")


def _read(workspace: "Workspace") -> "RulesNow":
    from etl.calendar import stores_now
    from flows.workspace import now_of
    from plugins.desk.price_changes.consequence import outlook_of
    from plugins.desk.rules.effects import rules_now
    from plugins.desk.standing import standings
    from serving.book.store import opened_once

    lake, catalog = workspace.lake, workspace.catalog
    clocks = stores_now(lake, catalog, catalog.store.stores, now_of(workspace))
    books = opened_once(lake)
    opened = {date: books(catalog, date) for date in {now.date for now in clocks.values()}}
    forecasts = {
        date: outlook_of(lake, catalog, in_force.found, date, in_force) for date, in_force in opened.items() if in_force
    }
    return rules_now(catalog, standings(lake, catalog, clocks, books), forecasts)


def _example(price: Any) -> str:
    return f"{price.sku} in {price.store}"


def _as_json(found: "RulesNow") -> dict[str, Any]:
    rules = [
        {
            "rule": effect.rule.title,
            "is_on": bool(effect.rule.sentences),
            **{name: getattr(effect.rule, name) for name in ("sentences", "skus", "example")},
            "where": effect.rule.path,
            "held": effect.shown,
            "cost_a_day": effect.cost,
            "held_of_unknown_cost": effect.unknown,
        }
        for effect in found.effects
    ]
    conflicts = [
        {"won": conflict.won, "overruled": conflict.overruled}
        | {"prices": [{"store": price.store, "sku": price.sku, "price": price.price} for price in conflict.prices]}
        for conflict in found.conflicts
    ]
    prices = {"prices": found.n_prices, "held": found.held, "cost_a_day": found.cost}
    return prices | {"rules": rules, "conflicts": conflicts}
