"""`python -m flows` is the command line."""

from flows.program import main

main()
