"""What the scorecard of drift looks like: scored days -> Figure."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from evaluation.drift.scorecard import RULES, UNWATCHED, ScoredDay, share_of
from evaluation.drift.worlds import ShockedWorld

_COLOURS = {"residuals": "#0072b2", UNWATCHED: "#777777"}  # told apart by colour-blind readers
_LABELS = {"residuals": "watches residuals", UNWATCHED: "never learns again"}
_COLUMNS = 4


def shares_by_day(worlds: Sequence[ShockedWorld], played: Mapping[tuple[str, int], Sequence[ScoredDay]]) -> Figure:
    """Share of the clairvoyant by day, one panel per world, mean of the seeds; dotted lines are the changes.

    Look for: how deep each rule falls after a change, and how soon it is back.
    """
    columns = min(len(worlds), _COLUMNS)
    rows = -(-len(worlds) // columns)
    figure = Figure(figsize=(3.3 * columns, 2.6 * rows + 0.6))
    figure.subplots_adjust(hspace=0.5, wspace=0.2, left=0.08, right=0.99, bottom=0.2 / rows + 0.06, top=0.88)
    for number, world in enumerate(worlds, start=1):
        panel = figure.add_subplot(rows, columns, number)
        runs = [days for (name, _), days in played.items() if name == world.name]
        for rule in reversed(RULES):
            shares = np.mean([[share_of(day, rule) for day in days] for days in runs], axis=0)
            first = world.dates.index(runs[0][0].date) + 1
            panel.plot(
                range(first, first + len(shares)), 100 * shares, color=_COLOURS[rule], label=_LABELS[rule], lw=1.4
            )
        for change in world.changes:
            panel.axvline(world.dates.index(change) + 1, color="#999999", lw=0.8, ls=":")
        panel.set_title(world.name, fontsize=9)
        panel.tick_params(labelsize=7)
        panel.set(ylim=(55, 102))
        panel.set_xlabel("day", fontsize=8)
        panel.set_ylabel("share of the clairvoyant, %", fontsize=8)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="lower center", ncols=3, fontsize=8, frameon=False)
    figure.suptitle("What prices earn of what a clairvoyant would, before and after demand changes", fontsize=10)
    return figure
