"""Settings: what the environment says, read once, and nothing else."""

import os
from pathlib import Path

import pytest

from catalog.addresses import Address
from catalog.errors import SettingError
from catalog.settings import Settings, read_settings


def test_everything_generated_lives_under_one_home(tmp_path: Path) -> None:
    places = read_settings({"SHELFPRICE_HOME": str(tmp_path)})
    assert places.home == tmp_path.resolve()
    found = [places.lake, places.warehouse_file, places.locks.folder, places.artifacts, places.prefect_home]
    assert all(place.is_relative_to(places.home) for place in found)
    assert str(places.home) in places.tracking_uri


@pytest.mark.parametrize("odd", ["a?b", "a*b", "a[b]", "a{b}", "a%41b", "a\\b", "a,b", "a\nb", "a\x7fb", "x" * 401])
def test_a_home_that_a_library_would_read_otherwise_is_refused_with_the_remedy(tmp_path: Path, odd: str) -> None:
    with pytest.raises(SettingError, match=r"SHELFPRICE_HOME: expected a path .*; nothing was done: name a") as told:
        read_settings({"SHELFPRICE_HOME": str(tmp_path / odd)})
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "usual", ["a b", "a#b", "a'b", 'a"b', "a;b", "a:b", "aé日", "a$b", "a&b", "-a", "~a", "x" * 200]
)
def test_a_home_with_any_other_name_is_taken(tmp_path: Path, usual: str) -> None:
    assert read_settings({"SHELFPRICE_HOME": str(tmp_path / usual)}).home.name == usual


def test_a_home_that_is_no_text_or_leads_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for odd in (os.fsdecode(b"/tmp/a\xffb"), str(tmp_path / "circle"), str(tmp_path / "circle" / "below")):
        with pytest.raises(SettingError, match="that leads somewhere"):
            read_settings({"SHELFPRICE_HOME": odd})


def test_without_an_environment_home_is_the_folder_data_here() -> None:
    assert read_settings({}).home == Path("data").resolve()
    assert read_settings({"MLFLOW_TRACKING_URI": "http://x"}).tracking_uri == "http://x"


def test_decisions_are_recorded_under_the_name_that_is_set_or_that_of_the_systems_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read_settings({"SHELFPRICE_USER": "ana"}).user == "ana"
    monkeypatch.setattr("getpass.getuser", lambda: "ben")
    assert read_settings({}).user == "ben"

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert read_settings({}).user.startswith("user ")


def test_a_mapping_alone_decides_whatever_the_process_has_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without = read_settings({"SHELFPRICE_USER": "ana"})
    monkeypatch.setenv("SHELFPRICE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USER", "ben")
    assert read_settings({"SHELFPRICE_USER": "ana"}) == without
    assert read_settings().home == tmp_path.resolve()


def test_a_file_of_variables_in_the_working_directory_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("SHELFPRICE_USER=ana\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert read_settings({"USER": "ben"}).user != "ana"


def test_an_empty_variable_counts_as_not_set() -> None:
    empty = {str(field.validation_alias): "" for field in Settings.model_fields.values()}
    assert read_settings(empty) == read_settings({})


def test_services_listen_on_this_machine_unless_a_variable_says_otherwise() -> None:
    settings = read_settings({"SHELFPRICE_PREFECT_ADDRESS": "[::1]:4300"})
    assert settings.prefect == Address("[::1]", 4300, "SHELFPRICE_PREFECT_ADDRESS")
    assert settings.prefect_api == "http://[::1]:4300/api"
    assert settings.mlflow == Address("127.0.0.1", 5000, "SHELFPRICE_MLFLOW_ADDRESS")
    assert settings.monitor == Address("127.0.0.1", 8050, "SHELFPRICE_MONITOR_ADDRESS")
    assert read_settings({"PREFECT_API_URL": "http://x/api"}).prefect_api == "http://x/api"


@pytest.mark.parametrize("address", ["127.0.0.1", ":5000", "127.0.0.1:", "127.0.0.1:0", "x:65536", "x:-1", "x:http"])
def test_an_address_that_is_no_host_and_port_is_refused_by_the_name_of_its_variable(address: str) -> None:
    with pytest.raises(SettingError) as refusal:
        read_settings({"SHELFPRICE_MLFLOW_ADDRESS": address})
    assert str(refusal.value) == (
        f"SHELFPRICE_MLFLOW_ADDRESS: expected a host and a port such as 127.0.0.1:5000, found {address!r}"
    )


def test_a_lake_has_one_name_however_it_is_written() -> None:
    assert read_settings({"SHELFPRICE_LAKE": "s3://bucket/lake/"}).lake_address == "s3://bucket/lake"


@pytest.mark.parametrize(
    "text",
    [
        "file:///data",
        "s3://Bucket/lake",
        "s3:bucket",
        "s3://bucket/a b",
        "s3://bucket/a%20b",
        "s3://b/x/../y",
        "delta:/x",
    ],
)
def test_a_lake_that_is_in_no_bucket_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"SHELFPRICE_LAKE: expected s3://bucket/prefix; a bucket"):
        read_settings({"SHELFPRICE_LAKE": text})


def test_host_names_of_the_monitor_are_separated_by_commas() -> None:
    assert read_settings({}).monitor_hosts == ()
    assert read_settings({"SHELFPRICE_MONITOR_HOSTS": " a.example, ,b.example"}).monitor_hosts == (
        "a.example",
        "b.example",
    )


def test_a_password_is_known_and_never_shown() -> None:
    settings = read_settings(
        {"SHELFPRICE_MONITOR_PASSWORD": "open-sesame", "PREFECT_SERVER_API_AUTH_STRING": "ana:open-sesame"}
    )
    assert settings.monitor_password is not None
    assert settings.monitor_password.get_secret_value() == "open-sesame"
    assert "open-sesame" not in f"{settings!r} {settings} {settings.model_dump_json()}"
