"""The files with which it is deployed are well formed, by the tools of those who made their formats."""

import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from yamllint import config, linter

from plugins.operations.deploy import make_secrets

ROOT = Path(make_secrets.__file__).parents[3]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted(
    path for path in (DEPLOY / "kubernetes").glob("*.yaml") if not path.name.startswith(("values-", "kustomization"))
)
LOCKED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)", re.MULTILINE)


def locked(file: Path) -> dict[str, str]:
    return dict(LOCKED.findall(file.read_text()))


@pytest.mark.parametrize("file", sorted(DEPLOY.rglob("*.yaml")), ids=lambda file: file.name)
def test_yaml_is_tidy(file: Path) -> None:
    rules = config.YamlLintConfig(file=str(DEPLOY / ".yamllint.yaml"))
    assert [str(problem) for problem in linter.run(file.read_text(), rules)] == []


def test_compose_follows_its_specification() -> None:
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
    done = subprocess.run([*command, str(DEPLOY / "compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_manifests_follow_the_schemas_of_kubernetes(file: Path) -> None:
    for manifest in yaml.safe_load_all(file.read_text()):
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_the_dockerfile_is_as_hadolint_wants_it() -> None:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([program, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_runs_as_a_numeric_user_on_a_pinned_python_that_we_support() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"python:3.11.14-slim-bookworm"}
    assert "HEALTHCHECK" in text


def test_the_image_holds_every_package_of_the_project() -> None:
    wheel = re.search(r"wheel\]\npackages = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL)
    assert wheel is not None
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert [name for name in re.findall(r'"(\w+)"', wheel[1]) if f"!{name}" not in let_in] == []


def test_the_image_has_the_versions_that_are_tested_by_their_hashes_and_from_nowhere_in_particular() -> None:
    text = (DEPLOY / "requirements.lock").read_text()
    image, tested = locked(DEPLOY / "requirements.lock"), locked(ROOT / "requirements-cluster.lock")
    assert len(image) > 100
    assert {name: version for name, version in image.items() if tested.get(name) != version} == {}
    assert text.count("--hash=sha256:") >= len(image)
    assert "://" not in text
