"""A file as it is staged: what was read from it, and what was not."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from plugins.own_store.history.columns import Reading
from plugins.own_store.history.read import open_export
from plugins.own_store.history.stage import StagedExport, stage_export


class Staged:
    """The rows of a staged file, in its order."""

    def __init__(self, staged: StagedExport) -> None:
        self.staged = staged

    def column(self, name: str) -> list[Any]:
        """Return the values of a column."""
        return self.staged.connection.table("staged").order("line").to_arrow_table()[name].to_pylist()

    @property
    def lines(self) -> list[int]:
        """The lines of the rows that were read."""
        return self.column("line")

    @property
    def words(self) -> list[str]:
        """The products, in order of appearance."""
        return [product["word"] for product in self.staged.products]

    @property
    def aside(self) -> dict[int, str]:
        """Why rows were not read, by line."""
        rows = self.staged.aside_on(None)
        return dict(zip(rows["line"].to_pylist(), rows["reason"].to_pylist(), strict=True))


Stage = Callable[..., Staged]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Stage a file, given as text or bytes, and keep it open until the test ends."""
    with ExitStack() as stack:

        def staged(content: str | bytes, name: str = "shop.csv", **reading: object) -> Staged:
            file = tmp_path / name
            file.write_bytes(content.encode() if isinstance(content, str) else content)
            stack.close()
            export = open_export(file, Reading.model_validate(reading))
            return Staged(stack.enter_context(stage_export(export, tmp_path / "scratch", lambda _share: None)))

        yield staged
