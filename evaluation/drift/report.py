"""The scorecard of drift as people read it: one row per change and rule, or one JSON object."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from evaluation.drift.play import Scorecard
from evaluation.drift.scorecard import RULES, UNWATCHED, DriftOutcome

COLUMNS = [
    "scenario",
    "change",
    "rule",
    "seen after, days",
    "seen after, decisions",
    "false alarms, days",
    "good again after, days",
    "lost until then, EUR",
]


def rows_of(found: Scorecard) -> list[list[Any]]:
    """Return one row per scenario, change and rule, means of the seeds."""
    rows = []
    for world in found.worlds:
        own = [outcome for outcome in found.outcomes if outcome.scenario == world.name]
        for change in range(len(world.changes) + 1):
            rows += [
                _row(world.name, change, rule, [o for o in own if (o.change, o.rule) == (change, rule)])
                for rule in RULES
                if change or rule != UNWATCHED
            ]
    return rows


def as_json(found: Scorecard) -> dict[str, Any]:
    """Return everything as one JSON object."""
    return {
        "table": [dict(zip(COLUMNS, row, strict=True)) for row in rows_of(found)],
        "outcomes": [asdict(outcome) for outcome in found.outcomes],
        "mlflow_run_id": found.run_id,
    }


def _row(scenario: str, change: int, rule: str, own: Sequence[DriftOutcome]) -> list[Any]:
    name = f"change {change}" if change else f"before any, {own[0].days} days"
    alarms = float(np.mean([outcome.false_alarms for outcome in own]))
    lost = round(float(np.mean([outcome.lost_eur for outcome in own])), 2)
    return [
        scenario,
        name,
        rule,
        _mean([outcome.detected_after_days for outcome in own]) if change and rule != UNWATCHED else "",
        _mean([outcome.decisions for outcome in own]) if change and rule != UNWATCHED else "",
        "" if rule == UNWATCHED else f"{alarms:g}" if alarms == int(alarms) else f"{alarms:.1f}",
        _mean([outcome.recovered_after_days for outcome in own]) if change else "",
        f"{lost:,.0f}" if change else "",
    ]


def _mean(values: Sequence[int | None]) -> str:
    """Return the mean of the seeds where it came, and on how many it did when not on all."""
    came = [value for value in values if value is not None]
    if not came:
        return "never"
    mean = float(np.mean(came))
    text = f"{mean:,.0f}" if mean >= 100 or mean == int(mean) else f"{mean:.1f}"  # noqa: PLR2004 - no digit worth it
    return text if len(came) == len(values) else f"{text} on {len(came)} of {len(values)}"
