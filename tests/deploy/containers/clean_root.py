"""Builds a stage of the Dockerfile without a container: its very steps, in a root file system of Debian's packages.

Needs root and mmdebstrap. Mounts live in a mount namespace of each command, and end with it.
"""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from tests.deploy.containers.dockerfile import ROOT, Stage, stages

DEVICES = ("null", "zero", "full", "random", "urandom")
WHEELS, TRUSTED = os.environ.get("PIP_FIND_LINKS", ""), os.environ.get("PIP_CERT", "")
"""How this machine installs: wheels that are offered here, and whom it trusts. None of it stays in an image."""


def in_root(root: Path, command: list[str], environment: dict[str, str], *, user: str = "0:0", folder: str = "/",
            mounts: tuple[str, ...] = ()) -> "subprocess.Popen[str]":  # fmt: skip
    """Start a command in that root file system, with `mounts` of this machine beside what it needs.

    What is of this machine can be read only: packages write to /etc and /dev when they are installed.
    """
    lines = ["mount -t tmpfs tmpfs dev", "mkdir dev/shm", "mount -t tmpfs -o mode=1777 tmpfs dev/shm"]
    for device in DEVICES:
        lines += [f"touch dev/{device}", f"mount --bind /dev/{device} dev/{device}"]
    lines += ["ln -s /proc/self/fd dev/fd", "mount -t proc proc proc", *_lent("/etc/resolv.conf", "etc/resolv.conf")]
    for one in mounts:
        lines += [f"mkdir -p .{one}", *_lent(one, f".{one}")]
    if Path(WHEELS or "none").is_dir():
        lines += ["mkdir -p outside/wheels", *_lent(WHEELS, "outside/wheels")]
    if Path(TRUSTED or "none").is_file():
        lines += ["mkdir -p outside", "touch outside/trusted", *_lent(TRUSTED, "outside/trusted")]
    variables = " ".join(shlex.quote(f"{name}={value}") for name, value in environment.items())
    inside = f"cd {shlex.quote(folder)} && exec env -i {variables} {shlex.join(command)}"
    lines.append(f"exec chroot --userspec={user} . /bin/sh -c {shlex.quote(inside)}")
    outside = ["unshare", "--mount", "--propagation=private", "sh", "-ec", "\n".join(lines)]
    return subprocess.Popen(outside, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _lent(what: str, where: str) -> list[str]:
    return [f"mount --bind {shlex.quote(what)} {where}", f"mount -o remount,ro,bind {where}"]


def _installing() -> dict[str, str]:
    """The variables by which pip installs in there as it does on this machine."""
    given = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    lent = {"PIP_FIND_LINKS": WHEELS and "/outside/wheels", "PIP_CERT": TRUSTED and "/outside/trusted"}
    return {name: value for name, value in {**given, **lent}.items() if value}


def build(name: str, folder: Path) -> Path:
    """Return the root file system of a stage in `folder`, made by the steps of the Dockerfile unless it is there."""
    root = folder / name
    if not root.exists():
        stage = stages()[name]
        fresh = folder / f"{name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        before = build(stage.of, folder) if stage.of in stages() else _debian(folder)
        subprocess.run(["cp", "-a", "--reflink=auto", str(before), str(fresh)], check=True)
        _steps(stage, fresh, folder)
        fresh.rename(root)
    return root


def _debian(folder: Path) -> Path:
    root = folder / "debian"
    if not root.exists():
        fresh = folder / "debian.new"
        shutil.rmtree(fresh, ignore_errors=True)
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "bookworm", str(fresh)], check=True
        )
        (fresh / "etc" / "resolv.conf").touch()
        fresh.rename(root)
    return root


def _steps(stage: Stage, root: Path, folder: Path) -> None:
    before = [step for one in stage.lineage[:-1] for step in one.steps if step[0] == "WORKDIR"]
    place = before[-1][1] if before else "/"
    given = [one.environment for one in stage.lineage[-2:-1]]
    so_far = given[0] if given else {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    for instruction, words in stage.steps:
        if instruction == "WORKDIR":
            place = words
            (root / place[1:]).mkdir(parents=True, exist_ok=True)
        elif instruction == "ENV":
            so_far = {**so_far, **dict(word.split("=", 1) for word in shlex.split(words))}
        elif instruction == "COPY":
            _copy(words, root, folder)
        elif instruction == "RUN":
            done = in_root(root, shlex.split(words), {**so_far, **_installing()}, folder=place)
            said = done.communicate()[0]
            assert done.returncode == 0, f"{stage.name}: {words}: {said[-3000:]}"


def _copy(words: str, root: Path, folder: Path) -> None:
    *sources, target = words.split()
    into = root / target[1:]
    if sources[0].startswith("--from="):
        into.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", str(build(sources[0][7:], folder) / sources[1][1:]), str(into)], check=True)
        return
    into.mkdir(parents=True, exist_ok=True)
    if sources == ["."]:
        ignored = (ROOT / "deploy" / "containers" / "Dockerfile.dockerignore").read_text().splitlines()
        sources = [line[1:] for line in ignored if line.startswith("!")]
    for source in sources:
        path = ROOT / source
        if path.is_dir():
            shutil.copytree(path, into / source, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(path, into)
