"""Rollback and promotion, with a real registry: who is champion, whose prices stand, and what a kill leaves."""

import datetime as dt
import json
import multiprocessing
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from mlflow.tracking import MlflowClient
from shell import Terminal

import warehouse.stores.folder
from catalog.arrays import Floats
from catalog.errors import DataError, Declined, ModelError
from catalog.load import CLASSIC, load
from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from etl.open_days import LiveDay
from features.prior_forests import NO_PRIOR
from flows.runs import registry_of
from flows.workspace import open_workspace
from plugins.evaluation.truth import chance_of_sale
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from plugins.operations.checks.proving import verify
from serving.book.make import publish_book
from serving.book.store import book_in_force
from serving.store.in_force import pricing_on
from tests.support.believing import first_belief
from training.champion import (
    ChampionChange,
    Done,
    Judged,
    catch_up,
    finish,
    history,
    promote,
    record,
    rollback,
    settle,
    unfinished,
)
from training.judge.conditions import Condition
from training.judge.gate import Verdict
from training.mlflow.registry import MlflowRegistry
from warehouse.commits.locks import held
from warehouse.commits.record import CommittedPart
from warehouse.files import sha256_of
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

pytestmark = pytest.mark.play

SECOND, THIRD = dt.date(2026, 1, 6), dt.date(2026, 1, 7)
OLD, NEW, REFUSED, UNJUDGED = "7", "8", "6", "5"
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PASSED = Verdict((Condition("earns more", met=True, found="gain +1 EUR"),))
FAILED = Verdict((Condition("earns more", met=False, found="gain -1 EUR"),))


class Killed(BaseException):
    """Stands for a kill: nothing that comes after happens."""


def killed(*_: Any, **__: Any) -> None:
    raise Killed


class Model:
    """A double of a registered model that asks for dearer prices than the truth would."""

    learned_from = None
    trained_through = None
    prior = NO_PRIOR

    def __init__(self, version: str) -> None:
        self.version = version

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        return chance_of_sale(load(CLASSIC), rows["price_ratio"].to_numpy() * 0.9)


@pytest.fixture(scope="module")
def two_champions(tmp_path_factory: pytest.TempPathFactory, sell_two_days: Callable[[Path], Settings]) -> Path:
    """A home where version 7 priced the second day, and 8 took its place and has a book for the third."""
    home = tmp_path_factory.mktemp("champions")
    settings = sell_two_days(home)
    lake, catalog = Lake(settings), load(CLASSIC)
    client = MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)
    client.create_registered_model(REGISTERED_MODEL)
    for _ in range(8):
        client.create_model_version(REGISTERED_MODEL, "nowhere")
    workspace, registry = Workspace(settings, catalog, lake), MlflowRegistry(settings)
    settle(workspace, registry, judged(OLD, PASSED, None, SECOND - dt.timedelta(days=1)))
    settle(workspace, registry, judged(NEW, PASSED, OLD, SECOND))
    settle(workspace, registry, judged(REFUSED, FAILED, NEW, SECOND))
    found = book_in_force(lake)
    assert found is not None
    curves = found[1]
    other = type(curves)(curves.skus, curves.prices, curves.p_sale * 0.8, NEW, curves.observed)
    publish_book(
        lake,
        catalog,
        other,
        0.5 + 0 * catalog.base_prices[:, None].repeat(48, axis=1),
        THIRD,
        first_belief(catalog, NEW),
    )
    return home


def judged(version: str, verdict: Verdict, against: str | None, through: dt.date) -> Judged:
    """Return a version as the gate left it."""
    reasons = json.dumps([{"condition": "is calibrated", "met": False, "found": "off by 9 %"}])
    row = dict.fromkeys(TABLES["model_versions"].schema.names, "{}") | {
        "version": version,
        "trained_since": None,
        "trained_through": SECOND,
        "judged_through": SECOND,
        "promoted": verdict.promoted,
        "reasons": reasons,
        "decided_at": LONG_AGO,
    }
    return Judged(
        version, verdict, against, through, pa.Table.from_pylist([row], schema=TABLES["model_versions"].schema), "x"
    )


@pytest.fixture
def workspace(two_champions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    home = tmp_path / "home"
    shutil.copytree(two_champions, home)
    monkeypatch.setenv("SHELFPRICE_HOME", str(home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home / 'mlflow' / 'mlflow.db'}")
    monkeypatch.setenv("SHELFPRICE_USER", "ana")
    monkeypatch.setattr(MlflowRegistry, "load", lambda _self, version: Model(version))
    return open_workspace(None)


def go_back(workspace: Workspace, to: str | None = None) -> ChampionChange:
    return rollback(workspace, registry_of(workspace), "milk is too dear", to, dt.datetime.now(dt.UTC)).change


def go_back_because(reason: str) -> Done:
    """Roll back where the environment points now."""
    workspace = open_workspace(None)
    return rollback(workspace, registry_of(workspace), reason, None, dt.datetime.now(dt.UTC))


def book_of(workspace: Workspace, date: dt.date) -> str:
    return sha256_of(workspace.lake.path(Partition("booked_prices", date, "all")))


def version_on(workspace: Workspace, date: dt.date) -> str | None:
    return pricing_on(workspace.lake, workspace.catalog, date, None).policy.model_version


def state_of(workspace: Workspace) -> tuple[Any, ...]:
    """Return all that a change of champion decides, the time it was decided left out."""
    facts = [(c.change, c.version, c.previous, c.action, c.reason, c.prices_from) for c in history(workspace.lake)]
    return facts, registry_of(workspace).state(), book_of(workspace, THIRD), version_on(workspace, THIRD)


def test_a_rollback_brings_the_champion_before_and_a_book_from_its_model(workspace: Workspace) -> None:
    assert version_on(workspace, THIRD) == NEW
    change = go_back(workspace)
    assert (change.version, change.previous, change.action, change.decided_by) == (OLD, NEW, "rolled_back", "ana")
    assert (change.reason, change.prices_from) == ("milk is too dear", THIRD)
    assert version_on(workspace, THIRD) == OLD
    assert (registry_of(workspace).state().champion, registry_of(workspace).state().change) == (OLD, 3)
    client = MlflowClient(workspace.settings.tracking_uri, registry_uri=workspace.settings.tracking_uri)
    assert client.get_model_version(REGISTERED_MODEL, NEW).tags["rolled_back"] == "milk is too dear"
    assert verify(workspace.lake).findings == ()


def test_there_is_nothing_before_the_first_champion(workspace: Workspace) -> None:
    go_back(workspace)
    with pytest.raises(Declined, match="no earlier champion to go back to"):
        go_back_because("bread is too dear")


@pytest.mark.parametrize(
    ("to", "said"), [(NEW, "is the champion already"), (REFUSED, "never was champion"), ("99", "never was champion")]
)
def test_a_rollback_goes_only_to_an_earlier_champion(workspace: Workspace, to: str, said: str) -> None:
    before = state_of(workspace)
    with pytest.raises(Declined, match=said):
        go_back(workspace, to)
    assert state_of(workspace) == before


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 1001])
def test_a_rollback_wants_a_reason(workspace: Workspace, reason: str) -> None:
    with pytest.raises(DataError, match="expected a reason of 1 to 1000 characters"):
        rollback(workspace, registry_of(workspace), reason, None, dt.datetime.now(dt.UTC))


DEATHS = [
    "between the curves and the book",
    "warehouse.commits.commit.make_final",
    "training.champion.finish",
    "training.mlflow.registry.MlflowRegistry.follow",
    "mlflow.tracking.MlflowClient.set_registered_model_tag",
]


def dying_in(dying: pytest.MonkeyPatch, place: str) -> None:
    """Let whoever changes the champion be killed at a place."""
    if not place.startswith("between"):
        dying.setattr(place, killed)
        return
    put_in_force = warehouse.stores.folder.put_part_in_force

    def until_the_book(root: Path, part: CommittedPart) -> None:
        return killed() if part.partition.table == "booked_prices" else put_in_force(root, part)

    dying.setattr(warehouse.stores.folder, "put_part_in_force", until_the_book)


@pytest.mark.parametrize("dies_in", DEATHS)
@pytest.mark.parametrize("next_is", ["another command", "the same command", "the same command of another person"])
def test_whatever_a_kill_leaves_of_a_rollback_is_finished_once_by_whoever_comes_next(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, dies_in: str, next_is: str
) -> None:
    with monkeypatch.context() as dying:
        dying_in(dying, dies_in)
        with pytest.raises(Killed):
            go_back(workspace)
    if next_is == "another command":
        workspace = open_workspace(None)
        assert unfinished(registry_of(workspace), workspace.lake) is not None
        catch_up(workspace, registry_of(workspace), THIRD)
    else:
        if next_is.endswith("person"):
            monkeypatch.setenv("SHELFPRICE_USER", "ben")
        assert go_back_because("milk is too dear").is_repeated
    mended = state_of(workspace)
    assert mended[0][-1] == (3, OLD, NEW, "rolled_back", "milk is too dear", THIRD)
    assert (mended[1], mended[3]) == (type(mended[1])(OLD, 3), OLD)
    assert verify(workspace.lake).findings == ()
    catch_up(workspace, registry_of(workspace), THIRD)
    assert state_of(workspace) == mended


@pytest.mark.parametrize("dies_in", DEATHS)
def test_a_promotion_that_was_killed_and_is_asked_for_again_is_made_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    def ask() -> Done:
        now = dt.datetime.now(dt.UTC)
        return promote(open_workspace(None), registry_of(workspace), REFUSED, "agreed", now, force=True)

    with monkeypatch.context() as dying:
        dying_in(dying, dies_in)
        with pytest.raises(Killed):
            ask()
    done = ask()
    assert done.is_repeated
    assert (done.change.version, done.change.previous) == (REFUSED, NEW)
    assert [change.version for change in history(workspace.lake)] == [OLD, NEW, REFUSED]
    assert registry_of(workspace).state() == type(registry_of(workspace).state())(REFUSED, 3)
    assert verify(workspace.lake).findings == ()


def test_a_rollback_for_another_reason_goes_back_further_and_the_same_one_again_does_not(workspace: Workspace) -> None:
    third = ChampionChange(3, REFUSED, NEW, "promoted_by_hand", "ana", LONG_AGO, "agreed", THIRD)
    record(workspace.lake, third)
    finish(registry_of(workspace), third)
    for _ in range(3):
        assert go_back_because("bread is too dear").change.version == NEW
    assert go_back_because("milk is too dear").change.version == OLD
    assert [change.version for change in history(workspace.lake)] == [OLD, NEW, REFUSED, NEW, OLD]


def test_a_champion_that_was_named_in_the_registry_itself_is_found_and_recorded(workspace: Workspace) -> None:
    client = MlflowClient(workspace.settings.tracking_uri, registry_uri=workspace.settings.tracking_uri)
    client.set_registered_model_alias(REGISTERED_MODEL, "champion", UNJUDGED)
    catch_up(workspace, registry_of(workspace), THIRD)
    found = history(workspace.lake)[-1]
    assert (found.version, found.previous, found.action, found.decided_by) == (UNJUDGED, NEW, "found", "unknown")
    assert registry_of(workspace).state().change == found.change


def test_a_rollback_without_a_registry_changes_nothing_and_says_so_at_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state_of(workspace)
    with monkeypatch.context() as away:
        away.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        begun = time.monotonic()
        with pytest.raises(ModelError, match="does not answer"):
            go_back_because("the registry is away")
        assert time.monotonic() - begun < 10
    assert state_of(workspace) == before


def _go_back_in_a_process(asked_at: dt.datetime, gate: Any, answers: Any) -> None:
    gate.wait()
    try:
        rollback(open_workspace(None), MlflowRegistry(read_settings()), "both at once", None, asked_at)
    except Declined as declined:
        answers.put(str(declined))
    else:
        answers.put("done")


def test_of_two_rollbacks_at_once_one_wins_and_the_other_is_told_in_one_line(workspace: Workspace) -> None:
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
    assert any(
        "the champion is being changed or asked for prices by process" in answer or "just now" in answer
        for answer in said
    )
    assert [c.version for c in history(workspace.lake)] == [OLD, NEW, OLD]


def test_who_asked_before_the_champion_changed_is_declined(workspace: Workspace) -> None:
    asked_at = dt.datetime.now(dt.UTC)
    go_back(workspace)
    with pytest.raises(Declined, match="ana changed the champion to version 7 just now"):
        promote(workspace, registry_of(workspace), UNJUDGED, "late", asked_at, force=True)


def test_a_clock_that_was_set_back_closes_no_way(workspace: Workspace) -> None:
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    record(workspace.lake, ChampionChange(3, "4", NEW, "promoted_by_hand", "ana", ahead, "the clock ran ahead", THIRD))
    finish(registry_of(workspace), history(workspace.lake)[-1])
    assert go_back(workspace).version == NEW


def test_a_challenger_that_was_judged_while_the_champion_was_rolled_back_is_not_promoted(workspace: Workspace) -> None:
    go_back(workspace)
    with pytest.raises(Declined, match="judged against champion 8, but the champion is now 7"):
        settle(workspace, registry_of(workspace), judged(REFUSED, PASSED, NEW, SECOND))
    with (
        held(workspace.settings.locks, "promotion"),
        pytest.raises(Declined, match="the champion is being changed or asked for prices by process"),
    ):
        settle(workspace, registry_of(workspace), judged(REFUSED, PASSED, OLD, SECOND))
    assert registry_of(workspace).state().champion == OLD


def test_a_rollback_replaces_every_book_of_days_to_come(workspace: Workspace) -> None:
    later = THIRD + dt.timedelta(days=3)
    found = book_in_force(workspace.lake, THIRD)
    assert found is not None
    visits = 0 * found[0].of().prices[:, 0, :] + 1.0
    publish_book(workspace.lake, workspace.catalog, found[1], visits, later, found.belief)
    go_back(workspace)
    assert version_on(workspace, later) == OLD


def test_a_store_that_is_selling_sells_from_the_book_gone_back_to_at_its_next_tick(workspace: Workspace) -> None:
    day = LiveDay("S01", THIRD)
    player = Player(workspace.lake, LivePrices(workspace.lake, lambda: workspace.catalog, day, 7), day, 7)
    player.sell_tick()
    assert go_back(workspace).prices_from == THIRD
    player.sell_tick()
    sold = workspace.lake.read(day.part("live_interactions")).to_pandas()
    assert sold.groupby("tick")["model_version"].first().astype(str).to_dict() == {0: NEW, 1: OLD}


def test_under_the_kill_switch_base_prices_stand_and_a_rollback_is_possible_but_no_new_prices_are_made(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "catalog"
    folder.mkdir()
    shutil.copy(CLASSIC / "products.yaml", folder)
    text = (CLASSIC / "store.yaml").read_text(encoding="utf-8")
    (folder / "store.yaml").write_text(text.replace("kill_switch: false", "kill_switch: true"), encoding="utf-8")
    off = open_workspace(str(folder))
    with pytest.raises(Declined, match="kill_switch is on"):
        promote(off, registry_of(off), OLD, None, dt.datetime.now(dt.UTC), force=True)
    assert go_back(off).version == OLD
    assert version_on(off, THIRD) is None
    assert version_on(workspace, THIRD) == OLD


def test_a_version_the_gate_refused_wants_force_and_what_spoke_against_it_is_recorded(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = dt.datetime.now(dt.UTC)
    with pytest.raises(Declined, match="refused version 6, not met: is calibrated: off by 9 %; nothing was promoted"):
        promote(workspace, registry_of(workspace), REFUSED, "a test", now, force=False)
    done = promote(workspace, registry_of(workspace), REFUSED, "a test", now, force=True)
    assert done.change.reason == "a test (forced: the gate refused version 6, not met: is calibrated: off by 9 %)"
    assert (done.change.action, done.change.prices_from) == ("promoted_by_hand", THIRD)
    assert version_on(workspace, THIRD) == REFUSED
    assert registry_of(workspace).state().champion == REFUSED


@pytest.mark.parametrize(
    ("version", "said"),
    [(NEW, "is the champion already"), (UNJUDGED, "the gate never judged version 5"), (OLD, "was rolled back by ana")],
)
def test_what_speaks_against_a_promotion_is_said(workspace: Workspace, version: str, said: str) -> None:
    if version == OLD:
        go_back(workspace)
        record(workspace.lake, ChampionChange(4, NEW, OLD, "rolled_back", "ana", LONG_AGO, "and forth", THIRD))
        finish(registry_of(workspace), history(workspace.lake)[-1])
    before = state_of(workspace)
    with pytest.raises(Declined, match=said):
        promote(workspace, registry_of(workspace), version, None, dt.datetime.now(dt.UTC), force=version == UNJUDGED)
    assert state_of(workspace) == before


@pytest.mark.parametrize("harm", ["missing", "damaged", "another shelf"])
def test_a_version_that_cannot_price_the_shelf_changes_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    def load_or_not(_registry: MlflowRegistry, _version: str) -> Any:
        if harm == "missing":
            return None
        raise ModelError("model version 6 cannot be read")

    if harm == "another shelf":
        monkeypatch.setattr(Model, "p_sale", killed_by("expects the feature 'sku_TEA'"))
    else:
        monkeypatch.setattr(MlflowRegistry, "load", load_or_not)
    before = state_of(workspace)
    with pytest.raises((DataError, ModelError)):
        promote(workspace, registry_of(workspace), REFUSED, None, dt.datetime.now(dt.UTC), force=True)
    assert state_of(workspace) == before


def killed_by(message: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise ModelError(message)

    return refuse


def test_the_commands_report_one_json_object(workspace: Workspace) -> None:
    terminal = Terminal(workspace.settings.home)
    go_back(workspace)
    refused = terminal("champions", "rollback", "--reason", "bread is too dear", "--json")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    newest, *_ = changes = json.loads(terminal("champions", "--json").stdout)["champions"]
    assert [change["version"] for change in changes] == [OLD, NEW, OLD]
    assert newest["decided_by"] == "ana"
    assert changes[-1]["revenue_eur"] > 0
    assert changes[-1]["count_store_days"] == 3
    assert read_settings().user == "ana"
