"""`python -m tests.faults` tries the whole matrix of faults; see `docs/faults.md`."""

from tests.faults.matrix import main

main()
