"""A product's own part of the book answers as the whole shelf would, and the text of an answer is its JSON."""

import datetime as dt
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.pricing import Shelf
from catalog.decisions.reasons import Changes, PriceMove, json_text, reason, reasons
from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from plugins.evaluation.truth import chance_of_sale
from serving.book.book import BookPolicy
from serving.book.make import tabulate
from serving.limits.limits import limits_of
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import StockAwarePolicy, costs_that_count
from serving.quote import PriceQuestion, QuotedBook, text_of
from serving.store.storefront import Storefront

SHELF = load(CLASSIC)
LADDER = price_ladder(SHELF)
CURVES = DemandCurves(SHELF.skus, LADDER, chance_of_sale(SHELF, LADDER / SHELF.base_prices[:, None]), "7")
VISITS = 2_000 * SHELF.popularity[:, None] * tick_profile(SHELF.store)
BOOK = tabulate(StockAwarePolicy(CURVES, VISITS, 101), SHELF, dt.datetime(2026, 3, 2, tzinfo=dt.UTC), CURVES)
RAILS = st.fixed_dictionaries(
    {
        "largest_step": st.sampled_from([None, 0.05, 0.2]),
        "largest_daily_move": st.sampled_from([None, 0.1]),
        "price_ending": st.sampled_from([None, 9]),
        "moving_share": st.sampled_from([0.0, 0.4, 1.0]),
        "frozen": st.sampled_from([{}, {"MILK": 1.4}]),
        "minimum_margin": st.sampled_from([0.0, 0.3]),
        "kill_switch": st.sampled_from([False, False, True]),
    }
)
PRICES = st.one_of(st.none(), st.integers(1, 2_000).map(lambda cents: cents / 100))
QUESTIONS = st.builds(
    PriceQuestion,
    sku=st.sampled_from(SHELF.skus),
    stock=st.integers(0, 200),
    ticks_left=st.one_of(st.none(), st.integers(1, 48)),
    shown=PRICES,
    opening=PRICES,
)


def whole_shelf(catalog: Catalog, question: PriceQuestion, ticks_left: int) -> Shelf:
    """Every product has the stock that is asked about; the one that is asked about alone shows a price."""
    shape, own = (1, len(catalog.skus)), catalog.skus.index(question.sku)
    shown, opening = np.full(shape, np.nan), np.full(shape, np.nan)
    if question.shown is not None:
        shown[0, own], opening[0, own] = question.shown, question.opening or question.shown
    return Shelf(np.full(shape, question.stock), shown, ticks_left, np.zeros(shape), opening)


@given(rails=RAILS, question=QUESTIONS)
@settings(max_examples=150, deadline=None)
def test_one_product_is_answered_as_on_the_whole_shelf(rails: dict[str, object], question: PriceQuestion) -> None:
    store = SHELF.store.model_copy(update={"guardrails": Guardrails.model_validate(rails)})
    catalog = Catalog(SHELF.products, store)
    answer = QuotedBook(catalog, BOOK, CURVES).answer(question)
    storefront = Storefront(BookPolicy(BOOK), CURVES, limits=limits_of(catalog), unit_costs=costs_that_count(catalog))
    decision = storefront.decide(whole_shelf(catalog, question, answer.ticks_left))
    own = catalog.skus.index(question.sku)
    clamps = decision.clamps[decision.clamps["decision"] == own]
    assert (answer.price, answer.p_sale) == (decision.prices[0, own], decision.p_sale[0, own])
    assert (answer.unit_value, answer.clamp_cost) == (decision.unit_value[0, own], decision.clamp_cost[0, own])
    assert answer.binding_rule == storefront.rules[decision.rule[0, own]]
    assert answer.unconstrained_price == decision.unconstrained[0, own]
    assert [(one["rule"], one["after"]) for one in answer.clamps] == [
        (storefront.rules[clamp["rule"]], clamp["after"]) for clamp in clamps
    ]


@given(question=QUESTIONS, more=st.sampled_from([None, {"passed_over": ["2026-03-01"]}]))
@settings(max_examples=60, deadline=None)
def test_the_text_of_an_answer_is_its_json_in_one_line(question: PriceQuestion, more: dict[str, object] | None) -> None:
    book = QuotedBook(SHELF, BOOK, CURVES)
    assert text_of(book.answer(question), more) == json_text({**vars(book.answer(question)), **(more or {})}) + "\n"


SOME = st.floats(0.01, 99.0)
RULES = ("stock_value", "greedy", "largest_step", "floor")


@given(
    product=st.integers(0, 4),
    prices=st.tuples(st.one_of(SOME, st.just(float("nan"))), SOME, st.one_of(SOME, st.just(float("nan")))),
    explored=st.booleans(),
    rule=st.integers(0, 3),
    left=st.tuples(st.integers(0, 50), st.integers(15, 720)),
    known=st.tuples(*[st.one_of(st.floats(0, 1), st.just(float("nan")))] * 2),
)
@settings(max_examples=150, deadline=None)
def test_the_sentence_of_one_decision_is_the_one_it_has_in_a_table(
    product: int,
    prices: tuple[float, float, float],
    explored: bool,
    rule: int,
    left: tuple[int, int],
    known: tuple[float, float],
) -> None:
    row = (product, *prices, explored, rule, *left, *known)
    change = Changes(*(np.array([value]) for value in row))
    change = replace(change, new_price=np.round(change.new_price, 2))
    alone = PriceMove(*(getattr(change, name)[0].item() for name in PriceMove._fields))
    assert reason(SHELF, RULES, alone) == reasons(SHELF, RULES, change)[0].as_py()
