"""What a killed run left or mixed is named, and mended without touching what others are doing."""

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.states import Running
from shell import Answer, Terminal

import warehouse.stores.folder
from catalog.load import CLASSIC, load
from catalog.names import REGISTERED_MODEL
from catalog.settings import read_settings
from etl.batches import Batch, play_batch
from etl.transform import transform
from flows.workspace import prepared
from plugins.operations.checks.proving import verify
from plugins.operations.mlflow_upkeep.interrupted import unended_runs
from serving.book.make import commit_book, make_book
from serving.store.in_force import pricing_on
from training.champion import ChampionChange, record
from training.mlflow.experiments import TRAININGS, client_of
from training.mlflow.registry import MlflowRegistry
from warehouse.commits.locks import held
from warehouse.commits.notes import write_down
from warehouse.commits.record import CommittedPart, pending_names, pending_record_name, record_name
from warehouse.lake import Lake, Partition
from warehouse.receipts import draft_path, pending_path
from warehouse.workspace import Workspace

MONDAY, TUESDAY, WEDNESDAY = (dt.date(2026, 1, day) for day in (5, 6, 7))
BATCH = Batch(TUESDAY, "g000", ("S01",))
DECISIONS = BATCH.partition
LONG_AGO = 1_700_000_000  # seconds since 1970


class Killed(BaseException):
    """Stands for a kill: nothing that comes after happens."""


def play(workspace: Workspace, date: dt.date, seed: int = 7, *, anew: bool = False) -> None:
    priced_by = pricing_on(workspace.lake, workspace.catalog, date, "static")
    play_batch(workspace, Batch(date, "g000", ("S01",)), priced_by, seed, anew=anew)


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one store sold two days, and a third is priced."""
    home = tmp_path_factory.mktemp("sold")
    workspace = prepared(read_settings({"SHELFPRICE_HOME": str(home)}), load(CLASSIC))
    for date in (MONDAY, TUESDAY):
        play(workspace, date)
    transform(workspace)
    commit_book(workspace.lake, make_book(workspace, None, WEDNESDAY))
    return home


@pytest.fixture
def shop(sold: Path, terminal: Terminal) -> Terminal:
    shutil.copytree(sold, terminal.home)
    return Terminal(
        terminal.home, {"PREFECT_API_URL": "", "SHELFPRICE_CATALOG": "classic"}
    )  # runs of other tests are none of its own


@pytest.fixture
def workspace(shop: Terminal) -> Workspace:
    """Its lake as it is: nothing is finished or made by naming it."""
    settings = read_settings({"SHELFPRICE_HOME": str(shop.home)})
    return Workspace(settings, load(CLASSIC), Lake(settings))


def files_of(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def without_locks(files: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out locks, and the record of what was proven, which only saves looks."""
    return {name: own for name, own in files.items() if not name.startswith("locks/") and name != "lake/proven.json"}


def tables_of(workspace: Workspace) -> dict[str, bytes]:
    """Return the bytes of every partition, by its place."""
    root = workspace.lake.root
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.parquet"))}


def found_by(answer: Answer) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(answer.stdout)["found"]
    return found


def mends(shop: Terminal, workspace: Workspace, *said: str) -> list[dict[str, str]]:
    """Look, which names the faults and changes nothing; mend them; and look again, when all is well."""
    before = files_of(shop.home)
    looked = shop("doctor", "--json")
    assert looked.returncode == 1
    assert files_of(shop.home) == before
    text = json.dumps(found_by(looked))
    assert [words for words in said if words not in text] == []
    mended = shop("doctor", "--fix", "--json")
    assert (mended.returncode, [one for one in found_by(mended) if one["remains"]]) == (0, [])
    again = shop("doctor", "--json")
    assert (again.returncode, harm_in(again)) == (0, [])
    assert verify(workspace.lake).findings == ()
    return harm_in(mended)


def harm_in(answer: Answer) -> list[dict[str, str]]:
    """Return what was found wrong, without what is only to be known."""
    return [one for one in found_by(answer) if one["is_harm"]]


def flip(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])


def interrupt(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Play Tuesday again from another seed, and die when so many parts are in force."""
    put, done = warehouse.stores.folder.put_part_in_force, 0

    def dying(root: Path, part: CommittedPart) -> None:
        nonlocal done
        if done == after:
            raise Killed
        done += 1
        put(root, part)

    with monkeypatch.context() as patched:
        patched.setattr(warehouse.stores.folder, "put_part_in_force", dying)
        with pytest.raises(Killed):
            play(workspace, TUESDAY, seed=8)


@pytest.fixture
def undisturbed(workspace: Workspace) -> dict[str, bytes]:
    return tables_of(workspace)


def test_a_sound_home_is_well_and_looking_changes_no_byte(shop: Terminal) -> None:
    before = files_of(shop.home)
    answer = shop("doctor")
    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr.endswith("all is well\n")
    assert files_of(shop.home) == before


def test_a_home_without_a_lake_says_so(terminal: Terminal) -> None:
    answer = terminal("doctor")
    assert answer.returncode == 0
    assert "there is no lake yet" in answer.stderr
    assert not terminal.home.exists()


def test_an_interrupted_commit_is_named_and_finished(
    shop: Terminal, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(workspace, monkeypatch, after=2)
    (done,) = mends(shop, workspace, "the commit batch-2026-01-06-g000 was interrupted")
    assert done["done"] == "put in force"
    receipt = workspace.lake.receipt(DECISIONS)
    assert receipt is not None
    assert receipt.seed == 8


def lose_a_draft(workspace: Workspace) -> None:
    draft_path(workspace.lake.path(DECISIONS)).unlink()


def spoil_a_draft(workspace: Workspace) -> None:
    flip(draft_path(workspace.lake.path(DECISIONS)))


def spoil_the_record(workspace: Workspace) -> None:
    flip(workspace.lake.root / pending_record_name("batch-2026-01-06-g000"))


@pytest.mark.parametrize("spoil", [lose_a_draft, spoil_a_draft, spoil_the_record])
def test_a_commit_that_cannot_be_finished_is_set_aside_and_the_day_it_mixed_is_played_again(
    shop: Terminal,
    workspace: Workspace,
    undisturbed: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Workspace], None],
) -> None:
    interrupt(workspace, monkeypatch, after=2)
    spoil(workspace)
    done = mends(shop, workspace, "was interrupted and cannot be finished")
    assert done[-1]["what"] == "mixed: decisions of 2026-01-06, g000"
    assert pending_names(workspace.lake.notes) == []
    assert tables_of(workspace) == undisturbed
    assert list((shop.home / "set-aside").rglob("*.commit.json"))


def test_a_first_batch_that_cannot_be_finished_is_played_from_its_ledger(
    shop: Terminal, workspace: Workspace, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in ("interactions", "repricings", "belief_updates", "days_in_force", "demand_cells"):
        workspace.lake.remove(Partition(table, TUESDAY, "g000"))
    interrupt(workspace, monkeypatch, after=2)
    spoil_the_record(workspace)
    done = mends(shop, workspace, "its record is damaged")
    assert done[-1]["done"] == "played again, with its demand cells"
    assert tables_of(workspace).keys() == undisturbed.keys()
    receipt = workspace.lake.receipt(DECISIONS)
    assert receipt is not None
    assert receipt.seed == 8


def test_what_was_staged_in_vain_is_removed(shop: Terminal, workspace: Workspace) -> None:
    lake, before = workspace.lake, files_of(shop.home)
    draft_path(lake.path(DECISIONS)).write_bytes(b"half")
    pending_path(lake.path(Partition("demand_cells", TUESDAY, "g000"))).write_text("{half")
    texts = [lake.root / "commits" / "x.commit.json.draft", shop.home / "services.json.draft"]
    for text in texts:
        text.write_text("{")
        os.utime(text, (LONG_AGO, LONG_AGO))
    (shop.home / "warehouse.999999999.new").write_bytes(b"half")
    (shop.home / "scratch").mkdir()
    (shop.home / "scratch" / "rows.arrow").write_bytes(b"half")
    (shop.home / "incoming").mkdir()
    assert len(mends(shop, workspace)) == 7
    assert without_locks(files_of(shop.home)) == without_locks(before)


def test_what_others_are_doing_is_left_alone(
    shop: Terminal, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(workspace, monkeypatch, after=2)
    cells = Partition("demand_cells", MONDAY, "g000")
    draft_path(workspace.lake.path(cells)).write_bytes(b"half")
    (shop.home / "scratch").mkdir()
    before = files_of(shop.home)
    locks = workspace.settings.locks
    with held(locks, "batch-2026-01-06-g000"), held(locks, cells.lock_name), held(locks, "ingest"):
        answer = shop("doctor", "--fix", "--json")
    assert found_by(answer) == []
    assert without_locks(files_of(shop.home)) == without_locks(before)


def spoil_decisions(workspace: Workspace) -> None:
    flip(workspace.lake.path(DECISIONS))


def lose_price_changes(workspace: Workspace) -> None:
    workspace.lake.path(Partition("repricings", TUESDAY, "g000")).unlink()


def mix_in_price_changes(workspace: Workspace) -> None:
    part = Partition("repricings", TUESDAY, "g000")
    workspace.lake.publish(part, workspace.lake.read(part).slice(1), inputs="another run", seed=8)


def mix_without_records(workspace: Workspace) -> None:
    """Mix runs where the records of what was published together are lost."""
    mix_in_price_changes(workspace)
    shutil.rmtree(workspace.lake.root / "commits")


def mix_in_a_ledger_without_records(workspace: Workspace) -> None:
    """Mix in the ledger of another run where the records are lost."""
    part = Partition("days_in_force", TUESDAY, "g000")
    workspace.lake.publish(part, workspace.lake.read(part), inputs="another run", seed=8)
    shutil.rmtree(workspace.lake.root / "commits")


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (spoil_decisions, "damaged"),
        (lose_price_changes, "missing"),
        (mix_in_price_changes, "mixed"),
        (mix_without_records, "mixed"),
        (mix_in_a_ledger_without_records, "mixed"),
    ],
)
def test_a_day_that_is_not_whole_is_played_again_to_its_very_bytes(
    shop: Terminal,
    workspace: Workspace,
    undisturbed: dict[str, bytes],
    spoil: Callable[[Workspace], None],
    kind: str,
) -> None:
    spoil(workspace)
    (done,) = mends(shop, workspace, f"{kind}: decisions of 2026-01-06, g000")
    assert done["done"] == "played again, with its demand cells"
    assert tables_of(workspace) == undisturbed


def test_damaged_demand_cells_are_grouped_again(
    shop: Terminal, workspace: Workspace, undisturbed: dict[str, bytes]
) -> None:
    flip(workspace.lake.path(Partition("demand_cells", MONDAY, "g000")))
    mends(shop, workspace, "damaged: demand cells of 2026-01-05")
    assert tables_of(workspace) == undisturbed


@pytest.mark.parametrize(("table", "done"), [("booked_prices", "made again from"), ("demand_curves", "priced anew by")])
def test_a_damaged_price_book_is_made_again_or_the_day_priced_anew(
    shop: Terminal, workspace: Workspace, undisturbed: dict[str, bytes], table: str, done: str
) -> None:
    flip(workspace.lake.path(Partition(table, WEDNESDAY, "all")))
    (one,) = mends(shop, workspace, "damaged: the price book for 2026-01-07")
    assert one["done"].startswith(done)
    assert tables_of(workspace) == undisturbed


def test_a_damaged_record_is_set_aside_and_its_parts_stand(
    shop: Terminal, workspace: Workspace, undisturbed: dict[str, bytes]
) -> None:
    flip(workspace.lake.root / record_name("batch-2026-01-06-g000"))
    mends(shop, workspace, "damaged: the record batch-2026-01-06-g000.commit.json")
    assert tables_of(workspace) == undisturbed


def test_a_change_of_champion_that_nothing_can_make_again_is_set_aside_and_said_to_who_must_act(
    shop: Terminal, workspace: Workspace
) -> None:
    change = ChampionChange(1, "7", None, "found", "ana", dt.datetime(2026, 1, 6, tzinfo=dt.UTC), "by hand", WEDNESDAY)
    record(workspace.lake, change)
    flip(workspace.lake.path(Partition("champions", None, "000001")))
    answer = shop("doctor", "--fix", "--json")
    assert answer.returncode == 1
    remain = {one["what"]: one["remains"] for one in found_by(answer)}
    assert remain == {
        "damaged: champions 000001": "take it from a backup; without it this change of champion is forgotten",
    }
    assert "1 of 1 remain" in answer.stderr


def test_rows_of_an_export_are_set_aside_and_its_file_is_asked_for(workspace: Workspace, terminal: Terminal) -> None:
    retailers = prepared(read_settings({"SHELFPRICE_HOME": str(terminal.home / "retailer")}), load(CLASSIC))
    exported = Partition("interactions", MONDAY, "export-1")
    with retailers.lake.commit("file-2026-01-05-export-1", inputs="x") as commit:
        commit.publish(exported, workspace.lake.read(DECISIONS))
    flip(retailers.lake.path(exported))
    answer = Terminal(retailers.settings.home, {"PREFECT_API_URL": ""})("doctor", "--fix", "--json")
    assert answer.returncode == 1
    assert {one["what"]: one["remains"] for one in found_by(answer)} == {
        "damaged: rows of an export, 2026-01-05": "ingest its file again"
    }
    (left,) = verify(retailers.lake).findings
    assert (left.kind, left.message) == ("missing", "it is part of file-2026-01-05-export-1: ingest its file again")


def test_a_command_that_was_killed_is_named_and_nothing_is_wrong(shop: Terminal, workspace: Workspace) -> None:
    write_down(workspace.lake.notes, "nightly", TUESDAY)
    write_down(workspace.lake.notes, "live-S01", WEDNESDAY)
    with held(workspace.settings.locks, "live-S01"):
        answer = shop("doctor")
    assert answer.returncode == 0
    assert "nightly did not come to its end, 2026-01-06" in answer.stdout
    assert "`shelfprice nightly` goes on with it" in answer.stdout
    assert "live" not in answer.stdout
    assert "all is well" in answer.stderr


@pytest.fixture
def client(workspace: Workspace) -> MlflowClient:
    client = client_of(workspace.settings)
    client.create_registered_model(REGISTERED_MODEL)
    for _ in range(2):
        client.create_model_version(REGISTERED_MODEL, "nowhere")
    return client


def test_the_registry_follows_the_lake_and_what_a_killed_training_left_there_ends(
    shop: Terminal, workspace: Workspace, client: MlflowClient
) -> None:
    change = ChampionChange(1, "1", None, "found", "ana", dt.datetime(2026, 1, 6, tzinfo=dt.UTC), "by hand", WEDNESDAY)
    record(workspace.lake, change)
    run = client.create_run(client.create_experiment(TRAININGS), run_name="2026-01-06 training")
    with held(workspace.settings.locks, "learning"), held(workspace.settings.locks, "promotion"):
        assert found_by(shop("doctor", "--json")) == []
    told = [one["where"] for one in found_by(shop("doctor", "--json")) if not one["is_harm"]]
    assert told == ["model version 1", "model version 2"]
    done = mends(shop, workspace, "has not followed the change", "process is gone")
    assert [one["done"] for one in done] == ["followed", "ended as killed"]
    assert MlflowRegistry(workspace.settings).state().champion == "1"
    assert client.get_run(run.info.run_id).info.status == "KILLED"
    assert unended_runs(workspace.settings) == []


def test_a_registry_that_is_away_is_one_line_and_the_rest_is_mended(
    shop: Terminal, workspace: Workspace, undisturbed: dict[str, bytes]
) -> None:
    spoil_decisions(workspace)
    away = Terminal(shop.home, {**shop.changes, "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"})
    answer = away("doctor", "--fix", "--json")
    assert answer.returncode == 0
    assert [one["what"] for one in found_by(answer) if not one["is_harm"]] == ["the model registry was not looked at"]
    assert tables_of(workspace) == undisturbed


def test_the_shelf_that_a_day_was_played_on_is_the_one_it_is_played_again_on(
    shop: Terminal, workspace: Workspace, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    spoil_decisions(workspace)
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name in ("products.yaml", "store.yaml"):
        text = (CLASSIC / name).read_text(encoding="utf-8")
        (shelf / name).write_text(text.replace("par_stock: 100", "par_stock: 90"), encoding="utf-8")
    assert shop("doctor", "--fix", "--catalog", str(shelf)).returncode == 0
    place = str(workspace.lake.path(DECISIONS).relative_to(workspace.lake.root))
    assert tables_of(workspace)[place] == undisturbed[place]


@flow(name="killed-night")
def killed_night() -> None:
    """Stand for a flow that is deployed."""


def test_a_run_of_prefect_without_a_process_is_named_and_left_to_who_marks_it(
    shop: Terminal, prefect_server: str
) -> None:
    with get_client(sync_client=True) as client:
        deployment = client.create_deployment(client.create_flow(killed_night), "default")
        run = client.create_flow_run_from_deployment(deployment)
        client.set_flow_run_state(run.id, Running(), force=True)
        answer = Terminal(shop.home)("doctor", "--json")
        (named,) = [one for one in found_by(answer) if one["where"] == f"run {run.name}"]
        assert (answer.returncode, named["is_harm"]) == (0, False)
        assert named["remedy"] == "`shelfprice up` marks it as crashed when it is started"
        client.delete_flow_run(run.id)
