"""Each state that is out of order is said, with what mends it; a healthy one is silent."""

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from catalog.errors import CatalogError
from catalog.load import DEFAULT_DIR
from dashboard.data.health import model_behind, notices
from dashboard.data.store_day import Course, DayNow
from dashboard.monitor import CatalogInForce

TODAY = dt.date(2026, 1, 6)


def judged(*promoted: bool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "version": [str(number) for number in range(len(promoted), 0, -1)],
            "promoted": list(promoted),
            "trained_through": [TODAY - dt.timedelta(days=2)] * len(promoted),
            "calibration_error": [0.02] * len(promoted),
        }
    )


@pytest.mark.parametrize(
    ("facts", "title", "command"),
    [
        ({"models": judged()}, "No model yet", "shelfprice pipeline"),
        ({"models": judged(False, False)}, "No champion yet", "shelfprice train"),
        ({"books": [TODAY - dt.timedelta(days=1)]}, "Prices are stale", f"shelfprice price --for {TODAY}"),
        ({"books": []}, "Prices are stale", "shelfprice price"),
        ({"kill_switch": True}, "The kill switch is on", "kill_switch: false"),
    ],
)
def test_a_state_out_of_order_is_said_with_what_mends_it(facts: dict[str, Any], title: str, command: str) -> None:
    healthy: dict[str, Any] = {"models": judged(True), "books": [TODAY], "shown": TODAY, "kill_switch": False}
    assert notices(**healthy) == []
    (found,) = notices(**(healthy | facts))
    assert found.title == title
    assert command in str(found.command)


def test_a_catalog_that_cannot_be_used_is_said_in_its_own_words() -> None:
    (found,) = notices(judged(True), [TODAY], TODAY, kill_switch=False, catalog_error="store.yaml: x is 3")
    assert found.text == "store.yaml: x is 3"


def test_the_model_behind_a_day_has_the_age_it_had_that_day() -> None:
    now = DayNow(0, 0.0, 0, 0.0, "2", (), Course(pd.DataFrame(), pd.DataFrame()))
    model = model_behind(judged(True, True), now, TODAY)
    assert model is not None
    assert (model.version, model.age_days, model.promoted) == ("2", 2, True)
    assert model_behind(judged(True), now, TODAY) is None
    assert model_behind(judged(True), None, TODAY) is None


def test_a_kill_switch_is_seen_at_once_and_a_broken_file_leaves_the_catalog_in_force(tmp_path: Path) -> None:
    for name in ("products.yaml", "store.yaml"):
        shutil.copy(DEFAULT_DIR / name, tmp_path / name)
    followed, file = CatalogInForce(tmp_path), tmp_path / "store.yaml"
    before = followed.read()
    assert followed.read() is before
    file.write_text(file.read_text().replace("kill_switch: false", "kill_switch: true"))
    assert followed.read().store.guardrails.kill_switch
    file.write_text("stores: 3\n")
    assert followed.read().store.guardrails.kill_switch
    assert "store.yaml" in str(followed.error)
    shutil.copy(DEFAULT_DIR / "store.yaml", file)
    assert not followed.read().store.guardrails.kill_switch
    assert followed.error is None


def test_without_any_catalog_the_first_reading_fails(tmp_path: Path) -> None:
    with pytest.raises(CatalogError):
        CatalogInForce(tmp_path).read()
