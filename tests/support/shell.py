"""The command line as a person uses it: in this process, which is quick, or as a process of its own."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
import typer
from typer.main import get_command

SHELFPRICE = (sys.executable, "-m", "flows")
PATIENCE = 120.0  # seconds
_ODD = "surrogateescape"  # as a terminal hands over bytes that are no text


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Terminal:
    """A shell in a home of its own."""

    home: Path
    changes: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> Mapping[str, str]:
        """Its environment."""
        return {**os.environ, "SHELFPRICE_HOME": str(self.home), "COLUMNS": "200", **self.changes}

    def __call__(self, *arguments: str, stdin: str = "") -> Answer:
        """Run a command in this process, errors and exit code as the installed program gives them."""
        from flows.cli.main import main

        out, err = io.StringIO(), io.StringIO()
        with (
            _handlers_kept(),
            patch("typer.main.get_command", _built),
            patch.dict(os.environ, self.environ),
            patch.object(sys, "argv", ["shelfprice", *arguments]),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode("utf-8", _ODD)), "utf-8", _ODD)),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        return Answer(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command as a process that can be killed; what it prints comes together in one pipe."""
        return subprocess.Popen(
            [*SHELFPRICE, *arguments],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def process(self, *arguments: str) -> Answer:
        """Run a command as a process and wait for its end."""
        done = subprocess.run(
            [*SHELFPRICE, *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)


@cache
def _built(app: typer.Typer) -> object:
    """Build the commands of an app once: they are the same whatever is typed."""
    return get_command(app)


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Put signal handlers back, and the mask of new files, that a program sets until its end."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    mask = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(mask)
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Return a shell in an empty home. Who runs flows asks for `prefect_server`, too."""
    return Terminal(tmp_path / "home")
