"""The way back, with a real registry and no server: who is champion, whose prices stand, and what a kill leaves."""

import datetime as dt
import json
import multiprocessing
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from catalog.arrays import Floats
from catalog.errors import DataError, Declined, ModelError
from catalog.load import DEFAULT_DIR, load
from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings, read_settings
from catalog.tables.models import MODEL_VERSIONS
from etl.live.day import LiveDay
from etl.live.player import Player
from flows.cli import way_back
from flows.edge import Surroundings
from flows.simulate import pricing_on
from serving.book_store import book_in_force, publish_book
from serving.live_prices import PriceDesk
from simulation.truth import chance_of_sale
from training.conditions import Condition
from training.gate import Verdict
from training.mlflow.registry import standing
from training.promotion import change as champions
from training.promotion.change import catch_up, promote, rollback
from training.promotion.history import Change, adopt, finish, history, record, settle, unfinished
from warehouse.files import sha256_of
from warehouse.lake import Lake, Partition
from warehouse.locks import held
from warehouse.verify import verify

SECOND, THIRD = dt.date(2026, 1, 6), dt.date(2026, 1, 7)
OLD, NEW, REFUSED, UNJUDGED = "7", "8", "6", "5"
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PASSED = Verdict((Condition("earns more", met=True, found="gain +1 EUR"),))


class Killed(BaseException):
    """Stands for a kill: nothing that comes after happens."""


def killed(*_: Any, **__: Any) -> None:
    raise Killed


class Model:
    """A double of a registered model that asks for dearer prices than the truth would."""

    version = REFUSED
    learned_from = None

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        return chance_of_sale(load(), rows["price_ratio"].to_numpy() * 0.9)


@pytest.fixture(scope="module")
def two_champions(tmp_path_factory: pytest.TempPathFactory, sell_two_days: Callable[[Path], Settings]) -> Path:
    """A home where version 7 priced the second day, and 8 took its place and has a book for the third."""
    home = tmp_path_factory.mktemp("way_back")
    settings = sell_two_days(home)
    lake, catalog = Lake(settings), load()
    client = MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)
    client.create_registered_model(REGISTERED_MODEL)
    for _ in range(8):
        client.create_model_version(REGISTERED_MODEL, "nowhere")
    reasons = json.dumps([{"condition": "is calibrated", "met": False, "found": "off by 9 %"}])
    for version in (OLD, NEW, REFUSED):
        row = dict.fromkeys(MODEL_VERSIONS.schema.names, "{}") | {
            "version": version,
            "trained_since": None,
            "trained_through": SECOND,
            "judged_through": SECOND,
            "promoted": version != REFUSED,
            "reasons": reasons,
            "decided_at": LONG_AGO,
        }
        publish_rows(lake, "model_versions", f"v{version}", row)
    settle(settings, OLD, PASSED, None, SECOND - dt.timedelta(days=1))
    settle(settings, NEW, PASSED, OLD, SECOND)
    found = book_in_force(lake)
    assert found is not None
    curves = found[1]
    other = type(curves)(curves.skus, curves.prices, curves.p_sale * 0.8, NEW, curves.observed)
    publish_book(lake, catalog, other, 0.5 + 0 * catalog.base_prices[:, None].repeat(48, axis=1), THIRD)
    return home


def publish_rows(lake: Lake, table: str, group: str, row: dict[str, Any]) -> None:
    import pyarrow as pa

    lake.publish(Partition(table, None, group), pa.Table.from_pylist([row], schema=MODEL_VERSIONS.schema), inputs="x")


@pytest.fixture
def around(two_champions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    home = tmp_path / "home"
    shutil.copytree(two_champions, home)
    monkeypatch.setenv("SHELFPRICE_HOME", str(home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home / 'mlflow' / 'mlflow.db'}")
    monkeypatch.setenv("SHELFPRICE_USER", "ana")
    return Surroundings(None)


def go_back(around: Surroundings, to: str | None = None) -> Change:
    return rollback(around, "milk is too dear", to, dt.datetime.now(dt.UTC)).change


def book_of(around: Surroundings, date: dt.date) -> str:
    return sha256_of(around.lake.path(Partition("price_book", date, "all")))


def version_on(around: Surroundings, date: dt.date) -> str | None:
    return pricing_on(around.lake, around.catalog, date, None).policy.model_version


def state_of(around: Surroundings) -> tuple[Any, ...]:
    """Return all that a change of champion decides, the time it was decided left out."""
    facts = [(c.change, c.version, c.previous, c.action, c.reason, c.prices_from) for c in history(around.lake)]
    return facts, standing(around.settings), book_of(around, THIRD), version_on(around, THIRD)


def test_a_rollback_brings_the_champion_before_and_the_very_bytes_of_its_book(around: Surroundings) -> None:
    assert version_on(around, THIRD) == NEW
    change = go_back(around)
    assert (change.version, change.previous, change.action, change.decided_by) == (OLD, NEW, "rolled_back", "ana")
    assert (change.reason, change.prices_from) == ("milk is too dear", THIRD)
    assert version_on(around, THIRD) == OLD
    assert book_of(around, THIRD) == book_of(around, SECOND)
    assert (standing(around.settings).champion, standing(around.settings).change) == (OLD, 3)
    client = MlflowClient(around.settings.tracking_uri, registry_uri=around.settings.tracking_uri)
    assert client.get_model_version(REGISTERED_MODEL, NEW).tags["rolled_back"] == "milk is too dear"
    assert verify(around.lake).findings == ()


def test_there_is_nothing_before_the_first_champion(around: Surroundings) -> None:
    go_back(around)
    with pytest.raises(Declined, match="first champion: there is none to go back to"):
        go_back(around)


@pytest.mark.parametrize(
    ("to", "said"), [(NEW, "is the champion already"), (REFUSED, "never was champion"), ("99", "never was champion")]
)
def test_a_rollback_goes_only_to_an_earlier_champion(around: Surroundings, to: str, said: str) -> None:
    before = state_of(around)
    with pytest.raises(Declined, match=said):
        go_back(around, to)
    assert state_of(around) == before


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 1001])
def test_a_rollback_wants_a_reason(around: Surroundings, reason: str) -> None:
    with pytest.raises(DataError, match="expected a reason of 1 to 1000 characters"):
        rollback(around, reason, None, dt.datetime.now(dt.UTC))


@pytest.mark.parametrize(
    "dies_in",
    [
        "training.promotion.change.restore_book",
        "between the curves and the book",
        "training.promotion.change.finish",
        "training.promotion.history.follow",
        "mlflow.tracking.MlflowClient.set_registered_model_tag",
    ],
)
def test_whatever_a_kill_leaves_of_a_rollback_is_finished_by_whoever_comes_next(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    with monkeypatch.context() as dying:
        if dies_in.startswith("between"):
            publish = Lake.publish

            def until_the_book(self: Lake, part: Partition, *args: Any, **kwargs: Any) -> Any:
                return killed() if part.table == "price_book" else publish(self, part, *args, **kwargs)

            dying.setattr(Lake, "publish", until_the_book)
        else:
            dying.setattr(dies_in, killed)
        with pytest.raises(Killed):
            go_back(around)
    assert unfinished(around.settings, around.lake) is not None
    catch_up(around, THIRD)
    mended = state_of(around)
    assert mended[0][-1] == (3, OLD, NEW, "rolled_back", "milk is too dear", THIRD)
    assert mended[1:] == (type(mended[1])(OLD, 3), book_of(around, SECOND), OLD)
    assert verify(around.lake).findings == ()
    catch_up(around, THIRD)
    assert state_of(around) == mended


def test_a_kill_before_anything_is_written_changes_nothing(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state_of(around)
    with monkeypatch.context() as dying:
        dying.setattr(champions, "record", killed)
        with pytest.raises(Killed):
            go_back(around)
    catch_up(around, THIRD)
    assert state_of(around) == before


def test_a_champion_that_was_named_in_the_registry_itself_is_found_and_recorded(around: Surroundings) -> None:
    client = MlflowClient(around.settings.tracking_uri, registry_uri=around.settings.tracking_uri)
    client.set_registered_model_alias(REGISTERED_MODEL, "champion", UNJUDGED)
    catch_up(around, THIRD)
    found = history(around.lake)[-1]
    assert (found.version, found.previous, found.action, found.decided_by) == (UNJUDGED, NEW, "found", "unknown")
    assert standing(around.settings).change == found.change


def test_an_older_lake_whose_champion_nobody_recorded_can_be_gone_on_with(around: Surroundings) -> None:
    for partition in list(around.lake.partitions("champions")):
        around.lake.remove(partition)
    adopt(around.settings, around.lake, THIRD)
    assert [(c.version, c.action) for c in history(around.lake)] == [(NEW, "found")]


def test_a_rollback_needs_no_registry_and_the_registry_follows_later(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = around.settings.home
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    begun = time.monotonic()
    done = rollback(Surroundings(None), "the registry is away", None, dt.datetime.now(dt.UTC))
    assert time.monotonic() - begun < 10
    assert done.registry_is_behind is not None
    assert "does not answer" in done.registry_is_behind
    assert version_on(around, THIRD) == OLD
    assert standing(around.settings).champion == NEW
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home / 'mlflow' / 'mlflow.db'}")
    catch_up(around, THIRD)
    assert standing(around.settings).champion == OLD


def _go_back_in_a_process(asked_at: dt.datetime, gate: Any, answers: Any) -> None:
    gate.wait()
    try:
        rollback(Surroundings(None), "both at once", None, asked_at)
    except Declined as declined:
        answers.put(str(declined))
    else:
        answers.put("done")


def test_of_two_rollbacks_at_once_one_wins_and_the_other_is_told_in_one_line(around: Surroundings) -> None:
    fork = multiprocessing.get_context("fork")
    gate, answers = fork.Barrier(2), fork.Queue()
    asked_at = dt.datetime.now(dt.UTC)
    pair = [fork.Process(target=_go_back_in_a_process, args=(asked_at, gate, answers)) for _ in range(2)]
    for process in pair:
        process.start()
    said = sorted(answers.get(timeout=60) for _ in pair)
    for process in pair:
        process.join(timeout=60)
    assert said[-1].count("\n") == 0
    assert "done" in said
    assert len([answer for answer in said if answer == "done"]) == 1
    assert any("is being written by process" in answer or "just now" in answer for answer in said)
    assert [c.version for c in history(around.lake)] == [OLD, NEW, OLD]


def test_who_asked_before_the_champion_changed_is_declined(around: Surroundings) -> None:
    asked_at = dt.datetime.now(dt.UTC)
    go_back(around)
    with pytest.raises(Declined, match="ana changed the champion to version 7 just now"):
        promote(around, UNJUDGED, "late", asked_at, force=True)


def test_a_clock_that_was_set_back_closes_no_way(around: Surroundings) -> None:
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    record(around.lake, Change(3, "4", NEW, "promoted_by_hand", "ana", ahead, "the clock ran ahead", THIRD))
    finish(around.settings, history(around.lake)[-1])
    assert go_back(around).version == NEW


def test_a_day_that_was_sold_before_a_killed_rollback_is_finished_keeps_its_book(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(champions, "restore_book", killed)
        with pytest.raises(Killed):
            go_back(around)
    sold_from = book_of(around, THIRD)
    around.lake.publish(
        Partition("interactions", THIRD, "all"),
        around.lake.read(Partition("interactions", SECOND, "all")).slice(0, 0),
        inputs="sold",
    )
    catch_up(around, THIRD + dt.timedelta(days=1))
    assert book_of(around, THIRD) == sold_from
    assert version_on(around, THIRD + dt.timedelta(days=1)) == OLD


def test_a_challenger_that_was_judged_while_the_champion_was_rolled_back_is_not_promoted(around: Surroundings) -> None:
    go_back(around)
    with pytest.raises(Declined, match="judged against champion 8, but the champion is now 7"):
        settle(around.settings, REFUSED, PASSED, NEW, SECOND)
    with held(around.settings.locks, "promotion"), pytest.raises(Declined, match="is being written by process"):
        settle(around.settings, REFUSED, PASSED, OLD, SECOND)
    assert standing(around.settings).champion == OLD


def test_a_rollback_replaces_every_book_of_days_to_come_and_keeps_what_it_replaced(around: Surroundings) -> None:
    replaced = book_of(around, THIRD)
    later = THIRD + dt.timedelta(days=3)
    found = book_in_force(around.lake, THIRD)
    assert found is not None
    publish_book(around.lake, around.catalog, found[1], 0 * found[0].prices[:, 0, :] + 1.0, later)
    go_back(around)
    assert version_on(around, later) == OLD
    kept = [around.lake.receipt(partition) for partition in around.lake.partitions("replaced_price_book")]
    assert replaced in {receipt.sha256 for receipt in kept if receipt}


def test_a_store_that_is_selling_sells_from_the_book_gone_back_to_at_its_next_tick(around: Surroundings) -> None:
    day = LiveDay("S01", THIRD)
    player = Player(around.lake, PriceDesk(around.lake, None, day, 7), day, 7)
    player.sell_tick()
    assert go_back(around).prices_from == THIRD
    player.sell_tick()
    sold = around.lake.read(day.part("live_interactions")).to_pandas()
    assert sold.groupby("tick")["model_version"].first().astype(str).to_dict() == {0: NEW, 1: OLD}


def test_under_the_kill_switch_base_prices_stand_and_the_way_back_is_open_but_no_new_prices_are_made(
    around: Surroundings, tmp_path: Path
) -> None:
    folder = tmp_path / "catalog"
    folder.mkdir()
    shutil.copy(DEFAULT_DIR / "products.yaml", folder)
    text = (DEFAULT_DIR / "store.yaml").read_text(encoding="utf-8")
    (folder / "store.yaml").write_text(text.replace("kill_switch: false", "kill_switch: true"), encoding="utf-8")
    off = Surroundings(str(folder))
    with pytest.raises(Declined, match="kill_switch is on"):
        promote(off, OLD, None, dt.datetime.now(dt.UTC), force=True)
    assert go_back(off).version == OLD
    assert version_on(off, THIRD) is None
    assert version_on(around, THIRD) == OLD


def test_a_version_the_gate_refused_wants_force_and_what_spoke_against_it_is_recorded(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "load_champion", lambda _settings, _version: Model())
    now = dt.datetime.now(dt.UTC)
    with pytest.raises(Declined, match="the gate refused version 6: is calibrated: off by 9 %; nothing was promoted"):
        promote(around, REFUSED, "a test", now, force=False)
    done = promote(around, REFUSED, "a test", now, force=True)
    assert done.change.reason == "a test (forced: the gate refused version 6: is calibrated: off by 9 %)"
    assert (done.change.action, done.change.prices_from) == ("promoted_by_hand", THIRD)
    assert version_on(around, THIRD) == REFUSED
    assert standing(around.settings).champion == REFUSED


@pytest.mark.parametrize(
    ("version", "said"),
    [(NEW, "is the champion already"), (UNJUDGED, "the gate never judged version 5"), (OLD, "was rolled back by ana")],
)
def test_what_speaks_against_a_promotion_is_said(around: Surroundings, version: str, said: str) -> None:
    if version == OLD:
        go_back(around)
        record(around.lake, Change(4, NEW, OLD, "rolled_back", "ana", LONG_AGO, "and forth", THIRD))
        finish(around.settings, history(around.lake)[-1])
    before = state_of(around)
    with pytest.raises(Declined, match=said):
        promote(around, version, None, dt.datetime.now(dt.UTC), force=version == UNJUDGED)
    assert state_of(around) == before


@pytest.mark.parametrize("harm", ["missing", "damaged", "another shelf"])
def test_a_version_that_cannot_price_the_shelf_changes_nothing(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    def load_or_not(_settings: Settings, _version: str) -> Any:
        if harm == "missing":
            return None
        raise ModelError("model version 6 cannot be read")

    if harm == "another shelf":
        monkeypatch.setattr(champions, "load_champion", lambda _settings, _version: Model())
        monkeypatch.setattr(Model, "p_sale", killed_by("expects the feature 'sku_TEA'"))
    else:
        monkeypatch.setattr(champions, "load_champion", load_or_not)
    before = state_of(around)
    with pytest.raises((DataError, ModelError)):
        promote(around, REFUSED, None, dt.datetime.now(dt.UTC), force=True)
    assert state_of(around) == before


def killed_by(message: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise ModelError(message)

    return refuse


def test_the_commands_report_one_json_object(around: Surroundings, capsys: pytest.CaptureFixture[str]) -> None:
    way_back.rollback("milk is too dear", None, None, True)
    done = json.loads(capsys.readouterr().out)
    assert (done["version"], done["book_made_for"], done["registry_is_behind"]) == (OLD, str(SECOND), None)
    way_back.champions(True)
    newest, *_ = changes = json.loads(capsys.readouterr().out)
    assert [change["version"] for change in changes] == [OLD, NEW, OLD]
    assert newest["decided_by"] == "ana"
    assert changes[-1]["revenue_eur"] > 0
    assert changes[-1]["count_store_days"] == 3
    assert read_settings().user == "ana"
