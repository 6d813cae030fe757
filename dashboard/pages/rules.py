"""The Rules page: which rules prices keep, what each costs, and where two of them disagree. It is read, not edited."""

from collections.abc import Sequence
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import Dash, dcc, html
from dash.development.base_component import Component

from catalog.load import Catalog
from dashboard.components import card, frame, prose, stat, table, wire_content
from dashboard.formats import count, euros, store_name
from dashboard.monitor import Monitor, Page
from dashboard.pages.overview_cards import no_data
from plugins.desk.rules.effects import Conflict, RuleEffect, RulesNow, rules_now
from plugins.desk.rules.sentences import Rule
from plugins.desk.standing import Standing

_EXAMPLES, _NAMED, _SENTENCES = 3, 6, 4


def layout(_monitor: Monitor) -> Component:
    """Build the frame of the page; what it shows comes with the first callback."""
    return frame("rules", "Rules", "Which rules your prices keep, what each costs, and where two of them disagree.")


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    wire_content(app, "rules", lambda: repr((monitor.desk.stamp(), monitor.next_command())), lambda _: content(monitor))


def content(monitor: Monitor) -> Component:
    """Draw what the page shows now."""
    if not monitor.reader.has_warehouse():
        return no_data(monitor, "No prices yet", "Rules are counted on the prices of the date that opens next.")
    sheet = monitor.desk.sheet()
    rules = rules_now(sheet.catalog, sheet.standings, sheet.outlooks)
    return html.Div(rules_shown(sheet.catalog, rules), className="stack")


PAGE = Page("rules", "/rules", "Rules", "rules", 3, layout, wire)


def rules_shown(catalog: Catalog, rules: RulesNow) -> list[Component]:
    """Show what the rules do in all, those in force by what they cost, conflicts, and those that are off, folded."""
    on = sorted(
        (shown_effect for shown_effect in rules.effects if shown_effect.rule.sentences),
        key=lambda shown_effect: (-round(shown_effect.cost, 2), -shown_effect.held),
    )
    off = [shown_effect.rule for shown_effect in rules.effects if not shown_effect.rule.sentences]
    disagree = len({(price.store, price.sku) for conflict in rules.conflicts for price in conflict.prices})
    unknown = sum(effect.unknown for effect in rules.effects)
    sentence = f"not known of {count(unknown)} of them" if unknown else "against the policy's own prices"
    held, won = f"{count(rules.held)} of {count(rules.n_prices)}", "the stronger rule won" if disagree else "none"
    stats = [
        stat("Prices that a rule holds", held, None, "of those that stand next"),
        stat("What that costs a day", euros(rules.cost), None, f"expected{'; ' if unknown else ', '}{sentence}"),
        stat("Prices on which rules disagree", count(disagree), None, won),
    ]
    return [
        html.Div(stats, className="grid grid-4"),
        card(
            "Rules in force",
            html.Ul([_rule(catalog, shown_effect) for shown_effect in on], className="desk-needs"),
            caption="A price counts for the rule that decided it last. Rules are changed in `store.yaml`, in the "
            "section that is named here; prices follow at the next tick.",
        ),
        *([_conflicts(catalog, rules.conflicts)] if rules.conflicts else []),
        *([_off(off)] if off else []),
    ]


def _rule(catalog: Catalog, effect: RuleEffect) -> Component:
    rule = effect.rule
    said = [html.Div(sentence, className="desk-reason") for sentence in rule.sentences]
    shown, folded = said[:_SENTENCES], said[_SENTENCES:]
    more = html.Details([html.Summary(f"{count(len(folded))} more"), *folded], className="rules-off")
    where = html.Div(f"{rule.path} · {_products(catalog, rule.skus)}", className="desk-dim")
    words = [html.Strong(rule.title), *shown, *([more] if folded else []), where]
    return html.Li([html.Div(words), html.Div(_figures(effect), className="rule-figures")])


def _figures(effect: RuleEffect) -> list[Component]:
    cost = f"{euros(effect.cost)} a day"
    if effect.held:
        sentence = "cost not known" if effect.unknown == effect.held else cost
        return [html.Strong(f"{count(effect.held)} price{'' if effect.held == 1 else 's'}"), html.Div(sentence)]
    if round(effect.cost, 2):
        return [html.Div("no price now, some later in the day", className="desk-dim"), html.Div(cost)]
    return [html.Div("counts within the day" if effect.shown is None else "holds no price now", className="desk-dim")]


def _products(catalog: Catalog, skus: Sequence[str]) -> str:
    if len(skus) == len(catalog.skus):
        return "all products"
    named = ", ".join(skus[:_NAMED])
    return f"{named} and {count(len(skus) - _NAMED)} more" if len(skus) > _NAMED else named or "no product"


def _conflicts(catalog: Catalog, conflicts: Sequence[Conflict]) -> Component:
    names = {product.sku: product.name for product in catalog.products}
    rows = [
        [conflict.won, conflict.overruled, count(len(conflict.prices)), _examples(names, conflict.prices)]
        for conflict in conflicts
    ]
    return card(
        "Where rules disagree",
        table(("This rule won", "over this one", "Prices", "Such as"), rows, numbers=(2,), width=520),
        caption="The prices that stand do not keep the second rule. Which rule is stronger stands in the order of the "
        "guardrails.",
    )


def _examples(names: dict[str, str], prices: Sequence[Standing]) -> Component:
    links = []
    for price in prices[:_EXAMPLES]:
        sentence = f"{names.get(price.sku, price.sku)} in {store_name(price.store)} at {euros(price.price)}"
        query = urlencode({"product": price.sku, "store": price.store})
        links.append(dmc.Anchor(sentence, href=f"/prices?{query}", size="sm"))
    return html.Div(links, className="rule-examples")


def _off(rules: Sequence[Rule]) -> Component:
    """Fold the rules that are off, each with the lines of store.yaml that turn it on."""
    lines = []
    for rule in rules:
        copy = dcc.Clipboard(content=rule.example, title=f"copy lines of {rule.title}", className="copy")
        words = html.Div([html.Strong(rule.title), html.Div(rule.path, className="desk-dim")])
        lines.append(html.Li([words, html.Div([dmc.Code(rule.example, block=True), copy], className="mend")]))
    hint = "Copy lines into `store.yaml`, with your own figures and products; docs/guardrails.md says what each does."
    title = html.Summary(f"{count(len(rules))} rule{'' if len(rules) == 1 else 's'} off")
    folded = [title, dmc.Text(prose(hint), c="dimmed", size="sm", my="xs"), html.Ul(lines, className="desk-needs")]
    return dmc.Paper(html.Details(folded, className="rules-off"), withBorder=True, p="md")
