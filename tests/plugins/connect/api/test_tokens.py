"""Tokens are printed once, and only their hashes are kept, for their owner alone."""

import datetime as dt
import hashlib
import json
import os
import stat
from pathlib import Path

import pytest
from shell import Terminal

from catalog.settings import Settings, read_settings
from plugins.connect.api.api_tokens import TokenBook, add_token, known_tokens, remove_token, tokens_file


def test_a_token_is_printed_once_and_its_hash_is_kept_for_the_owner_alone(terminal: Terminal) -> None:
    answer = terminal("token", "add", "boss", "--scope", "approve", "--scope", "propose")
    assert answer.returncode == 0, answer.stderr
    text = answer.stdout.strip()
    file = tokens_file(read_settings(terminal.environ))
    assert file == terminal.home / "api" / "tokens"
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    kept = file.read_text(encoding="utf-8")
    assert text not in kept
    assert json.loads(kept)[0]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert len(text) >= 43 + len("shelfprice_")
    assert "shown once" in answer.stderr
    assert not list(Path(file.parent).glob("*.draft"))


def test_tokens_are_listed_without_their_text_and_removed_by_name(terminal: Terminal) -> None:
    texts = [terminal("token", "add", name, "--json").stdout for name in ("till-2", "till-1")]
    listed = terminal("token", "list")
    assert [name for name in ("till-1", "till-2") if name in listed.stdout] == ["till-1", "till-2"]
    assert json.loads(texts[0])["token"] not in listed.stdout
    assert [one["name"] for one in json.loads(terminal("token", "list", "--json").stdout)["tokens"]] == [
        "till-1",
        "till-2",
    ]
    assert terminal("token", "remove", "till-1").returncode == 0
    assert [one.name for one in known_tokens(read_settings(terminal.environ))] == ["till-2"]


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("add", "boss"), 1, "expected the name of a new token, found boss"),
        (("add", "../boss"), 1, "expected a name of letters"),
        (("remove", "nobody"), 1, "of which there are boss, found 'nobody'"),
        (("add",), 2, "expected NAME [--scope ...] [--store ...] after add"),
        (("list", "boss"), 2, "expected no name after list"),
        (("remove", "boss", "--scope", "read"), 2, "expected NAME alone after remove"),
        (("add", "x", "--scope", "all"), 2, "--scope: expected a list of `"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_changed(
    terminal: Terminal, typed: tuple[str, ...], code: int, said: str
) -> None:
    terminal("token", "add", "boss")
    before = tokens_file(read_settings(terminal.environ)).read_bytes()
    answer = terminal("token", *typed)
    assert answer.returncode == code
    assert said in answer.stderr
    assert tokens_file(read_settings(terminal.environ)).read_bytes() == before


def test_a_token_that_is_bound_to_stores_is_listed_with_them(terminal: Terminal) -> None:
    terminal("token", "add", "till-1", "--scope", "sell", "--store", "S02", "--store", "S01")
    terminal("token", "add", "boss")
    listed = json.loads(terminal("token", "list", "--json").stdout)["tokens"]
    assert [(one["name"], one["stores"]) for one in listed] == [("boss", None), ("till-1", ["S01", "S02"])]
    assert all(text in terminal("token", "list").stdout for text in ("S01, S02", "every store"))


def test_a_token_that_is_removed_within_a_tick_of_the_clock_opens_nothing_more(settings: Settings) -> None:
    now = dt.datetime.now(dt.UTC)
    texts = [add_token(settings, name, ["read"], now) for name in ("till-1", "till-2")]
    book, file = TokenBook(settings), tokens_file(settings)
    assert all(book.find(text) for text in texts)
    written = file.stat().st_mtime_ns
    remove_token(settings, "till-1")
    os.utime(file, ns=(written, written))
    assert [book.find(text) is not None for text in texts] == [False, True]
