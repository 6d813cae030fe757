"""What living the first days looks like: lived days -> Figure."""

import numpy as np
from matplotlib.figure import Figure

from evaluation.as_shipped.records import LEARNERS, AsShipped

_COLOURS = {
    "as_shipped": "#0072b2",
    "certainty_equivalence": "#009e73",
    "thompson_inventory": "#d55e00",
    "thompson_logit": "#e69f00",
    "static": "#777777",
}  # told apart by colour-blind readers
_COLUMNS = 4


def regret_by_day(found: AsShipped) -> Figure:
    """Draw what each learner has lost since day 1, as a share of the clairvoyant's, one panel per world.

    Look for: how soon a line is down, and which one stays lowest.
    """
    worlds = found.question.worlds
    columns = min(len(worlds), _COLUMNS)
    rows = -(-len(worlds) // columns)
    figure = Figure(figsize=(3.3 * columns + 0.6, 2.7 * rows + 0.8))
    figure.subplots_adjust(hspace=0.5, wspace=0.3, left=0.1, right=0.98, bottom=0.3 / rows + 0.04, top=0.86)
    for number, world in enumerate(worlds, start=1):
        panel = figure.add_subplot(rows, columns, number)
        for learner in reversed(LEARNERS):
            own = [day for day in found.days if (day.world, day.learner) == (world.name, learner)]
            gain, most = np.zeros(found.question.days), np.zeros(found.question.days)
            for day in own:
                gain[day.day - 1] += day.gain_eur
                most[day.day - 1] += day.clairvoyant_eur
            lost = 100 * (1 - np.cumsum(gain) / np.maximum(np.cumsum(most), 1e-9))
            panel.plot(range(1, len(lost) + 1), lost, color=_COLOURS[learner], label=learner, lw=1.4)
        panel.axhline(0, color="#bbbbbb", lw=0.8)
        panel.set_title(world.name, fontsize=9)
        panel.tick_params(labelsize=7)
        panel.set_xlabel("day", fontsize=8)
        panel.set_ylabel("lost since day 1, %", fontsize=8)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="lower center", ncols=3, fontsize=8, frameon=False)
    figure.suptitle("What a clairvoyant would have earned more since day 1, as shipped and by its peers", fontsize=10)
    return figure
