"""`python -m flows` is the command line."""

from flows.cli.program import main

main()
