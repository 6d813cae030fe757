"""A comparison as people read it: two tables, or one JSON object."""

import math
from typing import Any

from evaluation.comparison import PolicyComparison
from evaluation.contestants import TRUE_DEMAND
from evaluation.first_days import regret_by_period
from evaluation.results import MeanInterval, matches_by_policy, shares

_SHOWN = ("stock_aware", "greedy", "prototype")


def learning_rows(found: PolicyComparison) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows of the exact scores, one row per log size and policy; of two peaks, the worst."""
    exact = shares(found.scores)
    single = [world.name for world in found.scenarios if world.demand == "usual"]
    peaks = [world.name for world in found.scenarios if world.demand != "usual"]
    learned = {(policy, decisions) for policy, decisions, _ in exact if decisions}
    keys = [(TRUE_DEMAND, 0), *sorted(learned, key=lambda key: (key[1], _SHOWN.index(key[0])))]
    rows = []
    for policy, decisions in keys:
        row: list[Any] = [f"{decisions:,}" if decisions else "all there is to know", policy]
        row += [_percent(exact[policy, decisions, name]) for name in single]
        if peaks:
            row.append(_percent(min((exact[policy, decisions, name] for name in peaks), key=lambda share: share.mean)))
        rows.append(row)
    return ["decisions", "policy", *single, *(["two peaks, worst"] if peaks else [])], rows


def match_rows(found: PolicyComparison) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows of the matches, the best policy of each scenario first."""
    order = {world.name: position for position, world in enumerate(found.scenarios)}
    table = matches_by_policy(found.matches).to_dict(orient="records")
    rows = [
        [
            row["scenario"],
            row["policy"],
            row["revenue_eur"],
            _percent(MeanInterval(row["share"], row["low"], row["high"])),
            f"{row['units']:,.0f}",
            f"{row['sell_outs']:.1f}",
            f"{row['lost_sales']:,.0f}",
            row["mean_price_eur"],
            f"{row['repricings']:,.0f}",
        ]
        for row in sorted(table, key=lambda row: (order[row["scenario"]], -row["share"]))
    ]
    columns = [
        "scenario",
        "policy",
        "revenue, EUR",
        "share of clairvoyant, %",
        "units",
        "sold out, products",
        "visits to an empty shelf",
        "mean price, EUR",
        "repricings",
    ]
    return columns, rows


def regret_rows(found: PolicyComparison) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows of the regret by period, one row per policy."""
    regret = regret_by_period(found.first_days)
    rows = [[policy, *(f"{100 * lost:.2f}" for lost in own.values())] for policy, own in regret.items()]
    return ["policy", *next(iter(regret.values()))], rows


def as_json(found: PolicyComparison) -> dict[str, Any]:
    """Return everything as one JSON object."""
    learning = [
        {"decisions": decisions, "policy": policy, "scenario": scenario, **vars(share)}
        for (policy, decisions, scenario), share in shares(found.scores).items()
    ]
    columns, rows = learning_rows(found)
    return {
        "table": [dict(zip(columns, row, strict=True)) for row in rows],
        "learning": learning,
        "played": matches_by_policy(found.matches).to_dict(orient="records"),
        "regret": regret_by_period(found.first_days) if found.first_days else {},
        "mlflow_run_id": found.run_id,
    }


def _percent(share: MeanInterval) -> str:
    if math.isnan(share.low):  # one value has no interval
        return f"{100 * share.mean:.2f}"
    return f"{100 * share.mean:.2f} ± {100 * (share.high - share.mean):.2f}"
