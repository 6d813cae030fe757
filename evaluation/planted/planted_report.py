"""What planted logs showed, as people read it: a table, a line for each kind of scenario, or one JSON object."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from statistics import fmean
from typing import Any, get_args

from evaluation.planted.planted_log import PlantedQuestion, PlantedResult, ProductFound
from evaluation.planted.planted_scenarios import Kind, PlantedScenario
from evaluation.reporting import Rows, markdown, table_of


class _Pooled:
    """Some results together: their products, and those that were told."""

    def __init__(self, results: Sequence[PlantedResult]) -> None:
        self.products = [product for one in results for product in one.products]
        self.told = [product for product in self.products if product.is_told]
        self.truth = _mean([product.truth for product in self.products])
        self.naive = _mean([product.naive for product in self.products if product.naive is not None])


def rows(played: Sequence[PlantedResult]) -> Rows:
    """Return columns and rows of what was found, a row per scenario and grain, all seeds together."""
    return table_of([_row(list(results)) for _, results in groupby(played, lambda one: (one.scenario, one.grain))])


def _row(results: list[PlantedResult]) -> dict[str, str]:
    pooled = _Pooled(results)
    others = Counter(product.verdict for product in pooled.products if not product.is_told)
    refused = next((one.why_not for one in results if one.why_not), None)
    return {
        "scenario": results[0].scenario,
        "grain": results[0].grain,
        "products": str(len(pooled.products)),
        "told": str(len(pooled.told)),
        "hold the truth": holding(pooled.told) if pooled.told else "-",
        "gate": _counted(Counter(one.gate for one in results if one.gate)) or "-",
        "true slope": pooled.truth,
        "naive slope": pooled.naive,
        "not told": refused or _counted(others) or "-",
        "seconds": f"{sum(one.seconds for one in results):.0f}",
    }


def holding(told: Sequence[ProductFound]) -> str:
    """Say how many of the told products have an interval that holds the truth."""
    return f"{sum(product.holds_truth for product in told)} of {len(told)}"


def summary(played: Sequence[PlantedResult]) -> list[dict[str, Any]]:
    """Return for each kind of scenario the products told, and those whose interval holds the truth."""
    by_kind = {kind: [one for one in played if one.kind == kind] for kind in get_args(Kind)}
    return [
        {
            "kind": kind,
            "logs": len(results),
            "refused": sum(one.why_not is not None for one in results),
            "products": len((pooled := _Pooled(results)).products),
            "told": len(pooled.told),
            "hold_truth": sum(product.holds_truth for product in pooled.told),
        }
        for kind, results in by_kind.items()
        if results
    ]


def sentences(played: Sequence[PlantedResult]) -> list[str]:
    """Say in a sentence for each kind of scenario what was found."""
    said = []
    for one in summary(played):
        sentence = (
            f"{one['kind']}: {one['told']} of {one['products']} products told, {one['hold_truth']} hold the truth"
        )
        said.append(sentence + (f"; {one['refused']} of {one['logs']} logs ended early" if one["refused"] else ""))
    return said


def as_markdown(question: PlantedQuestion, played: Sequence[PlantedResult]) -> str:
    """Return a table of one row per scenario and one column per grain, and the sentences, as Markdown."""
    columns = ["scenario", "what is planted", *question.grains, "true and naive slope"]
    table = markdown(columns, [_scenario_row(one, question, played) for one in question.scenarios])
    return "\n".join([*table, "", *(f"- {sentence}." for sentence in sentences(played)), ""])


def as_json(question: PlantedQuestion, played: Sequence[PlantedResult]) -> dict[str, Any]:
    """Return everything as one JSON object."""
    return {
        **asdict(question.size),
        "seeds": question.seeds,
        "response_only": question.response_only,
        "summary": summary(played),
        "logs": [asdict(one) for one in played],
    }


def _scenario_row(scenario: PlantedScenario, question: PlantedQuestion, played: Sequence[PlantedResult]) -> list[str]:
    results = [one for one in played if one.scenario == scenario.name]
    by_grain = [_in_words([one for one in results if one.grain == grain]) for grain in question.grains]
    slopes = _Pooled([one for one in results if one.grain == results[0].grain])
    return [scenario.name, scenario.description, *by_grain, f"{slopes.truth}, {slopes.naive}"]


def _in_words(results: Sequence[PlantedResult]) -> str:
    """Say of a scenario in one grain how many products were told, and how many of those truly."""
    if not results:
        return "-"
    if any(one.why_not for one in results):
        return "broke" if any(one.is_broken for one in results) else "refused"
    pooled = _Pooled(results)
    held = f", {holding(pooled.told)} true" if pooled.told else ""
    return f"{len(pooled.told)} of {len(pooled.products)}{held}"


def _counted(words: Counter[Any]) -> str:
    return ", ".join(f"{count} {word}" for word, count in words.most_common())


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f}" if values else "-"
