"""Where a browser is looked for, and what happens where there is none."""

from pathlib import Path

import pytest

from plugins.evaluation.bench.browser import NoBrowserError, find_browser, get_browser, require_browser

ROOT = Path(__file__).parents[4]


def program(path: Path, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_one_that_is_named_is_taken_before_any_other_and_nothing_replaces_it(tmp_path: Path) -> None:
    named, other = program(tmp_path / "own" / "browser"), program(tmp_path / "bin" / "chromium")
    on_path = {"PATH": str(other.parent)}
    assert find_browser({**on_path, "SHELFPRICE_BROWSER": str(named)}) == named
    assert find_browser({**on_path, "SHELFPRICE_BROWSER": "/nowhere"}) is None
    assert find_browser({**on_path, "SHELFPRICE_BROWSER": str(tmp_path)}) is None


@pytest.mark.parametrize("name", ["chromium", "google-chrome", "microsoft-edge"])
def test_chromium_chrome_and_edge_are_found_on_the_path_and_in_usual_places(tmp_path: Path, name: str) -> None:
    found = program(tmp_path / name)
    assert find_browser({"PATH": str(tmp_path)}, ()) == found
    assert find_browser({"PATH": "/nowhere"}, ("/nowhere/browser", str(found))) == found
    assert find_browser({"PATH": "/nowhere"}, ()) is None


@pytest.mark.parametrize("folder", ["chrome-linux", "chrome-linux64"])
def test_the_newest_that_playwright_installed_is_found(tmp_path: Path, folder: str) -> None:
    for revision in (1200, 1255):
        newest = program(tmp_path / ".cache" / "ms-playwright" / f"chromium-{revision}" / folder / "chrome")
    assert find_browser({"PATH": "/nowhere", "HOME": str(tmp_path)}, ()) == newest
    elsewhere = {"PATH": "/nowhere", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / ".cache" / "ms-playwright")}
    assert find_browser(elsewhere, ()) == newest


def test_ways_to_get_one_are_tried_in_order_until_one_brings_a_browser_that_starts(tmp_path: Path) -> None:
    target = tmp_path / "browser"
    broken, sound = program(tmp_path / "broken", 1), program(tmp_path / "sound")
    ways = [["false"], ["cp", str(broken), str(target)], ["cp", str(sound), str(target)], ["touch", f"{target}-late"]]
    assert get_browser(lambda: target if target.exists() else None, ways) == target
    assert not (tmp_path / "browser-late").exists()
    assert target.read_text(encoding="utf-8") == sound.read_text(encoding="utf-8")


def test_where_nothing_helps_there_is_none_and_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert get_browser(lambda: None, [["false"], ["/nowhere/command"]]) is None
    assert "trying `false`" in capsys.readouterr().err
    monkeypatch.setenv("SHELFPRICE_BROWSER", "/nowhere")
    assert get_browser() is None
    assert capsys.readouterr().err == ""
    with pytest.raises(NoBrowserError, match="found none: install Chromium, Chrome or Edge"):
        require_browser()
