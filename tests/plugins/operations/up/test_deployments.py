"""prefect.yaml is what is served: every flow is found by its module path and takes the parameters it is given."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from typer.testing import CliRunner

from catalog.errors import ServiceError
from catalog.names import LIVE_DEPLOYMENT
from flows.cli.main import app
from plugins.operations.up import worker as module
from plugins.operations.up.worker import PREFECT_FILE, deployments, work_pool

DEPLOYED = {
    "nightly/nightly-close-and-price": "date",
    "transform/hourly-transform": "anew_on",
    "reprice/hourly-reprice": "store",
    "compare/weekly-compare": "worlds",
    "learn/learn-on-drift": "through",
    "backfill/backfill-when-asked": "force",
    "health/daily-health": "catalog_dir",
    LIVE_DEPLOYMENT: "store",
}


def flow_of(deployment: dict[str, Any]) -> Flow[..., Any]:
    path, _, name = deployment["entrypoint"].rpartition(".")
    found = getattr(importlib.import_module(path), name)
    assert isinstance(found, Flow)
    return found


FLOWS = [flow_of(deployment) for deployment in deployments()]  # imported here: some libraries set environment variables


def test_every_deployment_leads_by_module_path_to_a_flow_that_takes_its_parameters() -> None:
    named = {}
    for deployment, flow in zip(deployments(), FLOWS, strict=True):
        given = set(deployment.get("parameters", {}))
        for trigger in deployment.get("triggers", []):
            given |= set(trigger["parameters"])
        assert given <= set(flow.parameters.properties), deployment["name"]
        named[f"{flow.name}/{deployment['name']}"] = set(flow.parameters.properties)
    assert set(named) == set(DEPLOYED)
    assert [name for name, parameter in DEPLOYED.items() if parameter not in named[name]] == []


def test_a_name_belongs_to_one_deployment_only() -> None:
    names = [one["name"] for one in deployments()]
    assert sorted(set(names)) == sorted(names)


def test_what_needs_no_answer_from_a_person_is_scheduled_and_the_rest_is_not() -> None:
    scheduled = {
        f"{flow_of(one).name}/{one['name']}": one["schedules"][0]["cron"] for one in deployments() if "schedules" in one
    }
    assert set(scheduled) == {
        "nightly/nightly-close-and-price",
        "transform/hourly-transform",
        "reprice/hourly-reprice",
        "compare/weekly-compare",
        "health/daily-health",
    }
    assert all(len(cron.split()) == 5 for cron in scheduled.values())


def test_one_run_at_a_time_of_everything_but_live_stores() -> None:
    limits = {flow_of(one).name: one.get("concurrency_limit", {}).get("limit") for one in deployments()}
    assert limits.pop("live") is None
    assert set(limits.values()) == {1}


def test_no_machine_and_no_address_stands_in_the_file_and_its_command_is_a_module_of_ours() -> None:
    text = PREFECT_FILE.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["pull"] == []
    assert re.search(r"(^|[\s\"'])(/|~|[A-Z]:\\)|https?:", text) is None
    commands = {one["work_pool"]["job_variables"]["command"] for one in deployments()}
    assert commands == {"python -m plugins.operations.up.run_process"}
    assert importlib.util.find_spec("plugins.operations.up.run_process") is not None
    assert work_pool() == "shelfprice"


def test_help_names_every_deployment() -> None:
    said = " ".join(CliRunner().invoke(app, ["up", "--help"], env={"COLUMNS": "200"}).output.split())
    assert [name for name in DEPLOYED if name not in said] == []


def test_without_the_file_it_says_where_it_was_expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PREFECT_FILE", tmp_path / "prefect.yaml")
    with pytest.raises(ServiceError, match=r"prefect\.yaml with the deployments, found none"):
        deployments()
