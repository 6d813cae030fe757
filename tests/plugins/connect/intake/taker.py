"""Work for the test of kills: serves the quote API, or follows an inbox, until killed.

`taker.py FOLDER (PORT | inbox)` imports everything once. For each line on stdin it forks a process that works until it
is killed, prints its id, and then how it ended.
"""

import sys
from pathlib import Path

import uvicorn
from forked_work import fork_for_each_line
from selling_store import SellingStore

from catalog.load import WatchedCatalog
from plugins.connect.api.app import application
from plugins.connect.intake import inbox, intake


def serve(folder: Path, port: int) -> None:
    intake._SETTLES = 0.02  # so that dates are being made, too, when the kill comes
    store = SellingStore.opened(folder)
    app = application(store.settings, store.folder)
    app.state.intake._intake = store.intake
    uvicorn.run(app, port=port, lifespan="off", log_level="critical")


def follow(folder: Path) -> None:
    store = SellingStore.opened(folder)
    for _ in inbox.follow(store.workspace, WatchedCatalog(store.folder), store.intake, folder / "inbox"):
        pass


if __name__ == "__main__":
    place, what = Path(sys.argv[1]), sys.argv[2]
    fork_for_each_line(lambda _: follow(place) if what == "inbox" else serve(place, int(what)))
