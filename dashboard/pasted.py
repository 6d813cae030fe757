"""A command as it works when it is pasted: in any folder and any shell, on the home that the monitor shows.

What is shown stays short, `shelfprice train`. What is copied names the program and the home in full, for the terminal
that it is pasted into knows neither the monitor's virtual environment nor its settings.
"""

import re
import shlex
import sys
from pathlib import Path

from flask import current_app, has_app_context

HOME = "SHELFPRICE_HOME"
"""Where the app keeps its home, in its configuration, and the environment variable that names it to a command."""

_COMMAND = re.compile(r"(^|&& *)shelfprice(?= |$)")


def as_pasted(command: str) -> str:
    """Return a command for the clipboard; one that is not `shelfprice` stays as it is."""
    home = current_app.config.get(HOME) if has_app_context() else None
    setting = f"{HOME}={shlex.quote(str(home))} " if home else ""
    return _COMMAND.sub(lambda found: f"{found[1]}{setting}{_program()}", command)


def _program() -> str:
    """Return the program beside this interpreter, or this interpreter with our module where there is none."""
    program = Path(sys.executable).parent / "shelfprice"
    return shlex.quote(str(program)) if program.exists() else f"{shlex.quote(sys.executable)} -m flows"
