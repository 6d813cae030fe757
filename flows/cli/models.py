"""The commands about models: train candidates; which version prices, another one, and what was in force on a day."""

import datetime as dt
from typing import Annotated, Any, Literal

import typer

from catalog.errors import Declined
from catalog.settings import read_settings
from flows.cli.command import HIGHEST, Catalog, Json, Seed, Through, command, date_of, date_option, not_empty, text_of
from flows.cli.console import abbreviated, emit, remark, show_table
from flows.cli.failures import refuse_without_cells

Again = Annotated[bool, typer.Option("--again", help="Train once more from days that were learned from before.")]


@command(
    when_stopped="stopped; prices stay as they are: run the same command again to train anew",
    flow="flows.nightly",
    uses_registry=True,
    is_spread=True,
)
def train(
    through: Through = None,
    seed: Seed = 7,
    catalog: Catalog = None,
    again: Again = False,
    as_json: Json = False,
) -> None:
    """Train every candidate, judge them on later days, and let the gate decide about the best.

    From the same days, catalog and seed comes the same model, so it is not trained twice: after a kill the same command
    goes on.
    """
    folder = text_of(catalog)
    refuse_without_cells()
    with train.working():
        from flows.nightly import train as flow
        from flows.runs import as_command
        from warehouse.databases import trainings_page

        version: Any = as_command(flow)(date_of(through), seed, folder, again=again)
    record = {
        "trained_before": version.trained_before,
        "version": version.version,
        "run_id": version.training_run_id,
        "best": version.candidate,
        "promoted": version.verdict.promoted,
        "refusals": version.verdict.refusals,
        "scores": version.scores,
        "money": version.money,
    }
    if trainings := trainings_page(read_settings()):
        remark(f"Every training: {trainings}")
    remark(f"Scores and figures: MLflow run {record['run_id']}")
    if version.trained_before:
        remark(
            f"Version {version.version} was trained from exactly these days before, so nothing was trained anew; "
            "--again trains once more"
        )
        remark(version.said or "")
    if as_json:
        emit(record)
    else:
        from flows.cli.tables import show_version

        show_version(version)
    if not record["promoted"]:
        refusals = "; ".join(record["refusals"])
        raise Declined(f"version {record['version']} was not promoted: {refusals}; the old prices stay in force")


Action = Annotated[
    Literal["promote", "rollback"] | None,
    typer.Argument(
        help="promote: make a version champion; rollback: go back to an earlier one. Without, list changes."
    ),
]
Version = Annotated[
    int | None,
    typer.Argument(min=1, max=HIGHEST, help="Registered model version; a rollback goes back one champion without it."),
]
Reason = Annotated[
    str | None,
    typer.Option("--reason", help="Why, in a sentence; it is recorded. A rollback needs it.", callback=not_empty),
]
Force = Annotated[bool, typer.Option("--force", help="Promote although the gate refused it or it was rolled back.")]
On = Annotated[
    dt.datetime | None, date_option("--on", help="Show what was in force on this past business date instead.")
]
_WORDS = {
    "promoted_by_gate": "promoted by the gate",
    "promoted_by_hand": "promoted by hand",
    "rolled_back": "rolled back",
    "found": "found in the registry",
}


@command("models", when_stopped="stopped; `shelfprice champions` says whether the champion was changed")
def champions(
    action: Action = None,
    version: Version = None,
    reason: Reason = None,
    force: Force = False,
    on: On = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """List every change of champion: who decided, when, why, and what the version earned while it priced.

    A promotion and a rollback take effect at once, with a price book of the version; a live store sells from it from
    its next tick on. A version that the gate refused, or that was rolled back, needs --force to be promoted. Both
    need the registry. For base prices at once: `shelfprice kill-switch on`.

    For example:
      shelfprice champions rollback --reason "margins fell"
      shelfprice champions promote 3 --reason "agreed on Monday"
      shelfprice champions --on 2026-01-12
    """
    if action is None:
        if version is not None or reason is not None or force:
            raise typer.BadParameter(
                "expected promote or rollback beside a version, --reason or --force, found neither"
            )
        _list_changes(as_json=as_json) if on is None else _show_past_day(on, as_json=as_json)
        return
    if on is not None:
        raise typer.BadParameter(f"expected no date beside {action}, found {on.date()}")
    if action == "promote" and version is None:
        raise typer.BadParameter("promote: expected a version, such as 3, found none")
    if action == "rollback" and reason is None:
        raise typer.BadParameter("rollback: expected --reason, found none")
    asked_at, folder = dt.datetime.now(dt.UTC), text_of(catalog)
    from flows import environment

    environment.prepare()
    with environment.ready(None, is_spread=False):
        from flows.runs import registry_of
        from flows.workspace import open_workspace
        from training.champion import promote, rollback

        workspace = open_workspace(folder)
        registry, named = registry_of(workspace), None if version is None else str(version)
        if action == "promote":
            done = promote(workspace, registry, str(named), reason, asked_at, force=force)
        else:
            done = rollback(workspace, registry, str(reason), named, asked_at)
    _show_change(done, as_json=as_json)


def _list_changes(*, as_json: bool) -> None:
    from warehouse.lake import Lake
    from warehouse.origin import money_of
    from warehouse.query.questions import champion_history

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


def _show_past_day(date: dt.datetime, *, as_json: bool) -> None:
    """Print one row for each batch, and for each change of prices on a day that was sold live."""
    from warehouse.query.questions import past_day

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
        fields = {name: value for name, value in vars(done).items() if name != "change"}
        emit({**vars(change), **fields})
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
