"""Measures every stage against what one would otherwise do, and against its target."""

import os

from catalog.rounding import round_alike

round_alike(os.environ)  # before NumPy is loaded: each process of the product is told so, too
