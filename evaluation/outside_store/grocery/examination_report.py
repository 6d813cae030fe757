"""What the examination found, as sentences and tables, and as one record."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from evaluation.outside_store.grocery.draw_in_store import DrawnExamination
from evaluation.outside_store.grocery.examination import FIXED, Examination
from evaluation.outside_store.grocery.exchange import StoreOutcome
from evaluation.outside_store.grocery.question import ExaminationQuestion
from evaluation.reporting import markdown
from features.response import PriceResponse
from serving.counts.earned_profit import EarnedProfit

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_COLUMNS = ("pricing", "revenue EUR", "margin EUR", "spoiled EUR", "margin less spoiled EUR", "against fixed", "empty")


def report(question: ExaminationQuestion, found: Examination) -> str:
    """Return everything that was found, in Markdown."""
    last = found.rounds[-1]
    tried = f"tried within {question.variation:.0%} week by week" if question.variation else "its owner's"
    lines = [
        f"grocery-sim {found.version}, seed {question.seed}: prices {tried} for {question.learn_days} days, then "
        f"{question.play_days} days played three ways. Our prices are made from {question.grain} and maximise "
        f"{question.objective}.",
        "",
    ]
    for day, one in zip(found.days, found.rounds, strict=True):
        told = [response for response in one.responses if response.verdict == "told"]
        lines.append(
            f"Export up to day {day}: {one.rows:,} rows, {one.rejected:,} rejected. Told: {len(told)} of "
            f"{len(one.responses)} products, {len(one.prices)} priced. "
            + ("The model became champion." if not one.unmet else "No champion: " + "; ".join(one.unmet) + ".")
        )
    lines += ["", *_held_sentences(last.responses, found.truth), "", *_reasons(last.responses), ""]
    return "\n".join([*lines, *_table(found.outcomes)]) + "\n"


def as_record(question: ExaminationQuestion, found: Examination) -> dict[str, Any]:
    """Return everything that was found as plain values, with each product's reason and truth."""
    rounds = [
        {
            "through_day": day,
            "rows": one.rows,
            "rejected": one.rejected,
            "unmet": list(one.unmet),
            "prices": one.prices,
            "responses": [
                {**response.as_record(), "true_elasticity": found.truth.get(response.sku)} for response in one.responses
            ],
        }
        for day, one in zip(found.days, found.rounds, strict=True)
    ]
    asked = {**asdict(question), "python": str(question.python)}
    return {"version": found.version, "question": asked, "rounds": rounds, "outcomes": _outcomes(found.outcomes)}


def _outcomes(outcomes: dict[str, StoreOutcome]) -> dict[str, Any]:
    return {name: {**asdict(one), "kept_eur": one.kept_eur} for name, one in outcomes.items()}


def drawn_report(question: ExaminationQuestion, found: DrawnExamination) -> str:
    """Return what drawn prices brought, in Markdown."""
    answers = ", ".join(f"{count:,} {name}" for name, count in found.answers.most_common()) or "none"
    lines = [
        f"grocery-sim {found.version}, seed {question.seed}: {question.learn_days} days of history, then "
        f"{question.play_days} days at prices that nights drew for the highest profit, from {found.first_monday} on. "
        f"Till lines: {answers}.",
        "",
        _said(found.earned),
        "",
    ]
    return "\n".join([*lines, *_table(found.outcomes)]) + "\n"


def drawn_record(question: ExaminationQuestion, found: DrawnExamination) -> dict[str, Any]:
    """Return what drawn prices brought as plain values."""
    return {
        "version": found.version,
        "question": {**asdict(question), "python": str(question.python)},
        "first_monday": str(found.first_monday),
        "answers": dict(found.answers),
        "earned": None if found.earned is None else _plain(asdict(found.earned)),
        "outcomes": _outcomes(found.outcomes),
    }


def _said(earned: EarnedProfit | None) -> str:
    if earned is None or not math.isfinite(earned.share):
        return "The engine cannot say what its prices brought: no week of the store was held at the owner's prices."
    return (
        f"The engine says that its prices brought {earned.share:+.1%} ({earned.share_low:+.1%} to "
        f"{earned.share_high:+.1%}), with {earned.n_held} weeks held at the owner's prices."
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(one, float) and not math.isfinite(one) else one for name, one in values.items()}


def held(responses: Sequence[PriceResponse], truth: dict[str, float]) -> tuple[int, int]:
    """Return how many intervals hold the true elasticity, and how many there are."""
    intervals = [(one.estimate, truth[one.sku]) for one in responses if one.estimate and one.sku in truth]
    return sum(slope.lower <= true <= slope.upper for slope, true in intervals), len(intervals)


def _held_sentences(responses: Sequence[PriceResponse], truth: dict[str, float]) -> Iterator[str]:
    told = [response for response in responses if response.verdict == "told"]
    for kind, one in (("told products", told), ("all products that have one", responses)):
        yield "The interval holds the true elasticity for {} of {} {}.".format(*held(one, truth), kind)
    values = sorted(truth.values())
    yield f"True elasticities lie from {values[0]:.2f} to {values[-1]:.2f}, half of them below {median(values):.2f}."


def _reasons(responses: Sequence[PriceResponse]) -> Iterator[str]:
    """Count products by verdict and reason; numbers differ from product to product and are left out."""
    counts = Counter((one.verdict, _NUMBER.sub("…", one.why)) for one in responses)
    yield from markdown(
        ("verdict", "reason", "products"),
        [(verdict, why, str(count)) for (verdict, why), count in counts.most_common()],
    )


def _table(outcomes: dict[str, StoreOutcome]) -> Iterator[str]:
    fixed = outcomes[FIXED].kept_eur
    rows = [
        (
            name,
            f"{one.revenue_eur:,.0f}",
            f"{one.margin_eur:,.0f}",
            f"{one.spoiled_eur:,.0f}",
            f"{one.kept_eur:,.0f}",
            f"{one.kept_eur / fixed - 1:+.1%}",
            f"{one.shelves_empty:.1%}",
        )
        for name, one in outcomes.items()
    ]
    yield from markdown(_COLUMNS, rows)
