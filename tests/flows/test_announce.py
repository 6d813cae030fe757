"""The command that tells what is known of dates to come."""

import json
from pathlib import Path

from shell import Terminal


def test_a_file_is_taken_in_and_what_it_said_is_counted(tmp_path: Path) -> None:
    shelfprice, file = Terminal(tmp_path / "home"), tmp_path / "events.csv"
    file.write_text("date,store,event,temperature\n2026-12-24,S01,choir,\n2026-12-24,,market,2.5\n")
    answer = shelfprice("announce", str(file), "--json")
    assert json.loads(answer.stdout) == {"dates": 1, "events": 2, "weather": 1}
    assert "taken in; dates: 1, events: 2, temperatures: 1" in shelfprice("announce", str(file)).stderr


def test_a_file_with_a_wrong_line_is_refused_in_one_line(tmp_path: Path) -> None:
    shelfprice, file = Terminal(tmp_path / "home"), tmp_path / "events.csv"
    file.write_text("date,event\nChristmas,choir\n")
    answer = shelfprice("announce", str(file))
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "line 2: expected a date such as 2026-12-24, found 'Christmas'; nothing was taken in" in answer.stderr
