"""The guide for a retailer's own sales: its commands, run on the small exports, give what it says that you see."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from shell import Terminal

ROOT = Path(__file__).parents[2]
EXPORTS = Path(__file__).parent / "exports"
PAGE = (ROOT / "docs" / "bring-your-own.md").read_text(encoding="utf-8")
_RECIPE = re.compile(r"^## \d\. (?P<kind>\w+)\n(?P<text>.*?)(?=^## )", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```(?P<kind>sh|text)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
_RULE = re.compile(r"^\|[-|]+\|$")


@dataclass(frozen=True)
class Recipe:
    """One recipe of the page: its commands without the export, and what it says that they print."""

    kind: str
    home: str
    commands: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def _recipes() -> Iterator[Recipe]:
    for found in _RECIPE.finditer(PAGE):
        lines = {
            kind: [
                line
                for block in _BLOCK.finditer(found["text"])
                if block["kind"] == kind
                for line in block["text"].splitlines()
            ]
            for kind in ("sh", "text")
        }
        export, *commands = [shlex.split(line) for line in lines["sh"]]
        assert export[0] == "export"
        assert {command[0] for command in commands} == {"shelfprice"}
        yield Recipe(
            found["kind"].lower(),
            export[1],
            tuple(tuple(command[1:]) for command in commands),
            tuple(lines["text"]),
            tuple(_table_rows(found["text"])),
        )


def _table_rows(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row below a header."""
    is_below_header = False
    for line in text.splitlines():
        if _RULE.match(line):
            is_below_header = True
        elif not line.startswith("|"):
            is_below_header = False
        elif is_below_header:
            yield tuple(cell.strip() for cell in line.strip("|").split("|"))


RECIPES = tuple(_recipes())


def _printed_rows(output: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in output.splitlines() if "│" in line]


def _is_within(row: tuple[str, ...], printed: list[str]) -> bool:
    """Tell whether a line has these cells, in this order, maybe with others between them."""
    rest = iter(printed)
    return all(cell in rest for cell in row)


def _maker() -> ModuleType:
    spec = spec_from_file_location("make_exports", EXPORTS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_guide_has_a_recipe_for_each_kind_in_a_home_of_its_own() -> None:
    assert [recipe.kind for recipe in RECIPES] == ["visits", "receipts", "units"]
    assert len({recipe.home for recipe in RECIPES}) == len(RECIPES)
    assert all(recipe.home.startswith("SHELFPRICE_HOME=") for recipe in RECIPES)
    for recipe in RECIPES:
        assert {command[0] for command in recipe.commands} == {"ingest", "transform"}
        assert len(recipe.rows) >= 2
        assert len(recipe.sentences) >= 2


def test_the_exports_are_those_that_the_script_makes(tmp_path: Path) -> None:
    _maker().make(tmp_path)
    for recipe in RECIPES:
        name = f"{recipe.kind}.csv.gz"
        assert (EXPORTS / name).stat().st_size < 150_000
        pd.testing.assert_frame_equal(pd.read_csv(EXPORTS / name), pd.read_csv(tmp_path / name))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.kind)
def test_a_recipe_gives_what_the_guide_says(
    recipe: Recipe, terminal: Terminal, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)  # where the guide says to run them
    printed = ""
    for command in recipe.commands:
        answer = terminal(*command)
        assert answer.returncode == 0, (command, answer.stderr)
        printed += answer.stderr + answer.stdout
    for sentence in recipe.sentences:
        assert sentence in printed, sentence
    rows = _printed_rows(printed)
    for row in recipe.rows:
        assert any(_is_within(row, own) for own in rows), row
    _holds_what_was_planted(recipe)
    declined = terminal("price")
    assert declined.returncode == 1
    assert "the last regular price of each shelf stands until prices are drawn" in declined.stderr


def _holds_what_was_planted(recipe: Recipe) -> None:
    """Check responses against what the script planted; of visits it planted log odds."""
    planted = getattr(_maker(), recipe.kind.upper())
    found = {row[0]: float(row[-1]) for row in recipe.rows if row[-1] != "-"}
    assert set(found) == {sku for sku, product in planted.items() if product.pricing == "weekly"}
    for sku, response in found.items():
        assert response == pytest.approx(planted[sku].slope, abs=0.4)
