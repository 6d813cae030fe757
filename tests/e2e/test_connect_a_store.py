"""The page that connects a store, followed line by line: from an empty folder to the euros of the first drawn week.

Every command and every file of the page is used as it is written. The shop is a program of its own that writes CSV,
reads what export wrote, and acknowledges it. Weeks pass in seconds, as the page on rehearsals says.
"""

import datetime as dt
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import corner_shop
import pytest
from corner_shop import OWN
from shell import Answer, Terminal

from catalog.load import Catalog, load
from catalog.settings import read_settings
from etl.calendar import stores_now
from plugins.connect.labels.batch import next_batch
from plugins.connect.labels.export_log import ExportLog
from plugins.connect.labels.wanted import wanted_of
from warehouse.lake import Lake

pytestmark = pytest.mark.server

PAGE = (Path(__file__).parents[2] / "docs" / "connect-a-store.md").read_text(encoding="utf-8")
SHOP = Path(corner_shop.__file__)
MONDAY = dt.date(2026, 1, 19)
DAY, PATIENCE = dt.timedelta(days=1), 240.0  # seconds, on a busy machine
TIME_PASSES = {
    "Sell a week like that": (7, 1, False),
    "After two drawn weeks": (2, 7, True),
    "What it has told so far": (2, 7, True),
}
"""Where the page says that time passes: in how many files sales come, of how many days, and whether nights follow."""
_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"`(shop/\w+\.yaml)`(?!.*`shop/)", re.DOTALL)


@dataclass
class Guide:
    """A reader of the page in an empty folder, and the shop."""

    folder: Path
    changes: dict[str, str]
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    said: dict[str, Answer] = field(default_factory=dict)
    columns: str = ""
    monday: dt.date = MONDAY

    @property
    def terminal(self) -> Terminal:
        return Terminal(self.folder / self.changes.get("SHELFPRICE_HOME", ""), self.changes)

    @property
    def lake(self) -> Lake:
        return Lake(read_settings(self.terminal.environ))

    @property
    def catalog(self) -> Catalog:
        return load(self.folder / "shop")

    def follow(self) -> None:
        """Do all that the page says, in its order; where it says that time passes, let it."""
        end = 0
        for block in _BLOCK.finditer(PAGE):
            prose, end = PAGE[end : block.start()], block.end()
            for phrase, (files, days, has_nights) in TIME_PASSES.items():
                for _ in range(files if phrase in prose else 0):
                    self.pass_days(days)
                    if has_nights:
                        self.type("shelfprice nightly")
            if block["kind"] == "yaml":
                named = _FILE.search(prose)
                assert named, f"a file of the page is named before it: {prose}"
                with (self.folder / named[1]).open("a", encoding="utf-8") as file:
                    rehearsed = "rehearsal: true\n" if block["text"].startswith("sales:") else ""
                    file.write(block["text"] + rehearsed)
            elif block["text"].startswith("cat >"):
                self.columns = block["text"].splitlines()[1]
                self.send_now(block["text"])
            else:
                assert block["kind"] == "sh"
                for line in block["text"].splitlines():
                    self.type(line)

    def type(self, line: str) -> None:
        command, *words = shlex.split(line)
        if command == "export":
            self.changes |= [words[0].split("=")]
        elif command == "mkdir":
            subprocess.run([command, *words], check=True)
        elif "--follow" in words:
            self.running.append(self.terminal.start(*words))
        else:
            assert command == "shelfprice", line
            answer = self.said[line] = self.terminal(*words)
            assert answer.returncode == 0, f"{line}: {answer.stderr}"

    def send_now(self, script: str) -> None:
        """Let a script of the page write a file of this moment, and wait until it is taken in."""
        now = dt.datetime.fromisoformat(Path(self.changes["SHELFPRICE_NOW"]).read_text(encoding="utf-8"))
        clock = f"date() {{ echo {now:%Y-%m-%dT%H:%M:%SZ}; }}\n"
        subprocess.run(["bash", "-ec", clock + script], check=True)
        self.wait_until((self.folder / "inbox" / "done" / "first.csv").exists)

    def at(self, moment: dt.datetime) -> str:
        """Let it be so late, for everything that runs."""
        draft = self.folder / "draft"
        draft.write_text(moment.isoformat(), encoding="utf-8")
        draft.rename(self.changes["SHELFPRICE_NOW"])
        return moment.isoformat()

    def pass_days(self, days: int) -> None:
        """Let the shop show what it was sent, sell so many days, and send their lines in one file the night after."""
        dates = [self.monday + number * DAY for number in range(days)]
        self.deliver(dt.datetime.combine(dates[0], dt.time(3), dt.UTC))
        self.at(dt.datetime.combine(dates[-1] + DAY, dt.time(1), dt.UTC))
        self.shop("sell", ",".join(map(str, dates)), self.columns)
        self.wait_until(lambda: dates[-1] in self.lake.dates("unit_sales"))
        self.monday += days * DAY

    def deliver(self, moment: dt.datetime) -> None:
        """Let tills and labels follow all that is in the folder, until nothing more comes."""
        acks, seen = self.folder / "labels" / "acks", -1
        while True:
            self.wait_until(self.is_delivered)
            if seen == (seen := len(ExportLog(self.lake).history().batches)):
                return
            self.shop("acknowledge", self.at(moment))
            self.wait_until(lambda: not [*acks.glob("*.json"), *(acks / "reading").glob("*.json")])

    def is_delivered(self) -> bool:
        """Tell whether no store needs a batch that is not made, or not in the folder."""
        lake, catalog, history = self.lake, self.catalog, ExportLog(self.lake).history()
        wanted = wanted_of(lake, catalog, stores_now(lake, catalog, catalog.store.stores))
        files = {file.stem.rpartition("-")[2] for file in (self.folder / "labels").glob("*.json")}
        return files == set(history.by_id) and all(
            next_batch(store, prices, history.of(store)) is None for store, prices in wanted.items()
        )

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [row for part in self.lake.partitions(table) for row in self.lake.read(part).to_pylist()]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not condition():
            for own in self.running:
                assert own.poll() is None, own.communicate()[0]
            assert time.monotonic() < until
            time.sleep(0.1)

    def shop(self, what: str, *more: str) -> None:
        command = [sys.executable, str(SHOP), what, str(self.folder), *more]
        subprocess.run(command, check=True, timeout=PATIENCE, cwd=self.folder, env={})


@pytest.fixture
def guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guide]:
    monkeypatch.chdir(tmp_path)
    reader = Guide(tmp_path, {"SHELFPRICE_NOW": str(tmp_path / "now")})
    reader.at(dt.datetime.combine(MONDAY, dt.time(5), dt.UTC))
    yield reader
    for own in reader.running:
        own.send_signal(signal.SIGINT)
        own.communicate(timeout=PATIENCE)


def test_the_page_leads_from_an_empty_folder_to_the_euros_of_the_first_drawn_week(
    guide: Guide, prefect_server: str
) -> None:
    guide.follow()
    known = next(answer.stdout for line, answer in guide.said.items() if "from unit_sales" in line)
    assert all(f"{price}" in known for price in (1.29, 1.35, 2.99, 3.19))
    draws, sold = guide.rows("price_draws"), guide.rows("exposures")
    assert {(row["store_id"], row["sku"]): row["shelf_price"] for row in draws} == OWN
    assert len(draws) == 5 * len(OWN)
    assert all(abs(row["price"] / row["shelf_price"] - 1) <= 0.25 for row in draws)
    assert len({row["price"] / row["shelf_price"] for row in draws}) > 6
    shown = [row for row in sold if row["starts_at"].date() >= MONDAY + 7 * DAY]
    assert len(shown) == 28 * len(OWN)
    assert {row["not_ours"] for row in shown} == {None}, "whatever was charged was ours"
    assert all(row["design"] and row["is_acknowledged"] for row in shown), "and drawn, on label and till"
    (euros, share) = re.findall(r"all stores │ +(\S+) .*?(-?[\d.]+)%", guide.said["shelfprice earned"].stdout)[0]
    assert float(euros) * float(share) > 0, "euros and share of the same sign"
    assert abs(float(share)) < 10, "a week beyond the shelf price and back moves profit by a few percent"
    nights = [answer.stderr + answer.stdout for line, answer in guide.said.items() if line == "shelfprice nightly"]
    assert "more than your own" in nights[-1]
    assert "not yet" in guide.said["shelfprice experiment --outcome 1"].stdout
