"""Seeds that are drawn anew for each run, and said at its head, so that what failed can be tried again.

What hypothesis draws has no limit of time of its own, which a busy machine would break: that of the test holds.
"""

import os
import random

from hypothesis import settings

STANDING = "STANDING_SEED"
"""Environment variable with the seed of the states in `tests/standing`."""

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ.setdefault(STANDING, str(random.SystemRandom().randrange(10**6)))


def pytest_report_header() -> str:
    """Say the seeds of this run."""
    return f"seed of tests/standing: {os.environ[STANDING]} (set {STANDING} to try it again)"
