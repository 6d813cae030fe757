"""A shelf to be spoiled: the default files with one passage replaced."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.load import CLASSIC


@pytest.fixture
def write_catalog(tmp_path: Path) -> Callable[..., Path]:
    """Write the default files into a folder, each passage of `changes` replaced in the file it is for."""

    def write(changes: dict[str, tuple[str, str]]) -> Path:
        for name in ("products.yaml", "store.yaml"):
            text = (CLASSIC / name).read_text(encoding="utf-8")
            old, new = changes.get(name, ("", ""))
            assert old in text
            (tmp_path / name).write_text(text.replace(old, new, 1) if old else new or text, encoding="utf-8")
        return tmp_path

    return write
