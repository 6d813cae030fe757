"""Measures every stage against what one would otherwise do, and against its target."""

import os

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # before NumPy is loaded: each process of the product is told so, too
