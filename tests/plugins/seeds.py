"""Seeds that are drawn anew for each run, and said at its head, so that what failed can be tried again."""

import os
import random

STANDING = "STANDING_SEED"
"""Environment variable with the seed of the states in `tests/standing`."""

if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ.setdefault(STANDING, str(random.SystemRandom().randrange(10**6)))


def pytest_report_header() -> str:
    """Say the seeds of this run."""
    return f"seed of tests/standing: {os.environ[STANDING]} (set {STANDING} to try it again)"
