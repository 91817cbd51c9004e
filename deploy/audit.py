"""What the package registry tells of the pinned packages: known vulnerabilities, withdrawn releases, long silence.

`python -m deploy.audit [PACKAGE ...]` (`make audit`) asks through pip: its index, its certificates, its proxies. Ends
with 1 where something was found that `[tool.minecam.audit]` in pyproject.toml does not accept with a reason, else with
2 where something could not be asked: what the registry does not answer is named, and never counts as good.
"""

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip._internal.commands.index import IndexCommand

ROOT = Path(__file__).parents[1]
SILENCE = timedelta(days=3 * 365)  # a package without a release for longer counts as abandoned
UNASKED = "could not be asked"


class Finding(NamedTuple):
    """What is to be said of a package; `key` is what may be accepted, empty where nothing may."""

    kind: str
    package: str
    words: str
    key: str


def pins(constraints: str, project: dict[str, Any]) -> dict[str, str]:
    """Return the version of each package that constraints.txt or pyproject.toml pins."""
    lines = [line for line in constraints.splitlines() if line and not line.startswith("#")]
    lines += project["dependencies"] + [one for extra in project["optional-dependencies"].values() for one in extra]
    asked = [(canonicalize_name(one.name), str(one.specifier)) for one in map(Requirement, lines)]
    return {name: said.removeprefix("==") for name, said in sorted(asked) if re.fullmatch("==[^,*]+", said)}


def judge(name: str, version: str, page: Any, known: Any, now: datetime) -> Iterator[Finding]:
    """Yield what is to be said of a pin by its page of the index and its vulnerabilities; None is: not answered."""
    package = f"{name} {version}"
    if known is None:
        yield Finding(UNASKED, package, "vulnerabilities", "")
    for one in known or []:
        if not one.get("withdrawn"):
            fixed = ", ".join(one.get("fixed_in") or []) or "no release"
            yield Finding("vulnerable", package, f"{one['id']}, fixed in {fixed}", one["id"])
    times = [file["upload-time"] for file in (page or {}).get("files", []) if file.get("upload-time")]
    if not times:
        yield Finding(UNASKED, package, "releases", "")
        return
    last, status = datetime.fromisoformat(max(times)), page.get("project-status", {}).get("status", "active")
    if now - last > SILENCE or status != "active":
        yield Finding("abandoned", package, f"last release {last:%Y-%m-%d}, {status}", name)
    ours = rf"{name.replace('-', '[-_.]+')}-{re.escape(version)}(-.+\.whl|\.tar\.gz|\.zip)"
    yanked = [file.get("yanked", False) for file in page["files"] if re.fullmatch(ours, file["filename"], re.I)]
    if all(yanked):
        yield Finding("yanked", package, str(yanked[0]) if yanked else "the registry has no such release", package)


def ask(pinned: dict[str, str]) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield each pin with its page of pip's index and what is known of its vulnerabilities, None if not answered."""
    options, _ = (command := IndexCommand("index", "")).parse_args([])
    index = options.index_url.rstrip("/")

    def answer(address: str, kind: str = "application/json") -> Any:
        try:
            got = command.get_default_session(options).get(address, headers={"Accept": kind})
            return got.json() if got.ok and got.headers.get("content-type", "").startswith(kind) else None
        except OSError:  # what pip raises where nobody answers, or not in JSON
            return None

    with command.main_context():
        for name, version in pinned.items():
            project = f"{index.removesuffix('/simple')}/pypi/{name}"
            about = answer(f"{project}/{version}/json") or answer(f"{project}/json")  # the latter: the newest release
            known = about.get("vulnerabilities") if about and about["info"]["version"] == version else None
            yield name, version, answer(f"{index}/{name}/", "application/vnd.pypi.simple.v1+json"), known


def main(names: list[str]) -> int:
    """Ask for every pin, or for those named, print what is to be said, and return the exit status."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    accepted: dict[str, str] = pyproject["tool"]["minecam"]["audit"]
    known = pins((ROOT / "constraints.txt").read_text(), pyproject["project"])
    pinned = {name: known[name] for name in names or known}
    found = [one for pin in ask(pinned) for one in judge(*pin, datetime.now(UTC))]
    for kind, package, words, key in sorted(found):
        print(f"{kind}: {package}: {words}" + (f" (accepted: {accepted[key]})" if key in accepted else ""))
    left = Counter(one.kind for one in found if one.key not in accepted)
    print(f"{len(pinned)} packages; not accepted: " + (", ".join(f"{n} {kind}" for kind, n in left.items()) or "none"))
    return 1 if left.keys() - {UNASKED} else 2 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
