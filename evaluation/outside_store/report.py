"""What the examination found, as sentences and tables, and as one record."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from evaluation.outside_store.exchange import Outcome
from evaluation.outside_store.question import Question
from evaluation.outside_store.records import Examined
from evaluation.outside_store.run import FIXED
from features.response import PriceResponse

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_COLUMNS = ("pricing", "revenue EUR", "margin EUR", "spoiled EUR", "margin less spoiled EUR", "against fixed", "empty")


def report(question: Question, found: Examined) -> str:
    """Return everything that was found, in Markdown."""
    last = found.rounds[-1]
    tried = f"tried within {question.variation:.0%} week by week" if question.variation else "its owner's"
    lines = [
        f"grocery-sim {found.version}, seed {question.seed}: prices {tried} for {question.learn_days} days, then "
        f"{question.play_days} days played three ways. Our prices are made from {question.grain} and maximise "
        f"{question.objective}.",
        "",
    ]
    for day, own in zip(found.days, found.rounds, strict=True):
        told = [response for response in own.responses if response.verdict == "told"]
        lines.append(
            f"Export up to day {day}: {own.rows:,} rows, {own.rejected:,} rejected. Told: {len(told)} of "
            f"{len(own.responses)} products, {len(own.prices)} priced. "
            + ("The model became champion." if not own.unmet else "No champion: " + "; ".join(own.unmet) + ".")
        )
    lines += ["", *_held_sentences(last.responses, found.truth), "", *_reasons(last.responses), ""]
    return "\n".join([*lines, *_table(found.outcomes)]) + "\n"


def as_record(question: Question, found: Examined) -> dict[str, Any]:
    """Return everything that was found as plain values, with each product's reason and truth."""
    rounds = [
        {
            "through_day": day,
            "rows": own.rows,
            "rejected": own.rejected,
            "unmet": list(own.unmet),
            "prices": own.prices,
            "responses": [
                {**response.as_record(), "true_elasticity": found.truth.get(response.sku)} for response in own.responses
            ],
        }
        for day, own in zip(found.days, found.rounds, strict=True)
    ]
    asked = {**asdict(question), "python": str(question.python)}
    outcomes = {name: {**asdict(own), "kept_eur": own.kept_eur} for name, own in found.outcomes.items()}
    return {"version": found.version, "question": asked, "rounds": rounds, "outcomes": outcomes}


def held(responses: Sequence[PriceResponse], truth: dict[str, float]) -> tuple[int, int]:
    """Return how many intervals hold the true elasticity, and how many there are."""
    intervals = [(own.estimate, truth[own.sku]) for own in responses if own.estimate and own.sku in truth]
    return sum(slope.lower <= true <= slope.upper for slope, true in intervals), len(intervals)


def _held_sentences(responses: Sequence[PriceResponse], truth: dict[str, float]) -> Iterator[str]:
    told = [response for response in responses if response.verdict == "told"]
    for kind, own in (("told products", told), ("all products that have one", responses)):
        yield "The interval holds the true elasticity for {} of {} {}.".format(*held(own, truth), kind)
    values = sorted(truth.values())
    yield f"True elasticities lie from {values[0]:.2f} to {values[-1]:.2f}, half of them below {median(values):.2f}."


def _reasons(responses: Sequence[PriceResponse]) -> Iterator[str]:
    """Count products by verdict and reason; numbers differ from product to product and are left out."""
    counts = Counter((own.verdict, _NUMBER.sub("…", own.why)) for own in responses)
    yield from _markdown(
        ("verdict", "reason", "products"),
        [(verdict, why, str(count)) for (verdict, why), count in counts.most_common()],
    )


def _table(outcomes: dict[str, Outcome]) -> Iterator[str]:
    fixed = outcomes[FIXED].kept_eur
    rows = [
        (
            name,
            f"{own.revenue_eur:,.0f}",
            f"{own.margin_eur:,.0f}",
            f"{own.spoiled_eur:,.0f}",
            f"{own.kept_eur:,.0f}",
            f"{own.kept_eur / fixed - 1:+.1%}",
            f"{own.shelves_empty:.1%}",
        )
        for name, own in outcomes.items()
    ]
    yield from _markdown(_COLUMNS, rows)


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
