"""`deploy/kubernetes`: as the API takes it, hardened, wired to what is there, open where the README says so."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tasks.settings import variables
from tests.deploy.containers.dockerfile import stages
from tests.deploy.containers.test_compose import SERVICES, VERSION

FOLDER = Path(__file__).parent.parent.parent.parent / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    one for name in KUSTOMIZATION["resources"] for one in yaml.safe_load_all((FOLDER / name).read_text())
]
README = (FOLDER / "README.md").read_text()
WORKLOADS = {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] in ("Deployment", "Job")}
DEPLOYMENTS = {name for name, one in WORKLOADS.items() if one["kind"] == "Deployment"}
ANYWHERE = "anywhere"
CLIENTS = "namespaces of the label `minecam: client`"


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


def pod(name: str) -> dict[str, Any]:
    return dict(WORKLOADS[name]["spec"]["template"]["spec"])


def chosen(selector: dict[str, Any]) -> set[str]:
    """Return the workloads whose pods a selector chooses."""

    def fits(labels: dict[str, str]) -> bool:
        wanted = selector.get("matchLabels", {} if "matchExpressions" in selector or not selector else selector)
        assert all(one["operator"] == "In" for one in selector.get("matchExpressions", []))
        within = all(labels[one["key"]] in one["values"] for one in selector.get("matchExpressions", []))
        return within and wanted.items() <= labels.items()

    return {name for name, one in WORKLOADS.items() if fits(one["spec"]["template"]["metadata"]["labels"])}


@pytest.mark.parametrize("one", OBJECTS, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_the_api_would_take_it(one: dict[str, Any]) -> None:
    kubernetes_validate.validate(one, "1.31", strict=True)


def test_every_file_is_applied_and_no_two_objects_have_one_name() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"} == set(KUSTOMIZATION["resources"])
    names = [(one["kind"], one["metadata"]["name"]) for one in OBJECTS]
    assert len(names) == len(set(names))


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_renders_it() -> None:
    done = subprocess.run(["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, check=True)
    rendered = list(yaml.safe_load_all(done.stdout))
    assert len(rendered) == len(OBJECTS)
    assert {one["metadata"].get("namespace") for one in rendered if one["kind"] != "Namespace"} == {"minecam"}


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_is_hardened_and_asks_for_what_it_needs(name: str) -> None:
    spec = pod(name)
    [container] = spec["containers"]
    image, tag = container["image"].rsplit(":", 1)
    assert image.removeprefix("minecam/") in stages() and tag == VERSION
    user = stages()[image.removeprefix("minecam/")].last("USER")
    context = spec["securityContext"]
    assert context["runAsNonRoot"] and f"{context['runAsUser']}:{context['runAsGroup']}" == user
    assert context["seccompProfile"] == {"type": "RuntimeDefault"} and spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/var/lib/minecam", "/tmp"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}
    assert {"cpu", "memory"} <= set(container["resources"]["requests"]) and "memory" in container["resources"]["limits"]
    gpu = container["resources"]["limits"].get("nvidia.com/gpu")
    assert (gpu == 1) == (image == "minecam/worker-gpu")


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_a_deployment_is_asked_whether_it_is_well_at_a_port_that_it_opens(name: str) -> None:
    assert chosen(WORKLOADS[name]["spec"]["selector"]) == {name}
    [container] = pod(name)["containers"]
    opened = {port["name"]: port["containerPort"] for port in container["ports"]}
    image = stages()[container["image"].removeprefix("minecam/").rsplit(":", 1)[0]]
    said = container.get("args", image.command)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        get = container[probe]["httpGet"]
        if "args" in container:
            assert f":{opened[get['port']]}" in said and get["path"] == "/health"
        else:
            assert any(f":{opened[get['port']]}{get['path']}" in word for word in image.health)


def test_commands_are_those_that_compose_gives() -> None:
    in_compose = {"dask-gpu": "dask-segment", "migrate": "migrate", "register": "register", "dask-io": "dask-io"}
    for name, service in in_compose.items():
        ours = pod(name)["containers"][0]["args"]
        assert set(SERVICES[service]["command"]) <= set(ours)


def test_services_and_addresses_lead_to_pods() -> None:
    for name, service in of("Service").items():
        [target] = chosen(service["spec"]["selector"])
        opened = {port["name"]: port["containerPort"] for port in pod(target)["containers"][0]["ports"]}
        assert target == name
        assert all(opened[port["targetPort"]] == port["port"] for port in service["spec"]["ports"])
    said = " ".join(of("ConfigMap")["minecam"]["data"].values())
    said += " ".join(word for name in WORKLOADS for word in pod(name)["containers"][0].get("args", []))
    reached = set(re.findall(r"(?:tcp|http)://([a-z-]+):(\d+)", said))
    open_ports = {(name, str(port["port"])) for name, one in of("Service").items() for port in one["spec"]["ports"]}
    assert reached and reached <= open_ports


def test_what_pods_read_exists_or_is_in_the_readme() -> None:
    secrets = dict(re.findall(r"^\| `(server|web|worker)` \| (.+) \|$", README, re.MULTILINE))
    for name in WORKLOADS:
        for source in pod(name)["containers"][0].get("envFrom", []):
            for kind, where in source.items():
                assert where["name"] in (of("ConfigMap") if kind == "configMapRef" else secrets)
    named = set(re.findall(r"`([A-Z_]+)`", " ".join(secrets.values()))) | set(of("ConfigMap")["minecam"]["data"])
    assert {name for name in named if name.startswith(("MINECAM_", "SH_"))} <= set(variables())
    assert "Secret" not in {one["kind"] for one in OBJECTS}


def test_a_budget_lets_a_node_be_drained() -> None:
    for name, budget in of("PodDisruptionBudget").items():
        assert chosen(budget["spec"]["selector"]) == {name}
        least = budget["spec"].get("minAvailable", 0)
        assert WORKLOADS[name]["spec"]["replicas"] > max(1, least)


Arrow = tuple[str, str, int]


def arrows(way: str) -> Iterator[Arrow]:
    """Yield what the policies let out, or in."""
    ours, theirs = {"egress": ("from", "to"), "ingress": ("to", "from")}[way]
    for policy in of("NetworkPolicy").values():
        for rule in policy["spec"].get(way, []):
            assert way.capitalize() in policy["spec"]["policyTypes"]
            ends: set[str] = set()
            for peer in rule.get(theirs, [{"ipBlock": {}}]):
                if "podSelector" in peer and "namespaceSelector" not in peer:
                    ends |= chosen(peer["podSelector"])
                elif "ipBlock" in peer:
                    ends.add(ANYWHERE)
                elif peer == {"namespaceSelector": {"matchLabels": {"minecam": "client"}}}:
                    ends.add(CLIENTS)
            for port in rule["ports"]:
                for own in chosen(policy["spec"]["podSelector"]):
                    for end in ends:
                        yield (own, end, port["port"]) if ours == "from" else (end, own, port["port"])


def said() -> Iterator[Arrow]:
    """Yield what the README says."""
    for sources, targets, ports in re.findall(r"^\| (.+?) \| (.+?) \| ([\d, ]+) \|$", README, re.MULTILINE):
        for source in [CLIENTS] if sources == CLIENTS else sources.split(", "):
            for target in re.sub(r" \(.*\)", "", targets).split(", "):
                yield from ((source, target, int(port)) for port in ports.split(", "))


def test_policies_allow_what_the_readme_says_and_nothing_else() -> None:
    documented = set(said())
    assert len(documented) > 20
    assert set(arrows("egress")) == {arrow for arrow in documented if arrow[0] != CLIENTS}
    assert set(arrows("ingress")) == {arrow for arrow in documented if arrow[1] != ANYWHERE}
    nothing = of("NetworkPolicy")["nothing"]["spec"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
