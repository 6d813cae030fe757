"""Work for the test of kills: serves the quote API, or follows an inbox, until killed.

`taker.py FOLDER (PORT | inbox)` imports everything once. For each line on stdin it forks a process that works until it
is killed, prints its id, and then how it ended.
"""

import os
import sys
import traceback
from pathlib import Path

import uvicorn
from selling_store import SellingStore

from catalog.load import WatchedCatalog
from connect.api.app import application
from connect.intake import inbox, intake


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


def main() -> None:
    folder, what = Path(sys.argv[1]), sys.argv[2]
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                if what == "inbox":
                    follow(folder)
                else:
                    serve(folder, int(what))
            except BaseException:  # noqa: BLE001 - a fork never goes on with its parent's work
                traceback.print_exc()
            os._exit(1)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
