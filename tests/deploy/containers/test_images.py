"""The Dockerfile: pinned, not root, with health checks, and told what the embedded stack is told."""

import fnmatch
import re
import subprocess

import pytest

from deploy.stack import stack
from tasks.settings import Settings
from tests.deploy.containers.dockerfile import DOCKERFILE, ROOT, stages

IMAGES = ("server", "web", "worker-cpu", "worker-gpu")


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_not_root_has_a_command_and_says_whether_it_is_well(name: str) -> None:
    image = stages()[name]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", image.last("USER") or "")
    assert image.command and image.health
    assert image.environment["DO_NOT_TRACK"] == "1"


def test_what_it_is_made_of_is_pinned() -> None:
    text = DOCKERFILE.read_text()
    outside = [stage.of for stage in stages().values() if stage.of not in stages()]
    assert outside == ["${DEBIAN}"] and re.search(r"^ARG DEBIAN=\S+:bookworm-\d{8}-slim$", text, re.MULTILINE)
    for script in ("system.sh", "packages.sh", "product.sh"):
        assert f"/build/{script}" in text
        subprocess.run(["bash", "-n", str(DOCKERFILE.parent / script)], check=True)
    assert "-c constraints.txt" in (DOCKERFILE.parent / "packages.sh").read_text()


def test_only_scripts_and_files_that_are_there_make_it() -> None:
    steps = [step for stage in stages().values() for step in stage.steps]
    assert all(words.startswith("bash /build/") for name, words in steps if name == "RUN")
    assert "ADD" not in {name for name, _ in steps}
    for name, words in steps:
        if name == "COPY" and not words.startswith("--from="):
            assert all((ROOT / source).exists() for source in words.split()[:-1])


def test_what_is_copied_is_what_the_package_is_made_of_and_no_secret() -> None:
    kept = [
        line[1:] for line in DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"
    ]
    assert {"deploy", "flows", "models", "sql", "tasks", "pyproject.toml", "README.md", "LICENSE"} <= set(kept)
    assert not [name for name in (".env", ".venv", ".git", "shared") if any(fnmatch.fnmatch(name, one) for one in kept)]


def test_images_are_told_what_the_embedded_stack_is_told() -> None:
    server, worker = stages()["server"].environment, stages()["worker-gpu"].environment
    days = Settings.model_fields["prefect_days"].default
    for_server = {name: value for name, value in stack.QUIET.items() if name.startswith(("PREFECT_SERVER", "DO_"))}
    assert {**for_server, **stack.forgetting(days)}.items() <= server.items()
    assert stack.QUIET.items() <= worker.items()
    assert worker["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] == "1"
