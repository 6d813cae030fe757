"""Secrets are made once, handed over through files, and fit together."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from catalog.errors import SettingError
from plugins.operations.deploy.make_secrets import make_secrets
from plugins.operations.deploy.with_secrets import with_secrets

NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


def test_what_is_there_stays(tmp_path: Path) -> None:
    assert make_secrets(tmp_path, NOW)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert make_secrets(tmp_path, NOW + dt.timedelta(days=100)) == []
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_password_that_is_removed_is_made_anew_with_every_address_that_holds_it(tmp_path: Path) -> None:
    make_secrets(tmp_path, NOW)
    (tmp_path / "locks-password").unlink()
    written = make_secrets(tmp_path, NOW)
    assert set(written) == {"locks-password", "database-url"}
    assert (tmp_path / "locks-password").read_text() in (tmp_path / "database-url").read_text()


def test_certificates_are_made_anew_together(tmp_path: Path) -> None:
    make_secrets(tmp_path, NOW)
    (tmp_path / "dask-key.pem").unlink()
    assert set(make_secrets(tmp_path, NOW)) == {"dask-ca.pem", "dask-cert.pem", "dask-key.pem"}


def test_no_two_folders_share_a_secret_and_others_cannot_look_into_them(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_secrets(tmp_path / name, NOW)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700
    same = [
        file.name
        for file in (tmp_path / "one").iterdir()
        if file.read_text() == (tmp_path / "two" / file.name).read_text()
    ]
    assert same == ["login-user"]


def test_the_certificate_is_signed_by_the_authority_and_names_the_scheduler(tmp_path: Path) -> None:
    make_secrets(tmp_path, NOW)
    authority, own = (
        x509.load_pem_x509_certificate((tmp_path / name).read_bytes()) for name in ("dask-ca.pem", "dask-cert.pem")
    )
    own.verify_directly_issued_by(authority)
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "scheduler" in names.get_values_for_type(x509.DNSName)
    assert own.not_valid_before_utc < NOW < own.not_valid_after_utc


def test_the_object_store_is_told_the_users_that_its_clients_are(tmp_path: Path) -> None:
    make_secrets(tmp_path, NOW)
    identities = json.loads((tmp_path / "s3-users.json").read_text())["identities"]
    for identity in identities:
        part = "" if identity["name"] == "lake" else f"{identity['name']}-"
        key, secret = ((tmp_path / f"s3-{part}{name}").read_text() for name in ("key", "secret"))
        assert identity["credentials"] == [{"accessKey": key, "secretKey": secret}]
    assert [one["name"] for one in identities if "Admin" in one["actions"]] == ["admin"]


def test_a_command_finds_what_the_file_holds_and_not_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://a:b@c/d\n")
    code = "import os; print(os.environ['SHELFPRICE_DATABASE'], os.environ.get('SHELFPRICE_DATABASE_FILE'))"
    done = subprocess.run(
        [sys.executable, "-m", "plugins.operations.deploy.with_secrets", sys.executable, "-c", code],
        env={**os.environ, "SHELFPRICE_DATABASE_FILE": str(tmp_path / "url")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "postgresql://a:b@c/d None\n"


def test_a_variable_that_means_a_file_itself_is_left_alone() -> None:
    own = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "POSTGRES_PASSWORD_FILE": "/password", "SHELFPRICE_HOME": "/data"}
    assert with_secrets(own) == own


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"AWS_ACCESS_KEY_ID_FILE": "{folder}/missing"}, "AWS_ACCESS_KEY_ID_FILE: expected a file, .*missing"),
        ({"AWS_ACCESS_KEY_ID_FILE": "{folder}/empty"}, "found an empty file"),
        ({"AWS_ACCESS_KEY_ID_FILE": "{folder}/key", "AWS_ACCESS_KEY_ID": "x"}, "found both"),
    ],
)
def test_a_secret_that_cannot_be_told_is_refused(environ: dict[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "key").write_text("secret")
    with pytest.raises(SettingError, match=said):
        with_secrets({name: text.replace("{folder}", str(tmp_path)) for name, text in environ.items()})
