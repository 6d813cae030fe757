"""Work for the test of kills: an outside store that sells some weeks from their start, beside the engine, until killed.

`outside_seller.py FOLDER`; the number on stdin is how many weeks count, 0 for the same ones over and over.
"""

import sys
from pathlib import Path

from forked_work import fork_for_each_line

from evaluation.outside_store.grocer import Grocer
from evaluation.outside_store.rehearsal import Rehearsal

WEEKS = 2


def sell(folder: Path, weeks: int) -> None:
    """Sell all weeks, from the first on; whatever was said before is said again."""
    while weeks == 0:
        sell(folder, WEEKS)
    Rehearsal(folder, Grocer(3, 2, 3.0, 3)).sell(weeks, owner_weeks=1)


if __name__ == "__main__":
    fork_for_each_line(lambda weeks: sell(Path(sys.argv[1]), weeks))
