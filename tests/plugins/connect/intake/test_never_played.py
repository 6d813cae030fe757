"""A store that sells by itself is never played, and its lake takes nothing of the twin."""

from pathlib import Path

import pytest
from selling_store import DATE, SellingStore, line
from shell import Terminal

from catalog.errors import Declined
from flows.workspace import open_workspace
from serving.store.play import close_day
from warehouse.origin import origin_of, refuse_other_side

REFUSAL = (
    "declined: expected a catalog whose stores the twin plays, found `sales: outside` in store.yaml; nothing was "
    "played, for these stores sell by themselves: send their sales to `shelfprice serve` or `shelfprice take-in`, or "
    "name another catalog with --catalog\n"
)


@pytest.fixture
def store(tmp_path: Path) -> SellingStore:
    return SellingStore(tmp_path)


@pytest.mark.parametrize("command", ["simulate", "live", "demo", "pipeline"])
def test_what_plays_refuses_it_in_one_sentence(terminal: Terminal, store: SellingStore, command: str) -> None:
    answer = terminal(command, "--catalog", str(store.folder))
    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", REFUSAL)
    assert not list(store.lake.partitions("interactions"))


def test_flows_refuse_it_before_anything_is_touched(
    store: SellingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFPRICE_HOME", str(tmp_path / "another"))
    with pytest.raises(Declined, match="nothing was played"):
        open_workspace(str(store.folder), for_the_twin=True)
    assert not (tmp_path / "another" / "lake").exists()


def test_the_night_of_its_date_plays_nothing(store: SellingStore) -> None:
    assert close_day(store.workspace, DATE, 7) == 0
    assert not list(store.lake.partitions("interactions"))


def test_its_first_line_makes_the_lake_one_that_the_twin_may_not_write_to(store: SellingStore) -> None:
    store.take(line())
    assert origin_of(store.lake.store) == "retailer"
    with pytest.raises(Declined, match="nothing was played"):
        refuse_other_side(store.lake.store, "twin")
