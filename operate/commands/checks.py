"""The commands that check: the store as a whole, and every file against its receipt. They start no service."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.errors import DataError, LakeError
from catalog.settings import read_settings
from flows.cli.command import command
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json, text_of

if TYPE_CHECKING:
    from warehouse.finding import Strays

SetAside = Annotated[
    bool, typer.Option("--set-aside", help="Move damaged and orphaned files out, so that work on the others can go on.")
]
Changed = Annotated[
    bool, typer.Option("--changed", help="Check what changed since it was proven, and some of what was longest ago.")
]
Model = Annotated[
    bool, typer.Option("--model", help="Also score the champion in a fresh process, as any client of MLflow would.")
]


@command()
def health(catalog: Catalog = None, as_json: Json = False) -> None:
    """Check that decisions, cells, prices and champion are fresh, the registry answers and every file is proven.

    Exits 1 when a check failed, or when there is nothing to check yet; warnings alone exit 0.
    `shelfprice up` runs the checks on a schedule.
    """
    folder = text_of(catalog)
    from flows.environment import prepare

    prepare()
    with progress_bars():
        from etl.live.calendar import newest_sold
        from flows.progress import tell
        from flows.runs import registry_of
        from flows.workspace import open_workspace
        from operate.health.check_up import check_up, first_steps

        workspace = open_workspace(folder)
        checks = check_up(workspace, registry_of(workspace), lambda done, total: tell("checking files", done, total))
    is_empty = newest_sold(workspace.lake) is None
    failed = [check.name for check in checks if check.state == "failed"]
    if as_json:
        emit({"healthy": not failed and not is_empty, "checks": [vars(check) for check in checks]})
    else:
        rows = [[check.name, check.state, check.found, check.remedy] for check in checks]
        show_table("Health of the store", ["check", "state", "found", "what to do"], rows)
    if is_empty:
        raise DataError(
            "expected decisions to check, found none: there is nothing to check yet, and nothing to sell from; "
            f"run {' or '.join(f'`{step}`' for step in first_steps(workspace))}"
        )
    if failed:
        raise DataError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}; each says what to do")
    remark("everything is in order" if all(check.state == "ok" for check in checks) else "nothing failed")


@command("lake")
def verify(set_aside: SetAside = False, changed: Changed = False, model: Model = False, as_json: Json = False) -> None:
    """Check every file of the lake against its receipt; exit 1 when one is damaged, missing or orphaned.

    With --model, `mlflow models predict` also scores the champion on the days it was judged on, and must give the
    chances of sale that prices are made from.

    For example:
      shelfprice verify --set-aside
    """
    from flows.progress import tell
    from warehouse.advice import remedy
    from warehouse.lake import Lake
    from warehouse.proof import set_aside as move_out
    from warehouse.proof import verify as check

    settings = read_settings()
    lake = Lake(settings)
    if not lake.exists():
        raise LakeError(f"{lake.address}: expected a lake, found none; nothing was checked: {remedy(settings)}")
    with progress_bars():
        verdict = check(lake, lambda done, total: tell("checking files", done, total), only_changed=changed)
    findings = [{"file": f"lake/{one.name}", "kind": one.kind, "message": one.message} for one in verdict.findings]
    moved = [place.removeprefix(f"{settings.home}/") for place in move_out(lake, verdict)] if set_aside else []
    counts = {"files": verdict.files, "rows": verdict.rows, "being_written": verdict.being_written}
    strays = verdict.strays
    if not as_json:
        _show(findings, counts, moved, strays)
    scored = _score_champion(as_json=as_json) if model else {}
    if as_json:
        emit({**counts, "strays": vars(strays), "findings": findings, "set_aside": moved, **scored})
    if findings and not set_aside:
        raise LakeError(f"{len(findings)} of {verdict.files} files are not as they were published")


def _show(findings: list[dict[str, str]], counts: dict[str, int], moved: list[str], strays: "Strays") -> None:
    if findings:
        show_table("Findings", ["file", "kind", "what to do"], [list(finding.values()) for finding in findings])
    remark(", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in counts.items()))
    if moved:
        remark(f"set aside: {', '.join(moved)}")
    if strays.objects:
        remark(
            f"note: {strays.objects:,} objects ({strays.bytes / 1e6:,.1f} MB) that nothing in force names: replaced, "
            "being written, or left by a kill; `shelfprice vacuum` removes the old ones"
        )


def _score_champion(*, as_json: bool) -> dict[str, Any]:
    """Score the champion through MLflow, and show it unless it goes into the JSON answer."""
    from flows.environment import prepare

    settings = prepare()
    remark("scoring the champion with mlflow models predict ...")
    from operate.mlflow_check import score_champion

    found = vars(score_champion(settings))
    if not as_json:
        rows = [[name.replace("_", " "), value] for name, value in found.items()]
        show_table("The champion as MLflow scores it", ["", "found"], rows)
    return {"model": found}


COMMANDS = (health, verify)
