"""The command that makes, lists and removes tokens of the quote API."""

import datetime as dt
from enum import StrEnum
from typing import Annotated

import typer

from catalog.settings import read_settings
from flows.cli.console import emit, remark, say, show_table
from flows.cli.options import Json


class Action(StrEnum):
    """What is done with tokens."""

    ADD = "add"
    LIST = "list"
    REMOVE = "remove"


class Opens(StrEnum):
    """What a token opens."""

    READ = "read"
    ACKNOWLEDGE = "acknowledge"
    PROPOSE = "propose"
    APPROVE = "approve"


What = Annotated[Action, typer.Argument(help="What to do.")]
Name = Annotated[str | None, typer.Argument(help="Name of the token, such as till-1.", metavar="NAME")]
Scopes = Annotated[
    list[Opens] | None,
    typer.Option(
        "--scope",
        help="What it opens, repeatable. acknowledge: saying what tills and labels show; propose: asking for price "
        "changes; approve: deciding about them; read: nothing else.",
        show_default="read",
    ),
]


def token(action: What, name: Name = None, scope: Scopes = None, as_json: Json = False) -> None:
    """Make a token for the quote API, list those there are, or remove one. A token is printed once and kept nowhere.

    Reading needs none. What is kept is a hash, in api/tokens of the data folder.

    For example:
      shelfprice token add till-1 --scope acknowledge
      shelfprice token add boss --scope propose --scope approve
      shelfprice token list
      shelfprice token remove till-1
    """
    if (name is None) != (action is Action.LIST) or (scope and action is not Action.ADD):
        expected = {"add": "NAME [--scope ...]", "list": "no name", "remove": "NAME alone"}[action]
        raise typer.BadParameter(f"expected {expected} after {action}")
    if action is Action.LIST:
        _list(as_json)
    elif action is Action.ADD:
        _add(str(name), [one.value for one in scope or [Opens.READ]], as_json)
    else:
        _remove(str(name), as_json)


def _add(name: str, scopes: list[str], as_json: bool) -> None:
    from connect.api.tokens import SCOPES, add_token
    from warehouse.private import keep_private

    settings = read_settings()
    keep_private(settings.home)
    chosen = [one for one in SCOPES if one in scopes]
    text = add_token(settings, name, chosen, dt.datetime.now(dt.UTC))
    if as_json:
        emit({"name": name, "scopes": chosen, "token": text})
        return
    say(text)
    remark(f"this is the token {name} ({', '.join(chosen)}); keep it now, it is shown once")


def _list(as_json: bool) -> None:
    from connect.api.tokens import known_tokens

    known = known_tokens(read_settings())
    if as_json:
        emit({"tokens": [{"name": one.name, "scopes": one.scopes, "made_at": one.made_at} for one in known]})
        return
    rows = [[one.name, ", ".join(one.scopes), f"{one.made_at:%Y-%m-%d %H:%M}"] for one in known]
    show_table("Tokens of the quote API", ["name", "scopes", "made, UTC"], rows)


def _remove(name: str, as_json: bool) -> None:
    from connect.api.tokens import remove_token

    remove_token(read_settings(), name)
    if as_json:
        emit({"removed": name})
        return
    remark(f"removed {name}; the API takes it no more")
