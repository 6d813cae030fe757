"""The command that turns decisions into training features."""

from flows.cli.console import emit, progress_bars, show_table
from flows.cli.options import Catalog, Json, text_of
from flows.environment import orchestrated, prepare


def transform(catalog: Catalog = None, as_json: Json = False) -> None:
    """Group new or changed decisions into demand cells, and run the SQL assertions on them."""
    folder = text_of(catalog)
    prepare()
    with orchestrated("flows.transform"), progress_bars():
        from flows.transform import transform as flow

        done = flow(folder)
    if as_json:
        emit({"partitions": done.partitions, "decisions": done.decisions})
        return
    show_table("Transformed", ["partitions", "decisions"], [[done.partitions, done.decisions]])
