"""The commands for other systems: send prices to tills and labels, serve the quote API, and make its tokens."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from catalog.errors import DataError
from catalog.settings import read_settings
from flows.cli.command import RUN_AGAIN, Catalog, Json, OneStore, command, not_empty, text_of
from flows.cli.console import emit, remark, say, show_table
from plugins.connect.reports import show_exported, show_status

Opens = StrEnum("Opens", ["read", "acknowledge", "sell", "propose", "approve"])
"""What a token opens; Typer takes no list of literals."""
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="DIR|URL|pull",
        callback=not_empty,
        help="Folder for a file of each batch, an address with https that takes each as a POST, or pull: label "
        "servers fetch them from the quote API.",
    ),
]
AsFormat = Annotated[
    Literal["csv", "json", "both"] | None,
    typer.Option("--format", help="By default both in a folder, and json to an address."),
]
Full = Annotated[bool, typer.Option("--full", help="Send every price, not those alone that are not acknowledged.")]
Follow = Annotated[bool, typer.Option("--follow", help="Go on at each tick of live stores until stopped.")]
Status = Annotated[
    bool, typer.Option("--status", help="Send nothing; show what is sent, acknowledged, late and different.")
]
Place = Annotated[Path, typer.Argument(help="Folder of files, or one file.", metavar="DIR|FILE")]
FollowInbox = Annotated[bool, typer.Option("--follow", help="Go on with each file that comes, until stopped.")]
Port = Annotated[
    int | None,
    typer.Option(min=1, max=65_535, help="Port to listen on.", show_default="that of SHELFPRICE_API_ADDRESS, or 8070"),
]
What = Annotated[Literal["add", "list", "remove"], typer.Argument(help="What to do.")]
Name = Annotated[str | None, typer.Argument(help="Name of the token, such as till-1.", metavar="NAME")]
Scopes = Annotated[
    list[Opens] | None,
    typer.Option(
        "--scope",
        help="What it opens, repeatable. acknowledge: saying what tills and labels show; sell: saying what was "
        "sold; propose: asking for price changes; approve: deciding about them; read: nothing else.",
        show_default="read",
    ),
]


OfStores = Annotated[
    list[str] | None,
    typer.Option("--store", metavar="STORE", help="Store that it opens, repeatable.", show_default="every store"),
]


@command("services", when_stopped=RUN_AGAIN)
def export(
    to: To = None,
    store: OneStore = None,
    format_: AsFormat = None,
    full: Full = False,
    follow: Follow = False,
    status: Status = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Send the prices that stores have to show next to tills and shelf labels, and take in what they acknowledge.

    The same prices are the same batch: nothing is sent twice. A batch is recorded before it is sent, and sent again
    after a kill. Acknowledgements come as files in DIR/acks, or over HTTP to `shelfprice serve`;
    docs/tills-and-labels.md has the formats.

    For example:
      shelfprice export --to labels --store S01
      shelfprice export --to labels --follow
      shelfprice export --status
    """
    from flows.workspace import open_workspace
    from plugins.connect.labels.export import export as run
    from plugins.connect.labels.targets import Format, target_of

    if status == (to is not None) or (status and (full or follow or format_)) or (full and follow):
        raise typer.BadParameter("expected --to, with --full or --follow if wanted, or --status alone; choose one")
    folder = text_of(catalog)
    workspace = open_workspace(folder)
    stores = None if store is None else (store,)
    if to is None:
        show_status(workspace, stores, as_json=as_json)
        return
    formats: Sequence[Format] | None = ("csv", "json") if format_ == "both" else (format_,) if format_ else None
    target = target_of(workspace.settings, to, formats)
    if not follow:
        show_exported(run(workspace, target, stores, full=full), as_json=as_json)
        return
    from flows.workspace import watched_catalog
    from plugins.connect.labels.export import follow as going_on

    for done in going_on(workspace, watched_catalog(folder), target, stores, remark):
        show_exported(done, as_json=as_json)


@command("services", when_stopped="stopped; the quote API can be started again at any time")
def serve(port: Port = None, catalog: Catalog = None) -> None:
    """Serve the quote API on this machine: prices over HTTP, the same bytes as quote --json. Ctrl-C stops it.

    Reading needs no token; `shelfprice token add` makes one for everything else. /openapi.json describes it.

    For example:
      shelfprice serve --port 8080
    """
    from plugins.connect.quote_api import refuse_open_quote_api
    from plugins.connect.quote_api import serve as run
    from warehouse.files import keep_private

    settings = read_settings()
    refuse_open_quote_api(settings)
    text_of(catalog)
    keep_private(settings.home)
    port = port or settings.quote_api.port
    remark(f"the quote API is at http://{settings.quote_api.host}:{port}, described by /openapi.json; Ctrl-C stops it")
    run(settings, port, catalog)


@command("services", when_stopped="stopped; `shelfprice token list` says whether it was done")
def token(action: What, name: Name = None, scope: Scopes = None, store: OfStores = None, as_json: Json = False) -> None:
    """Make a token for the quote API, list those there are, or remove one. A token is printed once and kept nowhere.

    Reading needs none. What is kept is a hash, in api/tokens of the data folder. With --store, a token speaks for
    these stores alone.

    For example:
      shelfprice token add till-1 --scope sell --scope acknowledge --store S01
      shelfprice token add boss --scope propose --scope approve
      shelfprice token list
      shelfprice token remove till-1
    """
    from plugins.connect.api import api_tokens as tokens
    from warehouse.files import keep_private

    if (name is None) != (action == "list") or ((scope or store) and action != "add"):
        expected = {"add": "NAME [--scope ...] [--store ...]", "list": "no name", "remove": "NAME alone"}[action]
        raise typer.BadParameter(f"expected {expected} after {action}")
    settings = read_settings()
    if name is None:
        tokens_now = tokens.known_tokens(settings)
        if as_json:
            shown = ("name", "scopes", "stores", "made_at")
            emit({"tokens": [{field: getattr(token, field) for field in shown} for token in tokens_now]})
            return
        rows = [
            [
                token.name,
                ", ".join(token.scopes),
                ", ".join(token.stores or ["every store"]),
                f"{token.made_at:%Y-%m-%d %H:%M}",
            ]
            for token in tokens_now
        ]
        show_table("Tokens of the quote API", ["name", "scopes", "stores", "made, UTC"], rows)
    elif action == "add":
        keep_private(settings.home)
        chosen = [opened for opened in tokens.SCOPES if opened in (scope or [Opens.read])]
        text = tokens.add_token(settings, name, chosen, dt.datetime.now(dt.UTC), store)
        if as_json:
            emit({"name": name, "scopes": chosen, "stores": store, "token": text})
            return
        say(text)
        remark(f"this is the token {name} ({', '.join(chosen)}); keep it now, it is shown once")
    else:
        tokens.remove_token(settings, name)
        if as_json:
            emit({"removed": name})
            return
        remark(f"removed {name}; the API takes it no more")


@command("services", when_stopped=RUN_AGAIN)
def take_in(place: Place, follow: FollowInbox = False, catalog: Catalog = None, as_json: Json = False) -> None:
    """Take in a file, or a folder of files, of what stores know. The columns say which.

    They are CSV, JSON lines or Parquet, gzip or not: sales, stock and visitors (docs/intake.md), rivals' prices, which
    count from the next opening on (docs/rivals.md), and, as CSV, announced events and the weather (docs/context.md).
    Each file of a folder is moved to DIR/done after its lines are on the disk, or to DIR/refused with the reasons
    beside it; a single file stays where it is. A line that came before counts once, so run it again after a kill.

    For example:
      shelfprice take-in inbox --follow
      shelfprice take-in leaflet.csv
    """
    from flows.workspace import open_workspace, watched_catalog
    from plugins.connect.intake import inbox
    from plugins.connect.intake.intake import Intake
    from plugins.connect.reports import remark_passed, show_files

    named = text_of(catalog)
    workspace = open_workspace(named)
    intake = Intake(workspace.lake)
    if place.is_file() and not follow:
        show_files([inbox.take_file(workspace, intake, place)], as_json=as_json)
        return
    if not place.is_dir():
        raise DataError(
            f"{place}: expected a folder with files{'' if follow else ', or a file'}, found none there; nothing was "
            "taken in: name it"
        )
    if follow:
        for file in inbox.follow(workspace, watched_catalog(named), intake, place, pass_over=remark_passed):
            show_files([file], as_json=as_json)
        return
    show_files(inbox.take_in(workspace, intake, place), inbox.passed_over(place), as_json=as_json)


COMMANDS = (export, serve, token, take_in)
