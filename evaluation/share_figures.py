"""What experiments look like: results -> Figure. All show what prices earn beside what a clairvoyant would."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.as_shipped.lived_days import TITLES, AsShipped

_BLUE, _GREEN, _RED, _ORANGE, _GREY = "#0072b2", "#009e73", "#d55e00", "#e69f00", "#777777"  # for the colour-blind too
_COLOURS = {
    "static": _GREY,
    "as_shipped": _BLUE,
    "belief_alone": "#56b4e9",
    "certainty_equivalence": _GREEN,
    "thompson_inventory": _RED,
    "thompson_logit": _ORANGE,
    "pybandits_beta": "#cc79a7",
    "pybandits_contextual": "#882255",
    "bayesianbandits_glm": "#b8860b",
}
_COLUMNS = 4


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
