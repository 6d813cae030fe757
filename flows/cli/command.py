"""All that the command line knows about a command, in one record beside the function that is the command.

What is typed wrongly gets one line and a guess at what was meant.
"""

import datetime as dt
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import wraps
from importlib.metadata import version
from inspect import cleandoc
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from typer.core import TyperGroup

from catalog.bounds import HIGHEST_NUMBER
from catalog.errors import DataError, ShelfpriceError, did_you_mean
from catalog.load import Catalog as LoadedCatalog
from catalog.load import folder_of, load
from catalog.records.refusals import refused
from catalog.settings import Settings, read_settings
from flows.cli.console import progress_bars, remark
from flows.cli.program import NOTHING_CHANGED, say_when_stopped

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
    """A command, called as the function it was made from: its parameters are the options, its docstring is the help.

    `group` is one of `GROUPS`, or None for the first screen; `when_stopped` is the sentence at Ctrl-C. `flow` is the
    module of the Prefect flow that it runs, if any. `uses_registry` says that the model registry must answer, and
    `is_spread` that a cluster does its work, where one is set.
    """

    run: Callable[..., None]
    group: str | None = None
    when_stopped: str = NOTHING_CHANGED
    flow: str | None = None
    uses_registry: bool = False
    is_spread: bool = False

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

        settings = environment.prepare()
        if saying:
            remark(saying)
        with environment.ready(self.flow, uses_registry=self.uses_registry, is_spread=self.is_spread), progress_bars():
            yield settings


def command(group: str | None = None, **more: Any) -> Callable[[Callable[..., None]], Command]:
    """Return a decorator that makes a command of a function; `more` are further fields of `Command`."""
    return lambda run: Command(run, group, **more)


_WRONG_USAGE = 2


class Commands(TyperGroup):
    """The commands, and groups of them; a mistake in what was typed is one line on stderr and exit code 2.

    Every command is reached by its name alone. The first screen of help shows those of no group, and the groups.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        commands: dict[str, Any] = dict(self.commands)
        for group, about in GROUPS.items():
            members = {name: entry for name, entry in commands.items() if entry.rich_help_panel == group}
            text = f"{about}: {', '.join(members)}."
            self.commands[group] = TyperGroup(
                name=group,
                commands=members,
                help=text,
                no_args_is_help=True,
                rich_help_panel="Groups of commands",
                context_settings=self.context_settings,
            )

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the first screen."""
        first, commands = copy(self), dict[str, Any](self.commands)
        first.commands = {name: entry for name, entry in commands.items() if entry.rich_help_panel not in GROUPS}
        super(Commands, first).format_help(ctx, formatter)

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> Any:  # type: ignore[override] # by keyword
        """Run one command, and end the process as it says."""
        if not extra.pop("standalone_mode", True):
            return super().main(args, **extra, standalone_mode=False)
        try:
            code = super().main(args, **extra, standalone_mode=False)
        except typer.TyperException as error:
            _tell(error)
            sys.exit(error.exit_code)
        except typer.Abort:
            remark("nothing was done")
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)


def help_of(command: Callable[..., None]) -> str:
    """Return a command's docstring for terminals of any width: lines are joined, indented ones stand as they are."""
    return re.sub(r"(?<!\n)\n(?![\n ])", " ", cleandoc(command.__doc__ or ""))


def show_version(is_asked_for: bool) -> None:
    """Print the version and end, when asked for it."""
    if is_asked_for:
        sys.stdout.write(f"shelfprice {version('shelfprice')}\n")
        raise typer.Exit


def refused_value(error: typer.TyperException) -> str | None:
    """Say what an option takes in place of what was typed, or not typed; None where something else was wrong."""
    option, cause = getattr(error, "param", None), error.__cause__
    first: dict[str, Any] = {"loc": (), "type": "missing"}
    if isinstance(cause, ValidationError):
        problem = cause.errors()[0]
        first = {"loc": problem["loc"], "type": "typed", "input": problem["input"]}
    elif not hasattr(error, "param_type"):
        return None
    if option is None:
        return None
    kind = option.type_descriptor
    taken = (option.get_runtime_param().adapter if kind.is_ranged else TypeAdapter(kind.annotation)).json_schema()
    if option.metavar == "DATE":
        taken = {"type": "string", "format": "date"}
    return refused([first], taken)._replace(field=option.opts[0]).sentence()


def _tell(error: typer.TyperException) -> None:
    """Say what was typed wrongly, and where to look."""
    context, text = getattr(error, "ctx", None), error.format_message()
    if not text:  # no command was given, and the help was printed
        return
    option = getattr(error, "option_name", None)
    if option is not None and hasattr(error, "possibilities"):
        parameters = context.command.get_params(context) if context else []
        names = [name for parameter in parameters for name in parameter.opts]
        text = f"there is no option {option}{did_you_mean(option, names)}"
    text = " ".join((refused_value(error) or text).split()).rstrip(".")
    ending = " Nothing" if text.endswith("?") else "; nothing"
    kind = "wrong usage" if error.exit_code == _WRONG_USAGE else "error"
    remark(f"{kind}: {text}{ending} was done: see {context.command_path if context else 'shelfprice'} --help")


_EARLIEST, _LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)
HIGHEST = HIGHEST_NUMBER


def in_calendar(moment: dt.datetime | None) -> dt.datetime | None:
    """Return a date that a store could have sold on; any other is wrong usage."""
    if moment is not None and not _EARLIEST <= moment.date() <= _LATEST:
        raise typer.BadParameter(f"expected a date from {_EARLIEST} to {_LATEST}, found {moment.date()}")
    return moment


def not_empty(text: str | None) -> str | None:
    """Return a text that says something; an empty one is wrong usage."""
    if text is not None and not text.strip():
        raise typer.BadParameter("expected a text, found an empty one")
    return text


def date_option(*names: str, **more: Any) -> Any:
    """Return the option of a business date."""
    return typer.Option(*names, formats=["%Y-%m-%d"], metavar="DATE", callback=in_calendar, **more)


Catalog = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        metavar="DIR",
        envvar="SHELFPRICE_CATALOG",
        help="Folder with products.yaml and store.yaml, or the name of one that ships, such as classic.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, everything else on stderr.")]
Start = Annotated[dt.datetime, date_option(help="First business date.", show_default="2026-01-05")]
Through = Annotated[dt.datetime | None, date_option(help="Last business date to use; by default the newest.")]
Days = Annotated[int, typer.Option(min=1, max=36_500, help="Number of business dates.")]
Stores = Annotated[
    int | None, typer.Option(min=1, max=100_000, help="Number of stores; by default those of the catalog.")
]
OneStore = Annotated[str | None, typer.Option("--store", help="One store, such as S01; by default every store.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed; equal seeds give the same shoppers.")]
"""As far as scikit-learn takes one."""

FIRST_DAY = dt.datetime(2026, 1, 5)  # noqa: DTZ001 - a calendar date, as typer parses one


def text_of(catalog: Path | None) -> str | None:
    """Return a catalog folder as flows take it.

    Raises
    ------
    CatalogError
        When its files cannot be used.
    DataError
        When it is no folder.
    """
    if catalog is None:
        return None
    folder = folder_of(catalog)
    if not folder.is_dir():
        raise DataError(
            f"--catalog {catalog}: expected a folder with products.yaml and store.yaml, or the name of one that ships, "
            "such as classic; found neither; nothing was done: name one, or leave --catalog out for the default shelf"
        )
    load(folder)
    return str(folder.resolve())


def date_of(moment: dt.datetime | None) -> dt.date | None:
    """Return the date of an option that may be left out."""
    return moment.date() if moment else None


def refuse_beyond_calendar(start: dt.datetime, days: int) -> None:
    """Refuse, as wrong usage, business dates of which the last one is beyond the calendar."""
    room = (_LATEST - start.date()).days + 1
    if days > room:
        raise typer.BadParameter(
            f"expected at most {room} from {start.date()}, for dates end on {_LATEST}; found {days}",
            param_hint="'--days'",
        )


def refuse_unwritable(file: Path) -> None:
    """Refuse, before long work, a file that could not be written after it."""
    if file.is_dir() or not file.parent.is_dir():
        place = "a folder" if file.is_dir() else f"no folder {file.parent}"
        raise DataError(f"expected a file in a folder that exists, found {place}; nothing was done: name another file")


def known_skus(context: typer.Context, incomplete: str) -> list[str]:
    """Return the products of the command's catalog whose sku begins as typed."""
    return [sku for shelf in _catalog_of(context) for sku in shelf.skus if sku.startswith(incomplete)]


def known_stores(context: typer.Context, incomplete: str) -> list[str]:
    """Return the stores of the command's catalog whose name begins as typed."""
    return [store for shelf in _catalog_of(context) for store in shelf.store.stores if store.startswith(incomplete)]


def _catalog_of(context: typer.Context) -> list[LoadedCatalog]:
    """Return the catalog of a command; none where it cannot be read, for the shell is no place for errors."""
    try:
        named = context.params.get("catalog") or read_settings().catalog_dir
        return [load(Path(named) if named else None)]
    except (ShelfpriceError, OSError):
        return []
