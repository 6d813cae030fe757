"""The program `shelfprice`: it can be stopped before anything slow is imported, and until its very end."""

import atexit
import os

from flows.cli.ending import Ending

_NOTICED_WITHIN = 0.5  # seconds


def main() -> None:
    """Run the command line, and end when told to."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small: threads for them only wait for each other
    ending = Ending()
    atexit.register(ending.leave)  # registered first, so it comes last
    try:
        ending.hear()
        from flows.cli.main import main as run

        run()
    except SystemExit as ended:
        ending.code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise
    except BaseException:
        ending.code = 1
        ending.leave_if_asked(_NOTICED_WITHIN)
        raise
    finally:
        ending.leave_if_asked()
