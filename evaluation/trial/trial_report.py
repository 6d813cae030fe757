"""A trial in words and plain values: its plan, and what it found."""

from typing import Any

from evaluation.trial.design import Design
from evaluation.trial.hold_trial import PlannedTrial, TrialResult, outcome_facts, plan_facts

COLUMNS = ["policy", "a store day earns, EUR", "difference, EUR", "from", "to", "difference, %", "p-value"]
_LEAST_SHOWN = 1e-4


def columns_of(found: TrialResult) -> list[str]:
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


def rows_of(found: TrialResult) -> list[list[Any]]:
    """Return A, and B with its difference, in the order of `COLUMNS`."""
    outcome, design = found.outcome, found.planned.trial.design
    share, digits = outcome.share(outcome.effect_eur), found.planned.money.digits
    difference = [round(eur, digits) for eur in (outcome.effect_eur, outcome.low_eur, outcome.high_eur)]
    percent = None if share is None else round(100 * share, 2)
    p_value = "< 0.0001" if outcome.p_value < _LEAST_SHOWN else f"{outcome.p_value:.4f}"
    return [
        [f"A: {design.a}", round(outcome.a_eur, digits), None, None, None, None, None],
        [f"B: {design.b}", round(outcome.a_eur + outcome.effect_eur, digits), *difference, percent, p_value],
    ]


def verdict(found: TrialResult) -> str:
    """Say in one sentence who earns more."""
    outcome, design = found.outcome, found.planned.trial.design
    if found.verdict == "undecided":
        return f"undecided: a difference of zero lies within the interval, {estimand(design)}"
    better = design.b if found.verdict == "b" else design.a
    return f"{better} earns more (95 % interval without zero, {outcome.n_pairs} pairs), {estimand(design)}"


def plan_as_json(planned: PlannedTrial) -> dict[str, Any]:
    """Return the design and the plan."""
    design, plan = planned.trial.design, planned.plan
    return {
        **plan_facts(planned),
        "start": str(design.start),
        "stores": len(design.stores),
        "pairs": plan.n_pairs,
        "detectable_eur": plan.detectable_eur,
        "warning": plan.warning,
    }


def as_json(found: TrialResult) -> dict[str, Any]:
    """Return the design, the plan and the outcome."""
    outcome = found.outcome
    shares = {f"{end}_share": outcome.share(getattr(outcome, f"{end}_eur")) for end in ("effect", "low", "high")}
    design = found.planned.trial.design
    return {**plan_as_json(found.planned), **outcome_facts(found), **shares, "estimand": estimand(design)}
