"""Work for the test of kills: an outside store that sells some weeks from their start, beside the engine, until killed.

`outside_seller.py FOLDER`; the number on stdin is how many weeks count, 0 for the same ones over and over.
"""

import datetime as dt
import sys
from pathlib import Path

from forked_work import fork_for_each_line

from plugins.evaluation.outside_store.grocer import Grocer
from plugins.evaluation.outside_store.rehearsal import FIRST_MONDAY, OPENS, Rehearsal

WEEKS = 2


def sell(folder: Path, weeks: int) -> None:
    """Sell all weeks, from the first on; whatever was said before is said again."""
    while weeks == 0:
        sell(folder, WEEKS)
    rehearsal = Rehearsal(folder, Grocer(3, 2, 3.0, 3))
    prices, _ = rehearsal.sell(weeks, owner_weeks=1)
    after = dt.datetime.combine(FIRST_MONDAY + dt.timedelta(weeks=1 + weeks), dt.time(OPENS), dt.UTC)
    rehearsal.engine.prices(after, prices[-1])  # what a second pass would send


if __name__ == "__main__":
    fork_for_each_line(lambda weeks: sell(Path(sys.argv[1]), weeks))
