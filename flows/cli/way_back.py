"""Commands about champions: rollback, promote and champions. They need no orchestrator."""

import datetime as dt
from typing import Annotated, Any

import typer

from flows.cli.console import emit, remark, show_table
from flows.cli.options import Catalog, Json, text_of
from flows.environment import prepare

Reason = Annotated[
    str, typer.Option("--reason", help="Why, in a sentence; it is recorded with your name and the time.")
]
OptionalReason = Annotated[str | None, typer.Option("--reason", help="Why, in a sentence; it is recorded.")]
To = Annotated[
    int | None, typer.Option(min=1, help="Version to go back to; by default the champion before the current one.")
]
Version = Annotated[int, typer.Option(min=1, help="Registered model version.")]
Force = Annotated[bool, typer.Option("--force", help="Promote although the gate refused it or it was rolled back.")]

_WORDS = {
    "promoted_by_gate": "promoted by the gate",
    "promoted_by_hand": "promoted by hand",
    "rolled_back": "rolled back",
    "found": "found in the registry",
}


def rollback(reason: Reason, to: To = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Go back to the previous champion and its price book, at once.

    The book takes the place of those for the day being sold and later; a live store sells from it at its next tick.
    No registry is needed: when it is away, its alias follows later. For base prices at once, set
    guardrails.kill_switch in store.yaml instead.
    """
    asked_at = dt.datetime.now(dt.UTC)
    prepare()
    from flows.workspace import open_workspace, registry_of
    from training.promotion.change import rollback as roll_back

    workspace = open_workspace(text_of(catalog))
    target = None if to is None else str(to)
    _tell(roll_back(workspace, registry_of(workspace), reason, target, asked_at), as_json=as_json)


def promote(
    version: Version,
    reason: OptionalReason = None,
    force: Force = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Make a version champion by hand, with a price book from it in force at once.

    A version that the gate refused, or that was rolled back, wants --force; what spoke against it is recorded.
    """
    asked_at = dt.datetime.now(dt.UTC)
    prepare()
    from flows.workspace import open_workspace, registry_of
    from training.promotion.change import promote as make_champion

    workspace = open_workspace(text_of(catalog))
    done = make_champion(workspace, registry_of(workspace), str(version), reason, asked_at, force=force)
    _tell(done, as_json=as_json)


def champions(as_json: Json = False) -> None:
    """Show every change of champion: who decided, when, why, and what the version earned while it priced."""
    from catalog.settings import read_settings
    from warehouse.history import champion_history

    changes = champion_history(read_settings())
    if as_json:
        emit(changes)
        return
    rows = [
        [
            row["change"],
            row["version"],
            _WORDS.get(row["action"], row["action"]),
            row["decided_by"],
            f"{row['decided_at']:%Y-%m-%d %H:%M}",
            row["prices_from"],
            row["count_store_days"],
            row["revenue_eur"] / row["count_store_days"] if row["count_store_days"] else None,
            row["reason"],
        ]
        for row in changes
    ]
    names = ["", "version", "what", "who", "when", "prices from", "store days", "EUR a store day", "why"]
    show_table("Champions, the newest first", names, rows)


def _tell(done: Any, *, as_json: bool) -> None:
    change = done.change
    if done.registry_is_behind:
        remark(f"the registry follows later, before the next training or pricing: {done.registry_is_behind}")
    if as_json:
        emit({**vars(change), "book_made_for": done.book_made_for, "registry_is_behind": done.registry_is_behind})
        return
    remark(
        f"version {change.version} is champion in place of {change.previous or 'none'} and prices from "
        f"{change.prices_from}, from the book made for {done.book_made_for}"
    )
