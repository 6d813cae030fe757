"""What compose.yaml names is there, and nothing but the proxy can be reached from outside."""

import datetime as dt
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from container_environment import KNOWN, speaks_to_its_object_store

from plugins.operations.deploy import make_secrets

DEPLOY = Path(make_secrets.__file__).parents[3] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"secrets", "bucket", "backup"}  # they end
MOUNTED = re.compile(r"/run/secrets/([\w.-]+)")
ADDRESS = re.compile(r"(?:http|https|tcp|tls)://([\w.-]+):(\d+)")


def words(service: dict[str, Any]) -> list[str]:
    """Return everything that a container is told."""
    return [*map(str, service.get("command", [])), *map(str, service.get("environment", {}).values())]


def used(kind: str) -> set[str]:
    """Return which secrets, configs, volumes or networks the services use."""
    found = set[str]()
    for service in SERVICES.values():
        for one in service.get(kind, []):
            found.add(str(one["source"] if isinstance(one, dict) else one).partition(":")[0])
    return {name for name in found if not name.startswith(".")}


def listens_on(service: dict[str, Any]) -> set[str]:
    """Return the ports that its own health check asks, or that it is told to listen on."""
    check = " ".join(map(str, service.get("healthcheck", {}).get("test", [])))
    command = " ".join(map(str, service.get("command", [])))
    return set(re.findall(r"127\.0\.0\.1:(\d+)", check)) | set(re.findall(r"port[ =](\d+)", command))


def test_only_the_proxy_is_published_and_only_it_is_on_a_network_that_leads_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    open_networks = {name for name, network in COMPOSE["networks"].items() if not network.get("internal")}
    outside = [name for name, service in SERVICES.items() if open_networks & set(service.get("networks", ["default"]))]
    assert outside == ["proxy"]
    assert not any("network_mode" in service for service in SERVICES.values())


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_no_root_may_do_nothing_special_and_writes_nowhere_but_its_volumes(name: str) -> None:
    service = SERVICES[name]
    assert int(service["user"].partition(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert set(service.get("cap_add", [])) <= {"NET_BIND_SERVICE"}
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))
def test_a_container_that_stays_has_a_health_check_and_is_started_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("kind", ["secrets", "configs", "volumes", "networks"])
def test_what_services_use_is_declared_and_what_is_declared_is_used(kind: str) -> None:
    assert used(kind) == set(COMPOSE[kind])


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_handed_exactly_the_secrets_that_it_reads(name: str) -> None:
    scripts = [(DEPLOY / "databases.sql").read_text()] if name == "postgres" else []
    read = {secret for word in [*words(SERVICES[name]), *scripts] for secret in MOUNTED.findall(word)}
    assert read == set(SERVICES[name].get("secrets", []))


def test_every_secret_is_made_by_the_step_that_makes_them(tmp_path: Path) -> None:
    made = make_secrets.make_secrets(tmp_path, dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} <= {f"./secrets/{name}" for name in made}


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_is_a_setting_or_one_of_the_programs(name: str) -> None:
    assert SERVICES[name].get("environment", {}).keys() - KNOWN == set()


def test_whoever_works_in_the_lake_may_speak_to_its_object_store() -> None:
    speaking = {name for name, one in SERVICES.items() if speaks_to_its_object_store(one.get("environment", {}))}
    assert speaking == {"api", "backup", "bucket", "dask-worker", "intake", "mlflow", "monitor", "worker"}


@pytest.mark.parametrize("name", SERVICES)
def test_an_address_names_a_service_and_a_port_on_which_it_listens(name: str) -> None:
    for host, port in (found for word in words(SERVICES[name]) for found in ADDRESS.findall(word)):
        if host not in {"127.0.0.1", "localhost"}:
            assert port in listens_on(SERVICES[host]), f"{host}:{port}"


def test_the_addresses_in_the_secrets_name_a_service() -> None:
    for name, text in make_secrets.passwords({}).items():
        if "://" in text:
            found = re.search(r"//(\w+):\w+@(\w+):5432/(shelfprice|prefect|mlflow)$", text)
            assert found is not None, name
            assert found[2] in SERVICES
            assert found[1] == {"shelfprice": "locks"}.get(found[3], found[3])


def test_only_who_writes_has_the_key_that_writes_the_lake_and_nobody_that_stays_has_the_admins() -> None:
    having = {
        name: {one for one in service.get("secrets", []) if one.endswith("-key")} for name, service in SERVICES.items()
    }
    assert {name for name, keys in having.items() if "s3-key" in keys} == {"dask-worker", "intake", "monitor", "worker"}
    assert {name for name, keys in having.items() if "s3-admin-key" in keys} == {"bucket"}
    assert having["api"] == {"s3-api-key"}


def test_the_proxy_speaks_to_the_monitor_and_the_api_where_they_listen() -> None:
    spoken_to = re.findall(r"reverse_proxy (?:(\S+) )?(\w+):(\d+)", (DEPLOY / "Caddyfile").read_text())
    assert [(host, path) for path, host, _ in spoken_to] == [("api", "@prices"), ("intake", "/v1/*"), ("monitor", "")]
    assert "@prices path /v1/quotes /v1/labels /v1/health\n" in (DEPLOY / "Caddyfile").read_text()
    assert all(port in listens_on(SERVICES[host]) for _, host, port in spoken_to)
    assert SERVICES["monitor"]["environment"]["SHELFPRICE_MONITOR_PASSWORD_FILE"]


def test_every_module_that_is_run_is_there() -> None:
    commands = [service.get("command", []) for service in SERVICES.values()]
    modules = {command[2] for command in commands if command[:2] == ["python", "-m"]}
    assert len(modules) >= 6
    assert [module for module in modules if find_spec(module.partition(".")[0]) and find_spec(module) is None] == []
