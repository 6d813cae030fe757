"""What planted logs showed, as people read it: a table, a line for each kind of scenario, or one JSON object."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from statistics import fmean
from typing import Any, get_args

from evaluation.planted.records import Played, ProductFound
from evaluation.planted.run import Question
from evaluation.planted.scenarios import Kind, Scenario

COLUMNS = [
    "scenario",
    "grain",
    "products",
    "told",
    "hold the truth",
    "revenue, %",
    "attainable, %",
    "worst product, %",
    "gate",
    "true slope",
    "naive slope",
    "not told",
    "seconds",
]


def rows(played: Sequence[Played]) -> list[list[str]]:
    """Return a row per scenario and grain, all seeds together, in the order of `COLUMNS`."""
    return [_row(list(own)) for _, own in groupby(played, lambda one: (one.scenario, one.grain))]


def _row(own: list[Played]) -> list[str]:
    products = [product for one in own for product in one.products]
    told = [product for product in products if product.is_told]
    others = Counter(product.verdict for product in products if not product.is_told)
    gains = [one.gain for one in own if one.gain is not None]
    attainable = [one.attainable for one in own if one.attainable is not None]
    worst = min((product.gain for product in products if product.gain is not None), default=None)
    refused = next((one.why_not for one in own if one.why_not), None)
    return [
        own[0].scenario,
        own[0].grain,
        str(len(products)),
        str(len(told)),
        holding(told) if told else "-",
        f"{100 * fmean(gains):+.1f}" if gains else "-",
        f"{100 * fmean(attainable):+.1f}" if attainable else "-",
        "-" if worst is None else f"{100 * worst:+.1f}",
        _counted(Counter(one.gate for one in own if one.gate)) or "-",
        _mean([product.truth for product in products]),
        _mean(_naive(products)),
        refused or _counted(others) or "-",
        f"{sum(one.seconds for one in own):.0f}",
    ]


def holding(told: Sequence[ProductFound]) -> str:
    """Say how many of the told products have an interval that holds the truth."""
    return f"{sum(product.holds_truth for product in told)} of {len(told)}"


def summary(played: Sequence[Played]) -> list[dict[str, Any]]:
    """Return for each kind of scenario the products told, those whose interval holds the truth, and the worst prices.

    `worst_gain` is the least that the prices of one log would earn more than base prices, as a share.
    """
    found = []
    for kind in get_args(Kind):
        own = [one for one in played if one.kind == kind]
        if not own:
            continue
        products = [product for one in own for product in one.products]
        told = [product for product in products if product.is_told]
        gains = [one.gain for one in own if one.gain is not None]
        found.append(
            {
                "kind": kind,
                "logs": len(own),
                "refused": sum(one.why_not is not None for one in own),
                "products": len(products),
                "told": len(told),
                "hold_truth": sum(product.holds_truth for product in told),
                "worst_gain": min(gains, default=None),
            }
        )
    return found


def sentences(played: Sequence[Played]) -> list[str]:
    """Say in a sentence for each kind of scenario what was found."""
    said = []
    for one in summary(played):
        sentence = (
            f"{one['kind']}: {one['told']} of {one['products']} products told, {one['hold_truth']} hold the truth"
        )
        worst = one["worst_gain"]
        sentence += "" if worst is None else f"; the worst prices earn {100 * worst:+.1f} % against base prices"
        said.append(sentence + (f"; {one['refused']} of {one['logs']} logs ended early" if one["refused"] else ""))
    return said


def markdown(question: Question, played: Sequence[Played]) -> str:
    """Return a table of one row per scenario and one column per grain, and the sentences, as Markdown."""
    columns = ["scenario", "what is planted", *question.grains, "true and naive slope"]
    table = [columns, ["---"] * len(columns), *(_scenario_row(one, question, played) for one in question.scenarios)]
    lines = ["| " + " | ".join(row) + " |" for row in table]
    return "\n".join([*lines, "", *(f"- {sentence}." for sentence in sentences(played)), ""])


def _scenario_row(scenario: Scenario, question: Question, played: Sequence[Played]) -> list[str]:
    own = [one for one in played if one.scenario == scenario.name]
    by_grain = {grain: [one for one in own if one.grain == grain] for grain in question.grains}
    slopes = [product for one in own if one.grain == own[0].grain for product in one.products]
    naive = f"{_mean([one.truth for one in slopes])}, {_mean(_naive(slopes))}"
    return [scenario.name, scenario.description, *(_in_words(found) for found in by_grain.values()), naive]


def _in_words(own: Sequence[Played]) -> str:
    """Say of a scenario in one grain how many products were told, how many of those truly, and what prices earn."""
    if not own:
        return "-"
    if any(one.why_not for one in own):
        return "broke" if any(one.is_broken for one in own) else "refused"
    products = [product for one in own for product in one.products]
    told = [product for product in products if product.is_told]
    gains = [one.gain for one in own if one.gain is not None]
    held = f", {holding(told)} true" if told else ""
    return f"{len(told)} of {len(products)}{held}" + (f", {100 * fmean(gains):+.1f} %" if gains else "")


def as_json(question: Question, played: Sequence[Played]) -> dict[str, Any]:
    """Return everything as one JSON object."""
    return {
        **asdict(question.size),
        "seeds": question.seeds,
        "response_only": question.response_only,
        "summary": summary(played),
        "logs": [asdict(one) for one in played],
    }


def _counted(words: Counter[Any]) -> str:
    return ", ".join(f"{count} {word}" for word, count in words.most_common())


def _naive(products: Sequence[ProductFound]) -> list[float]:
    return [product.naive for product in products if product.naive is not None]


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f}" if values else "-"
