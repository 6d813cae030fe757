"""An API and an inbox that are killed at any moment: every line that was sent is in the lake, and none is there twice.

`KILLS=200 pytest tests/plugins/connect/intake/test_intake_kills.py` tries more moments than the few of every day.
"""

import os
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from forked_work import ForkedWork
from selling_store import NOW, SellingStore, line

from flows.workspace import prepared
from plugins.connect.api.api_tokens import add_token
from plugins.operations.checks.proving import verify

pytestmark = pytest.mark.server

KILLS = int(os.environ.get("KILLS", "4"))  # of each of the two
_WORK = Path(__file__).with_name("taker.py")
_DATES = ("2026-01-18", "2026-01-19", "2026-01-20", "2026-01-21")  # the last one is not over
_LINES = 40  # of a request, and of a file
_LONGEST, _WARM = 0.5, 0.8  # s until a kill, and the share of kills after an answer


class Tills:
    """What is sent: new lines, voids of lines of the request before, and now and then a whole request again."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.sent, self.voided = dice, dict[tuple[str, int], float](), set[tuple[str, int]]()
        self._numbers = iter(range(1_000_000))

    def lines(self) -> list[dict[str, Any]]:
        receipt, found = f"R{next(self._numbers)}", list[dict[str, Any]]()
        for number in range(_LINES):
            date, units = self.dice.choice(_DATES), self.dice.randint(1, 4)
            self.sent[receipt, number] = units
            found.append(line(receipt=receipt, line=number, units=units, sold_at=f"{date}T10:00:00Z"))
        gone = self.dice.randrange(_LINES)
        self.voided.add((receipt, gone))
        void = {"receipt": receipt, "line": gone}
        self.sent[receipt, _LINES] = 0
        own = {"receipt": receipt, "line": _LINES, "voids": void, "units": None, "price": None}
        return [line(**own, sold_at=found[gone]["sold_at"]), *found]


class Sender:
    """Sends requests to the API, each until it is answered, and writes files for the inbox meanwhile."""

    def __init__(self, tills: Tills, url: str, token: str, inbox: Path) -> None:
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self._tills, self._inbox, self.files = tills, inbox, 0
        self._request: list[dict[str, Any]] | None = None

    def step(self) -> bool:
        """Send a request; tell whether it was answered."""
        self._request = self._request or self._tills.lines()
        try:
            answer = self._client.post("/v1/sales", json=self._request)
        except httpx.TransportError:
            time.sleep(0.02)
            return False
        assert answer.status_code == 200, answer.text
        assert answer.json()["refused"] == []
        self._request = None
        return True

    def write(self) -> None:
        self.files += 1
        columns = ["store_id", "receipt", "line", "sku", "sold_at", "units", "price", "voids_receipt", "voids_line"]
        rows = [",".join(columns)]
        for own in self._tills.lines():
            flat = own | {f"voids_{name}": value for name, value in own.pop("voids", {}).items()}
            rows.append(",".join(str(flat.get(name, "")) for name in columns))
        draft = self._inbox / ".draft"
        draft.write_text("\n".join([*rows, ""]), encoding="utf-8")
        name = f"{self.files % 3}.csv"  # names are used again, unless the file is still there
        draft.rename(self._inbox / (f"{self.files}-more.csv" if (self._inbox / name).exists() else name))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "inbox").mkdir()
    store = SellingStore(tmp_path)
    prepared(store.settings, store.catalog)
    return tmp_path


def test_killed_at_random_moments_every_line_arrives_and_none_counts_twice(folder: Path) -> None:
    store, dice = SellingStore.opened(folder), random.Random(os.urandom(8))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = add_token(store.settings, "till", ["sell"], NOW)
    tills = Tills(dice)
    sender = Sender(tills, f"http://127.0.0.1:{port}", token, folder / "inbox")
    works = [ForkedWork(_WORK, folder, what) for what in (port, "inbox")]
    try:
        for work in works:
            work.start()
        for _ in range(KILLS):
            for work in works:
                send_for_a_while(sender, dice)
                work.kill()
                work.start()
        while not sender.step():
            pass
        until = time.monotonic() + 120
        while any((folder / "inbox").glob("*.csv")) or any((folder / "inbox" / "reading").glob("*.csv")):
            assert time.monotonic() < until
            time.sleep(0.1)
        for work in works:
            work.kill()
    finally:
        for work in works:
            work.end()
    assert_nothing_is_lost_or_doubled(folder, tills, sender.files)


def send_for_a_while(sender: Sender, dice: random.Random) -> None:
    sender.write()
    if dice.random() < _WARM:  # on a busy machine, most other kills meet a process that only begins
        while not sender.step():
            pass
    until = time.monotonic() + dice.uniform(0, _LONGEST)
    while time.monotonic() < until:
        sender.step()


def assert_nothing_is_lost_or_doubled(folder: Path, tills: Tills, files: int) -> None:
    store = SellingStore.opened(folder)
    store.lake.finish_interrupted()
    store.make()
    rows = store.receipt_lines()
    assert Counter((row["receipt"], row["line"]) for row in rows) == Counter(list(tills.sent))
    expected: Counter[str] = Counter()
    for row in rows:
        if row["voids_receipt"] is None and (row["receipt"], row["line"]) not in tills.voided:
            expected[f"{row['sold_at']:%Y-%m-%d}"] += int(row["units"])
    over = _DATES[:-1]
    found = {
        f"{part.business_date}": sum(store.lake.read(part)["units"].to_pylist())
        for part in store.lake.partitions("unit_sales")
    }
    assert found == {date: expected[date] for date in over}
    assert len(list((folder / "inbox" / "done").glob("*.csv"))) == files
    assert not verify(store.lake).findings
