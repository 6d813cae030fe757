"""`python -m flows` is the command line."""

from flows.cli.main import main

main()
