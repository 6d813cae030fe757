"""The command that checks data, prices, models and files."""

from catalog.errors import DataError
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json, text_of
from flows.environment import prepare


def health(catalog: Catalog = None, as_json: Json = False) -> None:
    """Check that decisions, cells, prices and champion are fresh, the registry answers and every file is proven.

    Exits 1 when a check failed, or when there is nothing to check yet; warnings alone exit 0.
    `shelfprice up` runs the checks on a schedule.
    """
    folder = text_of(catalog)
    prepare()
    with progress_bars():
        from etl.business_dates import newest_sold
        from flows.progress import tell
        from flows.registry import registry_of
        from flows.workspace import open_workspace
        from operate.health.check_up import check_up
        from warehouse.advice import BEGIN, BEGIN_WITH_A_LOG

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
            f"run `{BEGIN}` or `{BEGIN_WITH_A_LOG}`"
        )
    if failed:
        raise DataError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}; each says what to do")
    remark("everything is in order" if all(check.state == "ok" for check in checks) else "nothing failed")
