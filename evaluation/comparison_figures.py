"""What a comparison looks like: pure functions, results -> Figure."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evaluation.first_days import DayResult
from evaluation.results import MeanInterval

_COLOURS = {
    "static": "#777777",
    "rule": "#b0b0b0",
    "prototype": "#d55e00",
    "greedy": "#e69f00",
    "stock_aware": "#0072b2",
    "clairvoyant": "#009e73",
}  # told apart by colour-blind readers


def shares_by_scenario(matches: pd.DataFrame) -> Figure:
    """Share of the clairvoyant by scenario, one bar per policy with its 95 % interval.

    Look for: the distance to 100 % where stock is scarce.
    """
    scenarios = list(dict.fromkeys(matches["scenario"]))
    policies = [policy for policy in dict.fromkeys(matches["policy"]) if policy != "clairvoyant"]
    figure = Figure(figsize=(1.6 + 1.15 * len(scenarios), 4.4))
    figure.subplots_adjust(left=0.07, right=0.99, bottom=0.26, top=0.86)
    panel = figure.subplots()
    width = 0.8 / max(len(policies), 1)
    for position, policy in enumerate(policies):
        own = matches[matches["policy"] == policy].set_index("scenario").reindex(scenarios)
        error = (own[["share", "high"]] - own[["low", "share"]].to_numpy()).fillna(0).to_numpy().T * 100
        panel.bar(
            np.arange(len(scenarios)) + (position - (len(policies) - 1) / 2) * width,
            100 * own["share"],
            width,
            yerr=error,
            color=_COLOURS.get(policy, "#cc79a7"),
            label=policy,
            error_kw={"lw": 1},
        )
    panel.axhline(100, color=_COLOURS["clairvoyant"], lw=1)
    panel.set_xticks(range(len(scenarios)), scenarios, rotation=25, ha="right", fontsize=8)
    panel.set(ylabel="share of the clairvoyant, %", ylim=(40, 103))
    panel.set_title(
        "What each policy earns of what a clairvoyant would (bars: mean, lines: 95 % interval)", fontsize=10
    )
    panel.legend(fontsize=8, ncols=len(policies), loc="lower center", frameon=False)
    return figure


def learning_curves(shares: dict[tuple[str, int, str], MeanInterval], scenarios: Sequence[str]) -> Figure:
    """Share of the clairvoyant over logged decisions, one panel per scenario. Look for: how few decisions suffice."""
    columns = min(len(scenarios), 4)
    rows = -(-len(scenarios) // columns)
    figure = Figure(figsize=(3.1 * columns, 2.7 * rows))
    figure.subplots_adjust(hspace=0.45, wspace=0.25, left=0.08, right=0.98, bottom=0.14, top=0.86)
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel in panels.ravel()[len(scenarios) :]:
        panel.set_axis_off()
    for panel, scenario in zip(panels.ravel(), scenarios, strict=False):
        for policy in dict.fromkeys(key[0] for key in shares):
            own = {key[1]: found for key, found in shares.items() if (key[0], key[2]) == (policy, scenario)}
            learned = {decisions: found for decisions, found in sorted(own.items()) if decisions}
            if not learned:
                continue
            mean = np.array([found.mean for found in learned.values()])
            error = np.nan_to_num([[found.mean - found.low, found.high - found.mean] for found in learned.values()])
            panel.errorbar(
                list(learned), 100 * mean, yerr=100 * error.T, marker="o", ms=3, color=_COLOURS[policy], label=policy
            )
        panel.axhline(100, color=_COLOURS["clairvoyant"], lw=1)
        panel.set_xscale("log")
        panel.set_title(scenario, fontsize=9)
        panel.set_xlabel("decisions logged", fontsize=8)
    panels[0, 0].set_ylabel("share of clairvoyant, %", fontsize=8)
    panels[0, 0].legend(fontsize=7, frameon=False)
    figure.suptitle("What is learned from how little", fontsize=10)
    return figure


def regret(results: Sequence[DayResult]) -> Figure:
    """Regret over days, as a share of what the clairvoyant earned, mean of the seeds. Look for: a line that falls."""
    rows = pd.DataFrame([vars(row) for row in results])
    sums = rows.groupby(["policy", "day"])[["gain_eur", "clairvoyant_eur"]].sum()
    lost = 100 * (1 - sums["gain_eur"] / sums["clairvoyant_eur"])
    figure = Figure(figsize=(7.2, 3.8))
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.14, top=0.88)
    panel = figure.subplots()
    for policy in dict.fromkeys(rows["policy"]):
        own = lost[policy]
        panel.plot(own.index, own.to_numpy(), color=_COLOURS[policy], label=policy)
    panel.axhline(0, color=_COLOURS["clairvoyant"], lw=1)
    panel.set(xlabel="day", ylabel="regret, % of the clairvoyant's revenue")
    panel.set_title("What the clairvoyant would have earned more, day by day", fontsize=10)
    panel.legend(fontsize=8, frameon=False)
    return figure
