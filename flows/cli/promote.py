"""The command that makes a model version champion by hand. It needs no orchestrator."""

import datetime as dt
from typing import Annotated

import typer

from flows.cli.champion_change import show_change
from flows.cli.options import HIGHEST, Catalog, Json, not_empty, text_of
from flows.environment import prepare
from flows.reachable import refuse_absent_services

Version = Annotated[int, typer.Option(min=1, max=HIGHEST, help="Registered model version.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, in a sentence; it is recorded.", callback=not_empty)]
Force = Annotated[bool, typer.Option("--force", help="Promote although the gate refused it or it was rolled back.")]


def promote(
    version: Version,
    reason: Reason = None,
    force: Force = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Make a version champion by hand, with a price book from it in force at once.

    A version that the gate refused, or that was rolled back, needs --force; the objections to it are recorded.

    For example:
      shelfprice promote --version 3 --reason "agreed on Monday"
    """
    asked_at = dt.datetime.now(dt.UTC)
    folder = text_of(catalog)
    refuse_absent_services(prepare(), uses_registry=True, uses_prefect=False)
    from flows.registry import registry_of
    from flows.workspace import open_workspace
    from training.promotion.change import promote as make_champion

    workspace = open_workspace(folder)
    done = make_champion(workspace, registry_of(workspace), str(version), reason, asked_at, force=force)
    show_change(done, as_json=as_json)
