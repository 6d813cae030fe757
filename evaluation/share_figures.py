"""What experiments look like: results -> Figure. All show what prices earn beside what a clairvoyant would."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.as_shipped.lived_days import TITLES, AsShipped
from evaluation.drift.scorecard import RULES, UNWATCHED, ScoredDay
from evaluation.first_days import DayResult
from evaluation.reporting import MeanInterval
from evaluation.worlds import StoreWorld

_BLUE, _GREEN, _RED, _ORANGE, _GREY = "#0072b2", "#009e73", "#d55e00", "#e69f00", "#777777"  # for the colour-blind too
_COLOURS = {
    "static": _GREY,
    "rule": "#b0b0b0",
    "prototype": _RED,
    "greedy": _ORANGE,
    "stock_aware": _BLUE,
    "clairvoyant": _GREEN,
    "as_shipped": _BLUE,
    "belief_alone": "#56b4e9",
    "certainty_equivalence": _GREEN,
    "thompson_inventory": _RED,
    "thompson_logit": _ORANGE,
    "pybandits_beta": "#cc79a7",
    "pybandits_contextual": "#882255",
    "bayesianbandits_glm": "#b8860b",
    "residuals": _BLUE,
    UNWATCHED: _GREY,
}
_RULE_LABELS = {"residuals": "watches residuals", UNWATCHED: "never learns again"}
_COLUMNS = 4

Shares = Mapping[tuple[str, int, str], MeanInterval]


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
        bars = matches[matches["policy"] == policy].set_index("scenario").reindex(scenarios)
        error = (bars[["share", "high"]] - bars[["low", "share"]].to_numpy()).fillna(0).to_numpy().T * 100
        panel.bar(
            np.arange(len(scenarios)) + (position - (len(policies) - 1) / 2) * width,
            100 * bars["share"],
            width,
            yerr=error,
            color=_COLOURS.get(policy, "#cc79a7"),
            label=policy,
            error_kw={"lw": 1},
        )
    panel.axhline(100, color=_COLOURS["clairvoyant"], lw=1)
    panel.set_xticks(range(len(scenarios)), scenarios, rotation=25, ha="right", fontsize=8)
    panel.set(ylabel="share of the clairvoyant, %", ylim=(40, 103))
    title = "What each policy earns of what a clairvoyant would (bars: mean, lines: 95 % interval)"
    panel.set_title(title, fontsize=10)
    panel.legend(fontsize=8, ncols=len(policies), loc="lower center", frameon=False)
    return figure


def learning_curves(shares: Shares, scenarios: Sequence[str]) -> Figure:
    """Share of the clairvoyant over logged decisions, one panel per scenario. Look for: how few decisions suffice."""
    figure, panels = _grid(scenarios, "decisions logged", "share of clairvoyant, %")
    for scenario, panel in panels:
        for policy in dict.fromkeys(key[0] for key in shares):
            learned = {key[1]: share for key, share in shares.items() if key[1] and key[::2] == (policy, scenario)}
            if not learned:
                continue
            ordered = [learned[decisions] for decisions in sorted(learned)]
            error = np.nan_to_num([[share.mean - share.low, share.high - share.mean] for share in ordered])
            panel.errorbar(
                sorted(learned),
                100 * np.array([share.mean for share in ordered]),
                yerr=100 * error.T,
                marker="o",
                ms=3,
                color=_COLOURS[policy],
                label=policy,
            )
        panel.axhline(100, color=_COLOURS["clairvoyant"], lw=1)
        panel.set_xscale("log")
    return _titled(figure, "What is learned from how little")


def regret_of_policies(results: Sequence[DayResult]) -> Figure:
    """Regret over days, as a share of what the clairvoyant earned, mean of the seeds. Look for: a line that falls."""
    rows = pd.DataFrame([vars(row) for row in results])
    sums = rows.groupby(["policy", "day"])[["gain_eur", "clairvoyant_eur"]].sum()
    lost = 100 * (1 - sums["gain_eur"] / sums["clairvoyant_eur"])
    figure = Figure(figsize=(7.2, 3.8))
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.14, top=0.88)
    panel = figure.subplots()
    for policy in dict.fromkeys(rows["policy"]):
        panel.plot(lost[policy].index, lost[policy].to_numpy(), color=_COLOURS[policy], label=policy)
    panel.axhline(0, color=_COLOURS["clairvoyant"], lw=1)
    panel.set(xlabel="day", ylabel="regret, % of the clairvoyant's revenue")
    panel.set_title("What the clairvoyant would have earned more, day by day", fontsize=10)
    panel.legend(fontsize=8, frameon=False)
    return figure


def regret_by_day(found: AsShipped) -> Figure:
    """Draw what each learner has lost since day 1, as a share of the clairvoyant's, one panel per world.

    Look for: how soon a line is down, and which one stays lowest.
    """
    figure, panels = _grid([world.name for world in found.question.worlds], "day", "lost since day 1, %")
    for world, panel in panels:
        for learner in reversed(found.learners):
            gain, most = np.zeros(found.question.days), np.zeros(found.question.days)
            for day in found.days:
                if (day.world, day.learner) == (world, learner):
                    gain[day.day - 1] += day.gain_eur
                    most[day.day - 1] += day.clairvoyant_eur
            lost = 100 * (1 - np.cumsum(gain) / np.maximum(np.cumsum(most), 1e-9))
            panel.plot(
                range(1, len(lost) + 1),
                lost,
                color=_COLOURS[learner],
                label=TITLES.get(learner, learner),
                lw=1.4,
            )
        panel.axhline(0, color="#bbbbbb", lw=0.8)
    return _titled(figure, "What a clairvoyant would have earned more since day 1, as shipped and by its peers")


def shares_by_day(worlds: Sequence[StoreWorld], played: Mapping[tuple[str, int], Sequence[ScoredDay]]) -> Figure:
    """Share of the clairvoyant by day, one panel per world, mean of the seeds; dotted lines are the changes.

    Look for: how deep each rule falls after a change, and how soon it is back.
    """
    by_name = {world.name: world for world in worlds}
    figure, panels = _grid(list(by_name), "day", "share of the clairvoyant, %")
    for name, panel in panels:
        runs, dates = [days for (world, _), days in played.items() if world == name], by_name[name].dates
        first = dates.index(runs[0][0].date) + 1
        for rule in reversed(RULES):
            shares = 100 * np.mean([[day.share(rule) for day in days] for days in runs], axis=0)
            days = range(first, first + len(shares))
            panel.plot(days, shares, color=_COLOURS[rule], label=_RULE_LABELS[rule], lw=1.4)
        for change in by_name[name].changes:
            panel.axvline(dates.index(change) + 1, color="#999999", lw=0.8, ls=":")
        panel.set(ylim=(55, 102))
    return _titled(figure, "What prices earn of what a clairvoyant would, before and after demand changes")


def _grid(names: Sequence[str], x: str, y: str) -> tuple[Figure, Iterator[tuple[str, Axes]]]:
    """Return a figure and its panels, one for each name."""
    columns = min(len(names), _COLUMNS)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.3 * columns + 0.6, 2.7 * rows + 0.8))
    figure.subplots_adjust(hspace=0.5, wspace=0.3, left=0.1, right=0.98, bottom=0.3 / rows + 0.06, top=0.86)

    def panels() -> Iterator[tuple[str, Axes]]:
        for number, name in enumerate(names, start=1):
            panel = figure.add_subplot(rows, columns, number)
            panel.set_title(name, fontsize=9)
            panel.tick_params(labelsize=7)
            panel.set_xlabel(x, fontsize=8)
            panel.set_ylabel(y, fontsize=8)
            yield name, panel

    return figure, panels()


def _titled(figure: Figure, title: str) -> Figure:
    """Title a grid of panels, and explain its lines below them once."""
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="lower center", ncols=3, fontsize=8, frameon=False)
    figure.suptitle(title, fontsize=10)
    return figure
