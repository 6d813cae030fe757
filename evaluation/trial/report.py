"""A trial in words and plain values: its plan, and what it found."""

from typing import Any

from evaluation.trial.design import Design
from evaluation.trial.run import Found, Planned

COLUMNS = ["policy", "a store day earns, EUR", "difference, EUR", "from", "to", "difference, %", "p-value"]
_LEAST_SHOWN = 1e-4


def columns_of(found: Found) -> list[str]:
    """Return `COLUMNS` in the currency of the stores."""
    return [found.planned.money.format_title(column) for column in COLUMNS]


def estimand(design: Design) -> str:
    """Say what the difference means, which depends on what takes turns."""
    if design.is_by_day:
        return "of whole store days, each policy from opening to closing"
    return (
        "of hours, by the stock values of the price book: to first order what a whole day gains, and biased where "
        "stock is scarce, for each policy sells the shelf that both have left"
    )


def rows_of(found: Found) -> list[list[Any]]:
    """Return A, and B with its difference, in the order of `COLUMNS`."""
    outcome, design = found.outcome, found.planned.trial.design
    share, digits = outcome.share(outcome.effect_eur), found.planned.money.digits
    difference = [round(own, digits) for own in (outcome.effect_eur, outcome.low_eur, outcome.high_eur)]
    percent = None if share is None else round(100 * share, 2)
    return [
        [f"A: {design.a}", round(outcome.a_eur, digits), None, None, None, None, None],
        [
            f"B: {design.b}",
            round(outcome.a_eur + outcome.effect_eur, digits),
            *difference,
            percent,
            "< 0.0001" if outcome.p_value < _LEAST_SHOWN else f"{outcome.p_value:.4f}",
        ],
    ]


def verdict(found: Found) -> str:
    """Say in one sentence who earns more."""
    outcome, design = found.outcome, found.planned.trial.design
    if found.verdict == "undecided":
        return f"undecided: a difference of zero lies within the interval, {estimand(design)}"
    better = design.b if found.verdict == "b" else design.a
    return f"{better} earns more (95 % interval without zero, {outcome.n_pairs} pairs), {estimand(design)}"


def plan_as_json(planned: Planned) -> dict[str, Any]:
    """Return the design and the plan."""
    design, plan = planned.trial.design, planned.plan
    return {
        "trial": planned.trial.name,
        "a": design.a,
        "b": design.b,
        "unit": "day" if design.is_by_day else "hours",
        "start": str(design.start),
        "days": design.days,
        "stores": len(design.stores),
        "block_ticks": design.block_ticks,
        "washout_ticks": design.washout_ticks,
        "seed": design.seed,
        "pairs": plan.n_pairs,
        "variation": plan.spread.variation,
        "variation_source": plan.spread.source,
        "detectable": plan.detectable,
        "detectable_eur": plan.detectable_eur,
        "days_for_three_percent": plan.days_for_wanted,
        "warning": plan.warning,
    }


def as_json(found: Found) -> dict[str, Any]:
    """Return the design, the plan and the outcome."""
    outcome = found.outcome
    return {
        **plan_as_json(found.planned),
        "a_eur": outcome.a_eur,
        "effect_eur": outcome.effect_eur,
        "low_eur": outcome.low_eur,
        "high_eur": outcome.high_eur,
        "effect_share": outcome.share(outcome.effect_eur),
        "low_share": outcome.share(outcome.low_eur),
        "high_share": outcome.share(outcome.high_eur),
        "p_value": outcome.p_value,
        "verdict": found.verdict,
        "estimand": estimand(found.planned.trial.design),
    }
