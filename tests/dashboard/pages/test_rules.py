"""The Rules page shows what each rule holds and costs, where rules disagree, and how to turn on those that are off."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from dashboard.pages.rules import rules_shown
from plugins.desk.rules.effects import Conflict, RuleEffect, RulesNow
from plugins.desk.rules.sentences import rules_of

SHELF = load(CLASSIC)
ENDING = Guardrails(price_ending=9, changes_per_day=2)
CATALOG = Catalog(SHELF.products, SHELF.store.model_copy(update={"guardrails": ENDING}))
KNOWN = {
    "Price endings": (9, 1.234, 0),
    "Margins": (3, 20.0, 0),
    "Orders of people": (1, 0.0, 1),
    "Floor and ceiling": (0, 0.5, 0),
}


def now(*conflicts: Conflict) -> RulesNow:
    effects = (RuleEffect(rule, *KNOWN.get(rule.title, (0, 0.0, 0))) for rule in rules_of(CATALOG))
    return RulesNow(tuple(effects), conflicts, 15)


def test_the_dearest_rules_come_first_with_prices_and_euros_and_the_others_say_why_they_hold_none(
    words: Callable[[Any], str],
) -> None:
    stats, on, off = rules_shown(CATALOG, now())
    assert "13 of 15" in words(stats)
    assert "€21.73" in words(stats)
    assert "not known of 1 of them" in words(stats)
    told = words(on)
    margins, endings = (told.index(text) for text in ("3 prices €20.00 a day", "Prices end in 9."))
    assert margins < endings < told.index("9 prices €1.23 a day") < told.index("1 price cost not known")
    assert (
        "A price changes at most 2 times a day after opening. guardrails.changes_per_day · all products counts" in told
    )
    assert "no price now, some later in the day €0.50 a day" in told
    assert "guardrails:\n  margins" not in words(off)
    assert "guardrails:\n  families:" in words(off)
    copied = [part.content for part in off._traverse() if type(part).__name__ == "Clipboard"]
    assert "guardrails:\n  one_price: zone" in copied


def test_rules_that_disagree_name_the_winner_and_lead_to_the_price(words: Callable[[Any], str]) -> None:
    milk: Any = SimpleNamespace(store="S01", sku="MILK", price=1.5)
    _, _, shown, _ = rules_shown(CATALOG, now(Conflict("Margins", "Rivals", (milk,) * 4)))
    assert "Margins Rivals 4 Milk in S01 at €1.50" in words(shown)
    links = [part.href for part in shown._traverse() if type(part).__name__ == "Anchor"]
    assert links == ["/prices?product=MILK&store=S01"] * 3
