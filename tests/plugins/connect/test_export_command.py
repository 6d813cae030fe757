"""`shelfprice export` as people use it."""

import json
from itertools import islice
from pathlib import Path

import pytest
from price_shop import Shop
from receiver import receiving
from shell import Terminal

from catalog.load import WatchedCatalog
from plugins.connect.labels.export import follow
from plugins.connect.labels.targets import HttpTarget


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "home")


def test_it_sends_once_and_the_status_says_what_is_not_acknowledged(terminal: Terminal, tmp_path: Path) -> None:
    labels = tmp_path / "labels"
    assert "Nothing was sent yet" in terminal("export", "--status").stdout
    first = json.loads(terminal("export", "--to", str(labels), "--store", "S01", "--format", "json", "--json").stdout)
    assert [own["store"] for own in first["sent"]] == ["S01"]
    assert [file.suffix for file in labels.iterdir()] == [".json"]
    assert "Nothing new to send" in terminal("export", "--to", str(labels), "--store", "S01").stdout
    (own,) = json.loads(terminal("export", "--status", "--json").stdout)["stores"]
    assert (own["store"], own["acknowledged"], own["late"]) == ("S01", 0, 0)
    assert own["sent"] == first["sent"][0]["prices"]
    assert "S01" in terminal("export", "--status").stdout


@pytest.mark.parametrize(
    "typed", [(), ("--to", "x", "--status"), ("--status", "--full"), ("--to", "x", "--full", "--follow"), ("--to", " ")]
)
def test_what_does_not_go_together_is_wrong_usage(terminal: Terminal, typed: tuple[str, ...]) -> None:
    assert terminal("export", *typed).returncode == 2


def test_following_exports_each_tick_and_goes_on_after_the_receiver_was_away(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    player, said = shop.sell(1), list[str]()

    def pause(_seconds: float) -> None:
        """Let the store sell a tick in the meantime."""
        shop.sell(player.next_tick + 1, player)

    with receiving([422]) as receiver:
        target = HttpTarget(receiver.url, pause=lambda _: None)
        following = follow(shop.workspace, WatchedCatalog(shop.folder), target, ["S01"], said.append, pause)
        done = list(islice(following, 2))
    assert len(said) == 1
    assert [batch.number for own in done for batch in own.sent] == sorted(
        batch.number for own in done for batch in own.sent
    )
    assert list(receiver.batches) == [batch.id for own in done for batch in own.sent]
