"""A comparison as people read it and as it is kept: exact scores, matches and regret."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from catalog.tables.comparisons import LEARNING_RESULTS, POLICY_RESULTS
from evaluation import share_figures
from evaluation.contestants import TRUE_DEMAND
from evaluation.first_days import regret_by_period
from evaluation.harness import keep
from evaluation.policy_comparison import ComparisonQuestion, Match, PolicyComparison, shares
from evaluation.reporting import MeanInterval, Rows, records, table_of
from training.mlflow.experiments import Study
from warehouse.workspace import Workspace

_COUNTED = ("revenue_eur", "units", "sell_outs", "lost_sales")
_SHOWN = ("stock_aware", "greedy", "prototype")


def learning_rows(found: PolicyComparison) -> Rows:
    """Return columns and rows of the exact scores, one row per log size and policy; of two peaks, the worst."""
    exact = shares(found.scores)
    single = [world.name for world in found.scenarios if world.demand == "usual"]
    peaks = [world.name for world in found.scenarios if world.demand != "usual"]
    learned = {(policy, decisions) for policy, decisions, _ in exact if decisions}
    keys = [(TRUE_DEMAND, 0), *sorted(learned, key=lambda key: (key[1], _SHOWN.index(key[0])))]
    rows = []
    for policy, decisions in keys:
        row: list[Any] = [f"{decisions:,}" if decisions else "all there is to know", policy]
        row += [exact[policy, decisions, name].percent() for name in single]
        if peaks:
            row.append(min((exact[policy, decisions, name] for name in peaks), key=lambda share: share.mean).percent())
        rows.append(row)
    return ["decisions", "policy", *single, *(["two peaks, worst"] if peaks else [])], rows


def match_rows(found: PolicyComparison) -> Rows:
    """Return columns and rows of the matches, the best policy of each scenario first."""
    order = {world.name: position for position, world in enumerate(found.scenarios)}
    table = matches_by_policy(found.matches).to_dict(orient="records")
    return table_of(
        [
            {
                "scenario": row["scenario"],
                "policy": row["policy"],
                "revenue, EUR": row["revenue_eur"],
                "share, %": MeanInterval(row["share"], row["low"], row["high"]).percent(),
                "units": f"{row['units']:,.0f}",
                "products sold out": f"{row['sell_outs']:.1f}",
                "lost visits": f"{row['lost_sales']:,.0f}",
                "mean price, EUR": row["mean_price_eur"],
                "repricings": f"{row['repricings']:,.0f}",
            }
            for row in sorted(table, key=lambda row: (order[row["scenario"]], -row["share"]))
        ]
    )


def matches_by_policy(matches: Sequence[Match]) -> pd.DataFrame:
    """Return one row per scenario and policy: the share with its interval, and every count per store day."""
    rows = []
    for (policy, decisions, scenario), share in shares(matches).items():
        played = [row for row in matches if (row.policy, row.decisions, row.scenario) == (policy, decisions, scenario)]
        days, tallies = sum(row.store_days for row in played), [row.tally for row in played]
        a_day = {name: sum(getattr(tally, name) for tally in tallies) / days for name in _COUNTED}
        rows.append(
            {
                "scenario": scenario,
                "policy": policy,
                "share": share.mean,
                "low": share.low,
                "high": share.high,
                **a_day,
                "mean_price_eur": float(np.mean([tally.mean_price_eur for tally in tallies])),
                "repricings": float(np.mean([tally.repricings_per_day for tally in tallies])),
            }
        )
    return pd.DataFrame(rows)


def regret_rows(found: PolicyComparison) -> Rows:
    """Return columns and rows of the regret by period, one row per policy."""
    regret = regret_by_period(found.first_days)
    rows = [[policy, *(f"{100 * lost:.2f}" for lost in periods.values())] for policy, periods in regret.items()]
    return ["policy", *next(iter(regret.values()))], rows


def as_json(found: PolicyComparison) -> dict[str, Any]:
    """Return everything as one JSON object."""
    learning = [
        {"decisions": decisions, "policy": policy, "scenario": scenario, **vars(share)}
        for (policy, decisions, scenario), share in shares(found.scores).items()
    ]
    return {
        "table": records(learning_rows(found)),
        "learning": learning,
        "played": matches_by_policy(found.matches).to_dict(orient="records"),
        "regret": regret_by_period(found.first_days) if found.first_days else {},
        "mlflow_run_id": found.run_id,
    }


def keep_comparison(workspace: Workspace, asked: ComparisonQuestion, found: PolicyComparison) -> PolicyComparison:
    """Keep a comparison in the lake, and its shares and figures in MLflow; return it with its run."""
    worlds = [world.name for world in asked.scenarios]
    size = (asked.decisions, asked.seeds, asked.store_days)
    question = (workspace.catalog.fingerprint, asked.policies, worlds, *size)
    tables = [
        (POLICY_RESULTS, [_row(match) for match in found.matches]),
        (LEARNING_RESULTS, [asdict(score) for score in found.scores]),
    ]
    by_policy, exact = matches_by_policy(found.matches), shares(found.scores)
    figures = {
        "shares_by_scenario": share_figures.shares_by_scenario(by_policy),
        "learning_curves": share_figures.learning_curves(exact, worlds),
    }
    if found.first_days:
        figures["regret"] = share_figures.regret_of_policies(found.first_days)
    study = Study(
        name=f"{len(worlds)} scenarios, {len(set(by_policy['policy']))} policies",
        description="Policies on the same shoppers, as a share of what a clairvoyant earns.",
        parameters={name: getattr(asked, name) for name in ("seeds", "store_days", "decisions", "first_days")},
        metrics={
            f"share/{scenario.replace(',', '')}/{policy}/{decisions}": share.mean
            for (policy, decisions, scenario), share in exact.items()
        },
        figures=figures,
        tables={"played": by_policy},
    )
    return replace(found, run_id=keep(workspace, question, tables, study))


def _row(match: Match) -> dict[str, Any]:
    """Return a match in the columns of `policy_results`."""
    row = asdict(match)
    tally = row.pop("tally")
    del tally["gain_eur"], tally["takings"]
    return {"revenue": tally.pop("revenue_eur"), "mean_price": tally.pop("mean_price_eur"), **row, **tally}
