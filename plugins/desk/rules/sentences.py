"""Every rule for prices as plain sentences with its figures, the products it concerns, and the lines that turn it on.

Each limit of `catalog.decisions.rules.LIMITS` belongs to one rule, so that prices can be counted by rule.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.load import Catalog
from plugins.desk.records import RivalRules

_MOST_NAMES = 8  # in one sentence


@dataclass(frozen=True)
class Rule:
    """One rule of a store.

    Attributes
    ----------
    title
        What it is about.
    path
        Where it stands in store.yaml, unless it says another place.
    limits
        Its names in the trail of a price.
    sentences
        What holds, one sentence each; empty while the rule is off.
    skus
        Products that it concerns.
    example
        Lines of store.yaml that turn it on; empty where it is always on.
    is_within_day
        Whether it looks at the prices that stood before, so that it holds nothing at opening.
    """

    title: str
    path: str
    limits: tuple[str, ...]
    sentences: tuple[str, ...]
    skus: tuple[str, ...]
    example: str = ""
    is_within_day: bool = False


def rules_of(catalog: Catalog) -> tuple[Rule, ...]:
    """Return the rules of a catalog, those that are off among them."""
    return (*_of_costs_and_other_products(catalog), *_of_forms(catalog), *_of_people(catalog), *_within_a_day(catalog))


def _of_costs_and_other_products(catalog: Catalog) -> Iterator[Rule]:
    store, rails, every, first = catalog.store, catalog.store.guardrails, catalog.skus, catalog.products[0]
    plus = f" plus {_percent(rails.minimum_margin)}" if rails.minimum_margin else ""
    higher = {of: share for of, share in rails.margins.items() if share > rails.minimum_margin}
    sentences: tuple[str, ...] = (
        f"No price is below unit cost{plus}.",
        *(f"In {of}, none is below unit cost plus {_percent(share)}." for of, share in higher.items()),
    )
    example = f"guardrails:\n  margins: {{{first.category}: 0.15}}"
    yield Rule("Margins", "guardrails.minimum_margin, margins", ("minimum_margin",), sentences, every, example)

    rules = store.section(RivalRules)
    of = _listed(rules.of, "or")
    held: tuple[str, ...] = (
        (f"{_names(catalog, rules.held)}: at most the cheapest price of {of}.",) if rules.held else ()
    )
    if (above := rules.at_most_above) is not None:
        rest = "other price" if held else "price"
        held += (f"No {rest} is more than {_percent(above)} above the cheapest price of {of}.",)
    example = f"rivals:\n  of: [Corner]\n  at_most_above: 0.05\n  held: [{first.sku}]"
    yield Rule("Rivals", "rivals", ("rivals",), held, rules.held if above is None else every, example)

    packs = [sorted(map(catalog.product, family.skus), key=lambda pack: pack.measured[0]) for family in rails.families]
    sentences = tuple(
        f"Per {sizes[0].measured[1]}, a larger pack is never dearer than a smaller one: "
        f"{_listed(pack.name for pack in sizes)}."
        for sizes in packs
    )
    skus = tuple(pack.sku for sizes in packs for pack in sizes)
    example = f"guardrails:\n  families:\n    - skus: [{first.sku}, {every[-1]}] # sizes of one product"
    yield Rule("Pack sizes", "guardrails.families", ("families",), sentences, skus, example)

    brands = [(brand.sku, brand.brand, brand.below) for brand in rails.own_brands]
    sentences = tuple(
        f"{_names(catalog, [own])} is {f'at least {_percent(below)} cheaper' if below else 'never dearer'} than "
        f"{_names(catalog, [brand])}."
        for own, brand, below in brands
    )
    skus = tuple(sku for sku, _, _ in brands)
    example = f"guardrails:\n  own_brands:\n    - {{sku: {first.sku}, brand: {every[-1]}, below: 0.1}}"
    yield Rule("Own brands", "guardrails.own_brands", ("own_brands",), sentences, skus, example)


def _of_forms(catalog: Catalog) -> Iterator[Rule]:
    rails, every, first = catalog.store.guardrails, catalog.skus, catalog.products[0]
    sentences: tuple[str, ...] = (f"Prices end in {rails.price_ending}.",) if rails.price_ending is not None else ()
    example = "guardrails:\n  price_ending: 9"
    yield Rule("Price endings", "guardrails.price_ending", ("price_ending",), sentences, every, example)

    sentences = ("All stores of a zone show the same price of a product.",) if rails.one_price is not None else ()
    yield Rule("One price", "guardrails.one_price", ("one_price",), sentences, every, "guardrails:\n  one_price: zone")

    marked = rails.markdown_only
    which = "any product" if marked == "all" else _listed(marked or (), "or")
    sentences = (f"No price of {which} is above its base price.",) if marked is not None else ()
    skus = tuple(
        product.sku for product in catalog.products if rails.allow_only_markdowns(product.sku, product.category)
    )
    example = f"guardrails:\n  markdown_only: [{first.category}]"
    yield Rule("Markdowns only", "guardrails.markdown_only", ("markdown_only",), sentences, skus, example)

    sentences = ("Each price is between the floor and the ceiling of its product.",)
    limits = ("impossible_price", "ceiling", "floor")
    yield Rule("Floor and ceiling", "floor_price and ceiling_price in products.yaml", limits, sentences, every)


def _of_people(catalog: Catalog) -> Iterator[Rule]:
    store, rails, every, money = catalog.store, catalog.store.guardrails, catalog.skus, catalog.store.money
    price = f"{every[0]}: {money.format_amount(catalog.products[0].base_price)}"

    def listed(prices: dict[str, float]) -> str:
        return _listed(f"{_names(catalog, [sku])} at {money.format_money(eur)}" for sku, eur in prices.items())

    sentences: tuple[str, ...] = tuple(
        f"Always the same price: {listed({sku: eur})}." for sku, eur in rails.frozen.items()
    )
    example = f"guardrails:\n  frozen: {{{price}}}"
    yield Rule(
        "Fixed prices",
        "guardrails.frozen, and freezes at the desk",
        ("frozen",),
        sentences,
        tuple(rails.frozen),
        example,
    )

    sentences = tuple(
        f"From {event.first} through {event.last}: {listed(event.prices)}." for event in rails.frozen_during
    )
    skus = tuple(dict.fromkeys(sku for event in rails.frozen_during for sku in event.prices))
    example = (
        f"guardrails:\n  frozen_during:\n    - first: 2026-12-21\n      through: 2026-12-24\n      prices: {{{price}}}"
    )
    yield Rule("Events", "guardrails.frozen_during", ("event",), sentences, skus, example)

    shares = {"the day before's": store.approval.within_of_yesterday, "the base price": store.approval.within_of_base}
    sentences = tuple(
        f"A price that is more than {_percent(share)} from {of} waits for a person."
        for of, share in shares.items()
        if share is not None
    )
    sentences += ("Nobody approves a price that they asked for.",) if store.approval.by_another else ()
    example = "approval:\n  within_of_yesterday: 0.1"
    yield Rule("Approval", "approval", ("not_approved",), sentences, every, example)

    sentences = ("A price that a person orders stands; the kill switch shows base prices.",)
    yield Rule(
        "Orders of people", "the desk, and guardrails.kill_switch", ("override", "kill_switch"), sentences, every
    )


def _within_a_day(catalog: Catalog) -> Iterator[Rule]:
    rails, every = catalog.store.guardrails, catalog.skus
    sentences: tuple[str, ...] = ("No price rises within a day.",) if rails.down_only_within_day else ()
    limits: tuple[str, ...] = ("down_only_within_day",)
    example = "guardrails:\n  down_only_within_day: true"
    yield Rule("Down only", "guardrails.down_only_within_day", limits, sentences, every, example, is_within_day=True)

    calm = catalog.store.policies.calm
    sentences = (
        f"A price falls where that earns {_percent(calm)} more, and rises where that earns {_percent(2 * calm)} more.",
        "Within an hour no price rises by 10 % or more.",
        "Before the last quarter of the day no price falls by 10 % at once.",
        "In two simulated weeks 0.1 % cost 0.1 to 0.5 % of revenue, 0.5 % cost 0.1 to 0.7 % and 2 % cost 0.1 to 1.3 %.",
    )
    limits, example = ("calm",), "policies:\n  calm: 0.005"
    sentences = sentences if calm > 0 else ()
    yield Rule("Calm prices", "policies.calm", limits, sentences, every, example, is_within_day=True)

    most = rails.changes_per_day
    sentences = (f"A price changes at most {most} times a day after opening.",) if most is not None else ()
    limits, example = ("changes_per_day",), "guardrails:\n  changes_per_day: 2"
    yield Rule("Changes a day", "guardrails.changes_per_day", limits, sentences, every, example, is_within_day=True)

    most_said = {
        "A price moves by at most {} at once.": rails.largest_step,
        "None goes farther than {} from its opening price.": rails.largest_daily_move,
        "At most {} of the products change at once.": rails.moving_share if rails.moving_share < 1 else None,
    }
    sentences = tuple(text.format(_percent(share)) for text, share in most_said.items() if share is not None)
    limits, example = ("moving_share", "largest_step", "largest_daily_move"), "guardrails:\n  largest_step: 0.1"
    yield Rule("Steps", "guardrails.largest_step and others", limits, sentences, every, example, is_within_day=True)


def _percent(share: float) -> str:
    return f"{round(100 * share, 2):g} %"


def _names(catalog: Catalog, skus: Iterable[str]) -> str:
    names = {product.sku: product.name for product in catalog.products}
    return _listed(names.get(sku, sku) for sku in skus)


def _listed(names: Iterable[str], word: str = "and") -> str:
    *others, last = [*names] or [""]
    if len(others) >= _MOST_NAMES:
        last = f"{len(others) - _MOST_NAMES + 2} more"
        others, word = others[: _MOST_NAMES - 1], "and"
    return f"{', '.join(others)} {word} {last}" if others else last
