"""The commands about champions: which model version prices, make it another one, and what was in force on a past day.

They need no orchestrator.
"""

import datetime as dt
from typing import Annotated, Any

import typer

from catalog.settings import read_settings
from flows.cli.command import command
from flows.cli.console import abbreviated, emit, remark, show_table
from flows.cli.options import HIGHEST, Catalog, Json, date_option, not_empty, text_of

Version = Annotated[int, typer.Option(min=1, max=HIGHEST, help="Registered model version.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, in a sentence; it is recorded.", callback=not_empty)]
Force = Annotated[bool, typer.Option("--force", help="Promote although the gate refused it or it was rolled back.")]
NeededReason = Annotated[
    str,
    typer.Option(
        "--reason", help="Why, in a sentence; it is recorded with your name and the time.", callback=not_empty
    ),
]
To = Annotated[
    int | None,
    typer.Option(min=1, max=HIGHEST, help="Version to go back to; by default the champion before the current one."),
]
Date = Annotated[dt.datetime, date_option(help="Business date.")]


_MAYBE_CHANGED = "stopped; `shelfprice champions` says whether the champion was changed"
_WORDS = {
    "promoted_by_gate": "promoted by the gate",
    "promoted_by_hand": "promoted by hand",
    "rolled_back": "rolled back",
    "found": "found in the registry",
}


@command("models")
def champions(as_json: Json = False) -> None:
    """List every change of champion: who decided, when, why, and what the version earned while it priced."""
    from warehouse.history import champion_history
    from warehouse.lake import Lake
    from warehouse.sold import money_of

    settings = read_settings()
    changes = champion_history(settings)
    if as_json:
        emit({"champions": changes})
        return
    rows = [
        [
            *(row["change"], row["version"], _WORDS.get(row["action"], row["action"]), row["decided_by"]),
            *(f"{row['decided_at']:%Y-%m-%d %H:%M}", row["prices_from"], row["count_store_days"]),
            row["revenue_eur"] / row["count_store_days"] if row["count_store_days"] else None,
            row["reason"],
        ]
        for row in changes
    ]
    earned = money_of(Lake(settings)).format_title("EUR a store day")
    names = ["", "version", "what", "who", "when, UTC", "prices from", "store days", earned, "why"]
    show_table("Champions, newest first", names, rows)


@command("models", when_stopped=_MAYBE_CHANGED, uses_registry=True)
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
    with promote.working():
        from flows.runs import registry_of
        from flows.workspace import open_workspace
        from training.champion_change import promote as make_champion

        workspace = open_workspace(folder)
        done = make_champion(workspace, registry_of(workspace), str(version), reason, asked_at, force=force)
    _show_change(done, as_json=as_json)


@command("models", when_stopped=_MAYBE_CHANGED, uses_registry=True)
def rollback(reason: NeededReason, to: To = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Go back to the previous champion and its price book, at once.

    The book replaces those for the day being sold and later; a live store sells from it from its next tick on. The
    registry must be up. For base prices at once: `shelfprice kill-switch on`.

    For example:
      shelfprice rollback --reason "margins fell"
    """
    asked_at = dt.datetime.now(dt.UTC)
    folder = text_of(catalog)
    from flows.environment import prepare

    prepare()
    from flows.runs import registry_of
    from flows.workspace import open_workspace
    from training.champion_change import rollback as roll_back

    workspace = open_workspace(folder)
    done = roll_back(workspace, registry_of(workspace), reason, None if to is None else str(to), asked_at)
    _show_change(done, as_json=as_json)


@command("models")
def history(date: Date, as_json: Json = False) -> None:
    """Show which catalog, data, model version and price book were in force on a past day.

    One row for each batch, and for each change of prices on a day that was sold live; --json has whole fingerprints.

    For example:
      shelfprice history --date 2026-01-12
    """
    from warehouse.history import past_day

    rows = past_day(read_settings(), date.date())
    if as_json:
        emit({"date": date.date(), "in_force": rows})
        return
    plain = ("batch", "since", "policy", "model_version", "champion", "book_made_for")
    hashes = ("book_sha256", "catalog", "decisions_sha256", "cells_sha256")
    table = [
        [
            *(row[name] for name in plain),
            *(abbreviated(row[name]) for name in hashes),
            *(row["seed"], row["code_version"]),
        ]
        for row in rows
    ]
    names = ["batch", "from tick", "policy", "model", "champion", "book made for", "book", "catalog"]
    show_table(f"In force on {date:%Y-%m-%d}", [*names, "decisions", "features", "seed", "code"], table)


def _show_change(done: Any, *, as_json: bool) -> None:
    """Print a change of champion, and whether the registry has yet to follow."""
    change = done.change
    if done.registry_is_behind:
        remark(f"the registry is updated before the next training or pricing: {done.registry_is_behind}")
    if as_json:
        told = {name: value for name, value in vars(done).items() if name != "change"}
        emit({**vars(change), **told})
        return
    if done.is_repeated:
        remark(
            f"{change.decided_by} did this at {change.decided_at:%Y-%m-%d %H:%M} UTC for the same reason; nothing more "
            "was changed: to go on from there, name a version or give another reason"
        )
    remark(
        f"version {change.version} is champion in place of {change.previous or 'none'} and prices from "
        f"{change.prices_from}, from the book made for {done.book_made_for}"
    )
