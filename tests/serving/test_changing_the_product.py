"""The worked example of CONTRIBUTING.md is true: a new guardrail takes four files, and shows wherever limits show."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = {
    "catalog/decisions/rules.py",
    "catalog/records/guardrails.py",
    "docs/configuration.md",
    "serving/limits/limits.py",
}
LOOK = """
import sys
from pathlib import Path

import yaml
from price_shop import Shop

from plugins.operations.configuration import configuration
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.reader import Reader
from etl.calendar import DEFAULT_START
from features.cells import ALL_VIEWS
from serving.quote import PriceQuestion
from serving.quote import QuoteDesk
from warehouse.query.connection import build_file


def limited(folder):
    store = yaml.safe_load((folder / "store.yaml").read_text(encoding="utf-8"))
    store["guardrails"]["largest_markdown"] = 0.01
    store["exploration"] = {"before_champion": 0, "budget": 0}
    store["belief"]["visits_per_unit"] = 1.0  # so few that the best price is below the base price
    (folder / "store.yaml").write_text(yaml.safe_dump(store), encoding="utf-8")


shop = Shop(Path(sys.argv[1]), changed=limited)
shop.publish(DEFAULT_START)
lowest = {own.sku: 0.99 * own.base_price for own in shop.catalog.products}
desk = QuoteDesk(shop.lake, shop.catalog)
answers = {sku: desk.answer(PriceQuestion(sku, 100), "S01") for sku in lowest}
bound = {sku for sku, answer in answers.items() if answer.binding_rule == "largest_markdown"}
assert bound, "no price was held"
assert all(answer.price >= lowest[sku] - 1e-9 for sku, answer in answers.items())
assert all("the farthest it may go below the base price" in answers[sku].reason for sku in bound)
assert all(answers[sku].clamps[-1]["rule"] == "largest_markdown" for sku in bound)

build_file(shop.settings, ALL_VIEWS)
shop.sell(1, date=DEFAULT_START)
trail = {row["sku"]: row for row in shop.rows(DEFAULT_START).repricings.to_pylist()}
held = {sku for sku, row in trail.items() if any(one["rule"] == "largest_markdown" for one in row["clamps"] or ())}
assert held, "the trail has no such limit"

rows = PriceDesk(shop.settings, Reader(shop.settings), lambda: shop.catalog).sheet().rows
assert {row.sku for row in rows if row.limit == "the farthest it may go below the base price"} & bound

assert Path("docs/configuration.md").read_text(encoding="utf-8") == configuration()
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What git keeps of the project, in a folder of its own, with what numba has compiled of it."""
    folder = tmp_path / "copy"
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in kept:
        if not name.startswith(("tests/", "docs/screenshots/")) and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for compiled in (
        file
        for parent in {file.parent for file in folder.rglob("*.py")}
        for file in (ROOT / parent.relative_to(folder) / "__pycache__").glob("*.nb[ic]")
    ):
        (folder / compiled.relative_to(ROOT)).parent.mkdir(exist_ok=True)
        shutil.copy2(compiled, folder / compiled.relative_to(ROOT))
    return folder


def test_a_new_guardrail_takes_four_files_and_shows_in_quote_trail_desk_and_docs(copy: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [change] = re.findall(r"```diff\n(.*?)```", text, re.DOTALL)
    assert set(re.findall(r"^\+\+\+ (\S+)", change, re.MULTILINE)) == FILES
    subprocess.run(["git", "apply", "-p0", "-"], cwd=copy, input=change, text=True, check=True)
    own = {"PYTHONPATH": os.pathsep.join([str(copy), str(ROOT / "tests" / "support")])}
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(copy / "shop")],
        cwd=copy,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
