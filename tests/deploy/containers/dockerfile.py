"""The stages of the Dockerfile, as its parser reads it."""

import json
import shlex
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path

from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parent.parent.parent.parent
DOCKERFILE = ROOT / "deploy" / "containers" / "Dockerfile"


@dataclass
class Stage:
    """`steps` are its instructions in order, without those of the stage or image that it is made `of`."""

    name: str
    of: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    @property
    def lineage(self) -> list["Stage"]:
        """It and the stages that it is made of, the first one first."""
        known = stages()
        return [*(known[self.of].lineage if self.of in known else []), self]

    def last(self, instruction: str) -> str | None:
        """Return what such an instruction says in the end."""
        said = [words for stage in self.lineage for name, words in stage.steps if name == instruction]
        return said[-1] if said else None

    @property
    def environment(self) -> dict[str, str]:
        """Its variables."""
        said = [words for stage in self.lineage for name, words in stage.steps if name == "ENV"]
        return dict(word.split("=", 1) for words in said for word in shlex.split(words))

    @property
    def command(self) -> list[str]:
        """What it runs."""
        return list(json.loads(self.last("CMD") or "[]"))

    @property
    def health(self) -> list[str]:
        """What asks whether it is well; none: nothing does."""
        said = self.last("HEALTHCHECK")
        return list(json.loads(said.split(" CMD ", 1)[1])) if said else []


@cache
def stages() -> dict[str, Stage]:
    """Return all stages by name."""
    found: dict[str, Stage] = {}
    for step in DockerfileParser(fileobj=BytesIO(DOCKERFILE.read_bytes())).structure:
        if step["instruction"] == "FROM":
            of, _, name = step["value"].partition(" AS ")
            found[name] = latest = Stage(name, of)
        elif found and step["instruction"] != "COMMENT":
            latest.steps.append((step["instruction"], step["value"]))
    return found
