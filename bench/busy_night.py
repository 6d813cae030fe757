"""`python -m bench.busy_night`: do one night after another until the process is ended, beside a server that answers."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.aged_lake import PLAYED, AgedStore
from bench.nights import do_next_night


def main() -> None:
    """Say on a line of its own that the first night begins, and go on."""
    with TemporaryDirectory(prefix="shelfprice-bench-") as folder:
        store = AgedStore(Path(folder), PLAYED)
        registry = store.registry()
        sys.stdout.write("night\n")
        sys.stdout.flush()
        while True:
            do_next_night(store, registry)


if __name__ == "__main__":
    main()
