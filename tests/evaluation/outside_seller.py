"""Work for the test of kills: an outside store that sells some weeks from their start, beside the engine, until killed.

`outside_seller.py FOLDER`; the number on stdin is how many weeks count, 0 for the same ones over and over.
"""

import argparse
import datetime as dt
import sys
from pathlib import Path

from forked_work import fork_for_each_line

from evaluation.outside_store.rehearsal import in_process
from evaluation.outside_store.stores.count_grocer import CountGrocer
from evaluation.outside_store.stores.outside_till import OutsideTill, StorePlan

MONDAY = dt.date(2026, 1, 19)
WEEKS, SEED = 2, 3
FAULTS = ("late", "duplicates", "voids", "returns")


def sell(folder: Path, weeks: int) -> None:
    """Sell all weeks, from the first on; whatever was said before is said again."""
    while weeks == 0:
        sell(folder, WEEKS)
    world = CountGrocer(SEED, 2, 3.0, 3)
    with in_process(argparse.Namespace(rehearse=folder, seed=SEED), world) as beside:
        plan = StorePlan(MONDAY, weeks, 1, FAULTS, seed=5)
        OutsideTill(world, beside.supply, beside.client, plan, engine=beside.engine).run()
        after = MONDAY + dt.timedelta(weeks=1 + weeks)
        beside.engine.before_week(after)
        beside.engine.export(after)


if __name__ == "__main__":
    fork_for_each_line(lambda weeks: sell(Path(sys.argv[1]), weeks))
