"""`deploy/compose.yaml`: valid, pinned, made of images that the Dockerfile makes, set by settings that there are."""

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tasks.settings import variables
from tests.deploy.containers.dockerfile import stages

ROOT = Path(__file__).parent.parent.parent.parent
TEXT = (ROOT / "deploy" / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_it_is_what_the_specification_says() -> None:
    schema = json.loads(files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.validate(COMPOSE, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**COMPOSE, "services": {"web": {"imagine": "x"}}}, schema)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_a_pinned_image_with_a_health_check(name: str) -> None:
    service = SERVICES[name]
    image, tag = service["image"].rsplit(":", 1)
    assert re.search(r"\d", tag)
    if image.startswith("minecam/"):
        stage = stages()[service["build"]["target"]]
        assert (image, tag) == (f"minecam/{stage.name}", VERSION)
        assert service["cap_drop"] == ["ALL"]
    else:
        stage = None
    assert service["security_opt"] == ["no-new-privileges:true"]
    if service["restart"] == "on-failure":
        assert service["healthcheck"] == {"disable": True}, "it ends by itself"
    else:
        assert "test" in service.get("healthcheck", {}) or (stage and stage.health)


def test_what_waits_for_another_can_come_to_its_turn() -> None:
    conditions = {"service_healthy": "unless-stopped", "service_completed_successfully": "on-failure"}
    started: set[str] = set()
    while len(started) < len(SERVICES):
        ready = {name for name, one in SERVICES.items() if set(one.get("depends_on", {})) <= started} - started
        assert ready, "they wait for each other"
        started |= ready
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            assert SERVICES[other]["restart"] == conditions[how["condition"]]


def test_volumes_and_configs_are_declared() -> None:
    for service in SERVICES.values():
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
        assert {one["source"] for one in service.get("configs", [])} <= set(COMPOSE["configs"])
    assert json.loads(COMPOSE["configs"]["store-keys"]["content"])["identities"]


def test_variables_are_settings_and_what_has_no_default_is_in_the_readme() -> None:
    set_there = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert {name for name in set_there if name.startswith(("MINECAM_", "SH_"))} <= set(variables())
    needed = {name for name, default in re.findall(r"\$\{(\w+)(:-)?", TEXT) if not default}
    words = (ROOT / "deploy" / "README.md").read_text()
    assert [name for name in sorted(needed) if f"`{name}`" not in words] == []


def test_only_this_machine_reaches_them() -> None:
    assert all(port.startswith("127.0.0.1:") for one in SERVICES.values() for port in one.get("ports", []))
