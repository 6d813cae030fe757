"""The program `shelfprice`: it can be stopped before anything slow is imported, and until its very end."""

import atexit
import os

from flows.cli.ending import Ending

_NOTICED_WITHIN = 0.5  # seconds


def main() -> None:
    """Run the command line, and end when told to."""
    # Before NumPy is loaded, and for all that is started from here. Matrices are small: threads for them wait for a
    # busy core at three times the processor time, and how many there are must not decide what is rounded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
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
