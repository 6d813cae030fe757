"""Locks that all machines see, as far as no PostgreSQL is needed; `tests/plugins/operations/cluster/test_postgres.py`
has the rest."""

import socket
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from catalog.errors import ServiceError, SettingError
from catalog.settings import LockPlace, read_settings
from plugins.operations.machines.advisory_locks import number_of
from plugins.operations.machines.postgresql import refusal, where
from warehouse.commits.locks import held, is_held, is_of_one_machine, waited_for

HIDDEN = "s3cr%2Ft"
ADDRESS = f"postgresql://ana:{HIDDEN}@db.example:5432/shelfprice?sslmode=verify-full"


@pytest.fixture
def away(tmp_path: Path) -> LockPlace:
    """Locks in a database at a port that is closed."""
    pytest.importorskip("psycopg")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    return LockPlace(tmp_path, "s3://bucket/lake", SecretStr(f"postgresql://ana:{HIDDEN}@127.0.0.1:{port}/shelfprice"))


def test_a_lock_has_the_same_number_on_every_machine_and_in_every_version(tmp_path: Path) -> None:
    one, other = LockPlace(tmp_path / "a", "s3://bucket/lake"), LockPlace(tmp_path / "b", "s3://bucket/lake")
    assert number_of(one, "night") == number_of(other, "night") == 9089966600572576067


def test_locks_of_other_names_or_other_lakes_have_other_numbers(tmp_path: Path) -> None:
    about = [LockPlace(tmp_path, about) for about in ("s3://bucket/lake", "s3://bucket/lake2", "s3://bucket/l")]
    numbers = {number_of(place, name) for place in about for name in ("night", "e2\nnight", "learning")}
    assert len(numbers) == 9
    assert all(-(2**63) <= number < 2**63 for number in numbers)


def test_machines_with_one_lake_lock_the_same_and_those_with_lakes_of_their_own_do_not(tmp_path: Path) -> None:
    one, other = ({"SHELFPRICE_HOME": str(tmp_path / name)} for name in ("a", "b"))
    shared = {"SHELFPRICE_LAKE": "s3://bucket/lake", "SHELFPRICE_DATABASE": ADDRESS}
    assert read_settings(one | shared).locks.about == read_settings(other | shared).locks.about
    assert read_settings(one).locks.about != read_settings(other).locks.about


@pytest.mark.parametrize("lock", ["up", "worker", "standard-input", "tracking", "run-0b3c"])
def test_a_lock_about_this_machines_own_processes_needs_no_database(away: LockPlace, lock: str) -> None:
    assert is_of_one_machine(lock)
    with held(away, lock):
        assert is_held(away, lock)


@pytest.mark.parametrize("lock", ["night", "learning", "promotion", "live-S01", "ingest", "origin", "upper", "runs"])
def test_any_other_lock_is_one_that_all_machines_see(away: LockPlace, lock: str) -> None:
    assert not is_of_one_machine(lock)
    for take in (held, waited_for):
        with pytest.raises(ServiceError, match=r"^PostgreSQL at 127.0.0.1:\d+/shelfprice .*refused"), take(away, lock):
            pytest.fail("nobody holds a lock that no other machine can see")


def test_while_the_database_is_away_readers_go_by_the_locks_of_this_machine(
    away: LockPlace, caplog: pytest.LogCaptureFixture
) -> None:
    assert not is_held(away, "night")
    assert not is_held(away, "night")
    assert len([record for record in caplog.records if "is not known" in record.message]) == 1
    with held(LockPlace(away.folder), "night"):
        assert is_held(away, "night")


def test_without_the_driver_whoever_sets_a_database_is_told_what_to_install(
    away: LockPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingError, match="make install-cluster"), held(away, "night"):
        pytest.fail("there is no driver")


def test_no_message_shows_a_password() -> None:
    database = SecretStr(ADDRESS)
    assert where(database) == "db.example:5432/shelfprice"
    for said in (f"bad {ADDRESS}", f"no {HIDDEN} here", "expected s3cr/t"):
        told = refusal(database, ValueError(f"{said}\nand more"))
        assert HIDDEN not in told
        assert "s3cr/t" not in told
        assert "db.example:5432/shelfprice" in told
        assert "\n" not in told


@pytest.mark.parametrize("mistaken", [f"mysql:ana:{HIDDEN}@x/y", f"postgresql://ana:p/{HIDDEN}@x", HIDDEN])
def test_an_address_that_cannot_be_used_is_not_shown(mistaken: str) -> None:
    with pytest.raises(
        SettingError, match=r"^SHELFPRICE_DATABASE: expected postgresql://.*found another text$"
    ) as told:
        read_settings({"SHELFPRICE_DATABASE": mistaken})
    assert HIDDEN not in str(told.value)


def test_with_a_database_clients_reach_the_registry_through_its_server(tmp_path: Path) -> None:
    own = {"SHELFPRICE_HOME": str(tmp_path), "SHELFPRICE_DATABASE": ADDRESS, "SHELFPRICE_MLFLOW_ADDRESS": "ml:5001"}
    assert read_settings(own).tracking_uri == "http://ml:5001"
    assert read_settings(own | {"MLFLOW_TRACKING_URI": "https://proxy"}).tracking_uri == "https://proxy"
