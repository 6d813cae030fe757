"""Work for the test of kills: sells tick after tick, and exports each to a folder and to an address, until killed.

`exporter.py FOLDER URL` imports everything once. For each number on stdin it forks a process that ends after so many
ticks (0 is never), prints its id, and then how it ended. The labels of the folder answer now and then.
"""

import datetime as dt
import json
import os
import random
import sys
from pathlib import Path

from forked_work import fork_for_each_line
from price_shop import DATE, Shop

from etl.calendar import ONE_DAY
from etl.open_days import days_with_live_parts
from plugins.connect.labels.export import export
from plugins.connect.labels.export_log import ExportLog
from plugins.connect.labels.targets import FolderTarget, HttpTarget, Target


def answer(folder: Path, dice: random.Random) -> None:
    """Write an acknowledgement of the newest batch, whole, as a receiver does."""
    newest = max(folder.glob("*.json"), default=None)
    if newest is None:
        return
    batch = json.loads(newest.read_text(encoding="utf-8"))
    at = dt.datetime.now(dt.UTC).isoformat()
    acks = [
        {"batch": batch["batch"], "store": batch["store"], "sku": own["sku"], "device": device, "at": at}
        for own in batch["prices"]
        for device in ("till", "label")
        if dice.random() < 0.7
    ]
    (folder / "acks").mkdir(exist_ok=True)
    draft = folder / "acks" / ".draft"
    draft.write_text(json.dumps(acks), encoding="utf-8")
    draft.replace(folder / "acks" / f"{batch['batch']}-{os.getpid()}-{dice.random()}.json")


def work(folder: Path, url: str, rounds: int) -> None:
    shop, dice = Shop(folder), random.Random(os.urandom(8))
    files = FolderTarget(folder / "labels", ["json"])
    targets: tuple[Target, ...] = (files, HttpTarget(url))
    recorded, done = ExportLog(shop.lake), 0
    while True:
        days = days_with_live_parts(shop.lake)
        date = DATE if not days else days[-1].business_date + days[-1].is_closed(shop.lake) * ONE_DAY
        player = shop.player(date)
        while not player.is_over:
            player.sell_tick()
            if dice.random() < 0.5:
                answer(files.folder, dice)
            for target in targets:
                export(shop.workspace, target, ["S01"], recorded)
            done += 1
            if done == rounds:
                return
        player.close()


if __name__ == "__main__":
    fork_for_each_line(lambda rounds: work(Path(sys.argv[1]), sys.argv[2], rounds))
