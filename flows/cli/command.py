"""All that the command line knows about a command, in one record beside the function that is the command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any

from catalog.settings import Settings
from flows.cli.console import progress_bars, remark
from flows.cli.ending import NOTHING_CHANGED, say_when_stopped

GROUPS = {
    "desk": "Prices that people decide about",
    "models": "Models and what their prices earn",
    "lake": "Days, tables and files of the lake",
    "services": "What runs, and what other systems ask",
}
"""Groups of commands and what each is about; a command without a group is shown on the first screen."""
RUN_AGAIN = "stopped; what was published stands: run the same command again to go on from there"


@dataclass(frozen=True)
class Command:
    """A command, called as the function it was made from.

    Attributes
    ----------
    run
        What it does. Its parameters are the options, and its docstring is the help.
    group
        One of `GROUPS`; None for the first screen of `shelfprice --help`.
    when_stopped
        The sentence at Ctrl-C.
    flow
        Module of the Prefect flow that it runs; None where it runs none.
    uses_registry
        Whether the model registry must answer while it works.
    is_spread
        Whether a cluster does its work, where one is set.
    """

    run: Callable[..., None]
    group: str | None
    when_stopped: str
    flow: str | None
    uses_registry: bool
    is_spread: bool

    def __call__(self, *arguments: Any, **options: Any) -> None:
        """Run it, and say from now on at Ctrl-C what then stands."""
        say_when_stopped(self.when_stopped)
        self.run(*arguments, **options)

    @property
    def name(self) -> str:
        """What is typed."""
        return self.run.__name__.replace("_", "-")

    @property
    def callback(self) -> Callable[..., None]:
        """A function with the parameters of the command, as Typer reads them."""

        @wraps(self.run)
        def call(**options: Any) -> None:
            self(**options)

        return call

    @contextmanager
    def working(self, saying: str | None = None) -> Iterator[Settings]:
        """Make the home ready, refuse absent services, and show progress while the block works.

        The flow is imported inside the block, when Prefect knows its server.

        Parameters
        ----------
        saying
            What people are told before services are started, which takes a while.
        """
        from flows import environment

        settings, needs = environment.prepare(), {"uses_registry": self.uses_registry, "is_spread": self.is_spread}
        if saying:
            remark(saying)
        if self.flow is None:
            environment.make_ready(settings, **needs)
        with environment.orchestrated(self.flow, **needs) if self.flow else nullcontext(), progress_bars():
            yield settings


def command(
    group: str | None = None,
    *,
    when_stopped: str = NOTHING_CHANGED,
    flow: str | None = None,
    uses_registry: bool = False,
    is_spread: bool = False,
) -> Callable[[Callable[..., None]], Command]:
    """Return a decorator that makes a command of a function."""
    return lambda run: Command(run, group, when_stopped, flow, uses_registry, is_spread)
