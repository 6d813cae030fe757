"""Who may do what in the monitor: the local admin, or people whom a reverse proxy names."""

from pathlib import Path

import pytest
from flask import Flask

from catalog.errors import Declined, SettingError
from catalog.settings import Role, Settings, read_settings
from dashboard.access import Person, allowed, person_asking, refusal

ROLES = "anna=manager, ben=admin,*=viewer"


def behind_a_proxy(home: Path, roles: str = ROLES) -> Settings:
    return read_settings(
        {"SHELFPRICE_HOME": str(home), "SHELFPRICE_USER_HEADER": "X-Forwarded-User", "SHELFPRICE_ROLES": roles}
    )


def asking(settings: Settings, **headers: str) -> Person:
    with Flask("monitor").test_request_context("/", headers=headers):
        return person_asking(settings)


def test_without_a_proxy_whoever_opens_the_monitor_is_the_local_admin(settings: Settings) -> None:
    assert asking(settings, **{"X-Forwarded-User": "mallory"}) == Person(settings.user, "admin")


@pytest.mark.parametrize(
    ("named", "role"), [("anna", "manager"), ("ben", "admin"), ("carl", "viewer"), ("", "viewer"), ("*", "viewer")]
)
def test_a_proxy_names_who_asks_and_the_settings_say_their_role(tmp_path: Path, named: str, role: Role) -> None:
    headers = {"X-Forwarded-User": named} if named else {}
    assert asking(behind_a_proxy(tmp_path), **headers) == Person(named or "nobody", role)


def test_a_name_in_any_letters_is_read_as_the_proxy_wrote_it(tmp_path: Path) -> None:
    settings = behind_a_proxy(tmp_path, "Jürgen=manager")
    as_bytes = "Jürgen".encode().decode("latin-1")  # what a server makes of a header's bytes
    assert asking(settings, **{"X-Forwarded-User": as_bytes}) == Person("Jürgen", "manager")
    assert asking(settings, **{"X-Forwarded-User": "Jürgen"}) == Person("Jürgen", "manager")


def test_nobody_is_a_viewer_even_where_everybody_else_is_more(tmp_path: Path) -> None:
    settings = behind_a_proxy(tmp_path, "*=admin")
    assert asking(settings).role == "viewer"
    assert asking(settings, **{"X-Forwarded-User": "carl"}).role == "admin"


@pytest.mark.parametrize(("named", "may"), [("carl", set()), ("anna", {"manager"}), ("ben", {"manager", "admin"})])
def test_each_role_may_do_what_those_below_it_may_and_no_more(tmp_path: Path, named: str, may: set[Role]) -> None:
    settings = behind_a_proxy(tmp_path)
    wanted: tuple[Role, ...] = ("manager", "admin")
    with Flask("monitor").test_request_context("/", headers={"X-Forwarded-User": named}):
        assert {role for role in wanted if refusal(settings, role) is None} == may
        for role in set(wanted) - may:
            with pytest.raises(Declined, match=f"expected a person who is {role}, found {named}"):
                allowed(settings, role)


@pytest.mark.parametrize("roles", ["anna", "anna=boss", "=admin"])
def test_roles_that_cannot_be_read_are_refused_with_what_is_expected(tmp_path: Path, roles: str) -> None:
    with pytest.raises(SettingError, match="SHELFPRICE_ROLES: expected pairs such as anna=manager"):
        behind_a_proxy(tmp_path, roles)
