"""The command that goes back to an earlier champion. It needs no orchestrator."""

import datetime as dt
from typing import Annotated

import typer

from flows.cli.champion_change import show_change
from flows.cli.options import HIGHEST, Catalog, Json, not_empty, text_of
from flows.environment import prepare

Reason = Annotated[
    str,
    typer.Option(
        "--reason", help="Why, in a sentence; it is recorded with your name and the time.", callback=not_empty
    ),
]
To = Annotated[
    int | None,
    typer.Option(min=1, max=HIGHEST, help="Version to go back to; by default the champion before the current one."),
]


def rollback(reason: Reason, to: To = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Go back to the previous champion and its price book, at once.

    The book replaces those for the day being sold and later; a live store sells from it from its next tick on. The
    registry may be down: its alias is updated later. For base prices at once: `shelfprice kill-switch on`.

    For example:
      shelfprice rollback --reason "margins fell"
    """
    asked_at = dt.datetime.now(dt.UTC)
    folder = text_of(catalog)
    prepare()
    from flows.registry import registry_of
    from flows.workspace import open_workspace
    from training.promotion.change import rollback as roll_back

    workspace = open_workspace(folder)
    target = None if to is None else str(to)
    done = roll_back(workspace, registry_of(workspace), reason, target, asked_at)
    show_change(done, as_json=as_json)
