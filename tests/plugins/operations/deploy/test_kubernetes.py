"""What the manifests and the charts' values name is there, and pods may do little."""

import datetime as dt
import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from container_environment import KNOWN, speaks_to_its_object_store

from plugins.connect import quote_api
from plugins.operations.deploy import make_secrets

KUBERNETES = Path(make_secrets.__file__).parents[3] / "deploy" / "kubernetes"
FILES = {file.name: list(yaml.safe_load_all(file.read_text())) for file in sorted(KUBERNETES.glob("*.yaml"))}
VALUES = {name: documents[0] for name, documents in FILES.items() if name.startswith("values-")}
MANIFESTS: list[dict[str, Any]] = [one for name, all_of in FILES.items() if name not in VALUES for one in all_of]
PODS = {
    one["metadata"]["name"]: one["spec"].get("jobTemplate", one)["spec"]["template"]["spec"]
    for one in MANIFESTS
    if one["kind"] in {"Deployment", "StatefulSet", "Job", "CronJob"}
}
RELEASE = version("shelfprice")
OF_CHARTS = {"prefect-server": 4200}
"""Services that the charts make, with these values, and their ports."""
ADDRESS = re.compile(r"(?:http|https|tcp|tls)://([\w.-]+):(\d+)")


def containers_of(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for one in MANIFESTS if one["kind"] == kind]


def everything(tree: object, key: str) -> list[Any]:
    """Return what stands under a key, wherever it is."""
    if isinstance(tree, dict):
        own = [tree[key]] if key in tree else []
        return own + [found for one in tree.values() for found in everything(one, key)]
    return [found for one in tree for found in everything(one, key)] if isinstance(tree, list) else []


def texts(tree: object) -> list[str]:
    if isinstance(tree, dict):
        return [text for one in tree.values() for text in texts(one)]
    return [text for one in tree for text in texts(one)] if isinstance(tree, list) else [str(tree)]


def keys_of(kind: str, name: str) -> set[str]:
    """Return the keys of a ConfigMap or a Secret."""
    (one,) = (one for one in of_kind(kind) if one["metadata"]["name"] == name)
    return set(one.get("data", one.get("stringData")))


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_no_root_and_may_do_nothing_special(name: str) -> None:
    pod = PODS[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in containers_of(pod):
        own = container["securityContext"]
        assert (own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"]) == (False, True)
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", VALUES)
def test_the_pods_of_the_charts_are_no_root_either(name: str) -> None:
    contexts = [*everything(VALUES[name], "securityContext"), *everything(VALUES[name], "podSecurityContext")]
    assert contexts
    assert all(context["runAsNonRoot"] is True and context["runAsUser"] > 0 for context in contexts)


@pytest.mark.parametrize("name", FILES)
def test_what_is_taken_from_a_secret_or_a_map_is_in_it(name: str) -> None:
    for kind, reference in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
        for one in everything(FILES[name], reference):
            assert one["key"] in keys_of(kind, one["name"])
    for one in everything(FILES[name], "configMapRef"):
        assert keys_of("ConfigMap", one["name"])
    for one in everything(FILES[name], "secret"):
        if one["secretName"] == "api-tokens":  # of an operator's own
            continue
        assert {item["key"] for item in one["items"]} <= keys_of("Secret", one["secretName"])


def test_the_keys_that_the_charts_read_are_in_the_secret() -> None:
    secret = keys_of("Secret", "shelfprice")
    assert VALUES["values-prefect-server.yaml"]["externalDatabase"]["connectionStringSecretKey"] in secret
    for name in ("values-prefect-server.yaml", "values-prefect-worker.yaml"):
        assert [one["existingSecret"] for one in everything(VALUES[name], "basicAuth")] == ["shelfprice"]
    assert "auth-string" in secret  # the name that both charts ask for
    assert keys_of("ConfigMap", VALUES["values-prefect-worker.yaml"]["worker"]["extraEnvVarsCM"])


def test_the_secrets_that_are_made_are_those_of_the_template_and_it_holds_none(tmp_path: Path) -> None:
    made = make_secrets.make_secrets(tmp_path, dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    assert set(made) == keys_of("Secret", "shelfprice")
    (template,) = of_kind("Secret")
    assert all("CHANGE-ME" in text or text == "user" for text in template["stringData"].values())


@pytest.mark.parametrize("name", FILES)
def test_every_variable_is_a_setting_or_one_of_the_programs(name: str) -> None:
    assert keys_of("ConfigMap", "settings") - KNOWN == set()
    named = {one["name"] for key in ("env", "extraEnvVars") for found in everything(FILES[name], key) for one in found}
    assert named - KNOWN == set()


def given_to(name: str) -> list[dict[str, str]]:
    """Return the variables of each container of a file, as far as they stand there or in a ConfigMap."""
    maps = {one["metadata"]["name"]: one["data"] for one in of_kind("ConfigMap")}
    whole = [maps[one] for one in everything(FILES[name], "extraEnvVarsCM")]
    whole += [maps[source["configMapRef"]["name"]] for one in everything(FILES[name], "envFrom") for source in one]
    found = []
    for variables in [*everything(FILES[name], "env"), *everything(FILES[name], "extraEnvVars")]:
        own = {one["name"]: one["value"] for one in variables if "value" in one}
        for one in variables:
            if source := one.get("valueFrom", {}).get("configMapKeyRef"):
                own[one["name"]] = maps[source["name"]][source["key"]]
        found.append((whole[0] if whole else {}) | own)
    return found


def test_whoever_works_in_the_lake_may_speak_to_its_object_store() -> None:
    speaking = {name for name in FILES for given in given_to(name) if speaks_to_its_object_store(given)}
    assert speaking == {
        *("api.yaml", "backup.yaml", "dask.yaml", "mlflow.yaml", "monitor.yaml", "objects.yaml"),
        "values-prefect-worker.yaml",
    }


@pytest.mark.parametrize("name", FILES)
def test_an_address_names_a_service_and_its_port(name: str) -> None:
    ports = {one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]} for one in of_kind("Service")}
    ports |= {service: {port} for service, port in OF_CHARTS.items()}
    for host, port in (found for text in texts(FILES[name]) for found in ADDRESS.findall(text)):
        assert host == "127.0.0.1" or int(port) in ports[host]


@pytest.mark.parametrize("service", of_kind("Service"), ids=lambda one: str(one["metadata"]["name"]))
def test_a_service_leads_to_a_port_of_a_pod(service: dict[str, Any]) -> None:
    pod = PODS[service["spec"]["selector"]["app"]]
    named = {port["name"]: port["containerPort"] for port in everything(pod["containers"], "ports")[0]}
    for port in service["spec"]["ports"]:
        assert named[port["targetPort"]] == port["port"]


def test_nothing_is_let_in_but_what_is_named_and_every_pod_that_listens_is_named() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}
    default = policies.pop("nothing-but-what-is-named")
    assert (default["podSelector"], default["policyTypes"]) == ({}, ["Ingress", "Egress"])
    assert "ingress" not in default
    for service in of_kind("Service"):
        name = service["metadata"]["name"]
        assert policies[name]["podSelector"]["matchLabels"] == service["spec"]["selector"]
        assert everything(policies[name]["ingress"], "port") == [port["port"] for port in service["spec"]["ports"]]
    assert policies["prefect-server"]
    assert policies["dask-worker"]


def test_only_the_monitor_and_the_api_can_be_reached_from_outside() -> None:
    (ingress,) = of_kind("Ingress")
    led_to = {path["path"]: path["backend"]["service"]["name"] for path in everything(ingress, "paths")[0]}
    prices = dict.fromkeys(("/v1/quotes", "/v1/labels", "/v1/health"), "api")
    assert led_to == {**prices, "/v1": "intake", "/": "monitor"}
    assert ingress["spec"]["ingressClassName"]
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"] for rule in ingress["spec"]["rules"]]
    assert not {"NodePort", "LoadBalancer"} & {one["spec"].get("type") for one in of_kind("Service")}


def test_every_module_that_is_run_is_there() -> None:
    commands = [*everything(list(FILES.values()), "args"), *everything(list(FILES.values()), "command")]
    modules = {command[2] for command in commands if command[:2] == ["python", "-m"]}
    if find_spec("distributed") is None:  # as where no cluster is installed
        modules = {module for module in modules if not module.startswith("distributed.")}
    assert len(modules) >= 5
    assert [module for module in modules if find_spec(module) is None] == []


def test_images_are_pinned_and_prefects_is_the_version_that_we_run() -> None:
    images = {image for image in everything(MANIFESTS, "image") if isinstance(image, str)}
    assert images == {"shelfprice:0.1.0", "postgres:17.6-bookworm"}
    tag = VALUES["values-prefect-server.yaml"]["global"]["prefect"]["image"]["prefectTag"]
    assert tag == f"{version('prefect')}-python3.11"


def test_the_databases_are_the_same_with_containers_and_in_kubernetes() -> None:
    (databases,) = (one["data"]["databases.sql"] for one in of_kind("ConfigMap") if "databases.sql" in one["data"])
    lines = (KUBERNETES.parent / "databases.sql").read_text().splitlines()
    assert databases.splitlines() == [line for line in lines if not line.startswith("--")]


def test_who_writes_the_lake_has_the_key_for_it_and_the_api_and_mlflow_have_their_own() -> None:
    keys = {
        name: {one["key"] for one in everything(pod, "secretKeyRef") if one["key"].startswith("s3-")}
        - {"s3-users.json"}
        for name, pod in PODS.items()
    }
    both = {
        user: {f"s3-{user}{part}" for part in ("key", "secret")}
        for user in ("", "api-", "mlflow-", "admin-", "backup-")
    }
    assert keys["api"] == both["api-"]
    assert keys["mlflow"] == both["mlflow-"]
    assert keys["backup"] == both["backup-"]
    assert keys[f"bucket-{RELEASE.replace('.', '-')}"] == both["admin-"]
    assert keys["intake"] == keys["monitor"] == keys["dask-worker"] == both[""]


def test_prices_are_answered_while_a_release_is_rolled_out_or_a_node_is_emptied() -> None:
    (api,) = (one["spec"] for one in of_kind("Deployment") if one["metadata"]["name"] == "api")
    assert api["replicas"] >= 2
    assert api["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    pod, (container,) = api["template"]["spec"], api["template"]["spec"]["containers"]
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"] + quote_api._DRAINS_WITHIN
    assert waits < pod["terminationGracePeriodSeconds"]
    assert not everything(pod["volumes"], "persistentVolumeClaim")  # one pod alone could hold it
    budgets = {one["metadata"]["name"]: one["spec"] for one in of_kind("PodDisruptionBudget")}
    assert budgets["api"] == {"minAvailable": 1, "selector": {"matchLabels": {"app": "api"}}}
