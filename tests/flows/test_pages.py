"""What the pages for people name is there: commands with their options, files, and targets of make."""

import re
from pathlib import Path

import pytest
import typer

from catalog.tables.contracts import TABLES
from flows.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"\bshelfprice ([a-z]+(?:-[a-z]+)*)([^\n`|#]*)")
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def named(page: Path) -> list[tuple[str, list[str]]]:
    """Commands in code on a page, with the options that stand behind them."""
    text = page.read_text(encoding="utf-8")
    code = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^(?: {4}|\$ )(.*)$", text, re.MULTILINE)]
    return [(found[1], re.findall(r"(?<=\s)--[a-z-]+", found[2])) for line in code for found in COMMAND.finditer(line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_is_there_with_its_options(page: Path) -> None:
    unknown = [name for name, _ in named(page) if name not in COMMANDS]
    options = {name: {text for one in command.params for text in one.opts} for name, command in COMMANDS.items()}
    odd = [(name, option) for name, said in named(page) for option in said if option not in {*options[name], "--help"}]
    assert unknown == []
    assert odd == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_of_make_that_a_page_names_is_there(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"(?:`|^ {4})make ([a-z]+)", text, re.MULTILINE)
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_and_folder_that_a_page_names_is_there(page: Path) -> None:
    folders = "catalog|dashboard|etl|features|flows|plugins|serving|training|warehouse"
    text = page.read_text(encoding="utf-8")
    named_paths = re.findall(rf"`((?:{folders})/[a-z_/]*(?:\.py)?)`", text)
    dotted = re.findall(rf"`((?:{folders})(?:\.[a-z_]+)+)`", text)
    named_modules = [name.replace(".", "/") for name in dotted if name != "warehouse.duckdb"]
    assert [name for name in [*named_paths, *named_modules] if not is_there(name)] == []


def is_there(name: str) -> bool:
    """Tell whether a folder or module is in the project; a module may have become a package of the same name."""
    path = ROOT / name
    return any(candidate.exists() for candidate in (path, path.with_suffix(".py"), path.with_suffix("")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_column_that_a_page_names_is_in_the_contract_of_its_table(page: Path) -> None:
    said = re.findall(r"`([a-z_]+)\.((?!yaml\b|py\b|sql\b)[a-z_]+)`", page.read_text(encoding="utf-8"))
    columns = {name: {column.name for column in table.columns} for name, table in TABLES.items()}
    assert [f"{table}.{column}" for table, column in said if table in columns and column not in columns[table]] == []
