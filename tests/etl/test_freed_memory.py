"""What a batch frees is kept for the next one, and that of a batch of many prices is given back: in a process each."""

import subprocess
import sys

import pytest

_HELD_AFTER = """
import sys
import numpy as np
from etl.freed_memory import keep_freed_memory
keep_freed_memory(int(sys.argv[1]))
arrays = [np.ones(4 << 17) for _ in range(40)]  # 4 MiB each
del arrays
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc keeps it")
def test_freed_memory_is_kept_unless_a_tick_has_many_prices() -> None:
    few, many = (
        int(subprocess.run([sys.executable, "-c", _HELD_AFTER, n_prices], capture_output=True, check=True).stdout)
        for n_prices in ("1000", "480000")
    )
    assert few - many > 100_000  # kB; the arrays had 160 MB
