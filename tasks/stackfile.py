"""`stack.env`: variables in a file that MineCam, a shell (`. stack.env`) and systemd (EnvironmentFile=) read alike.

Two ways to quote mean the same to all of them: single quotes, within which everything stands as it is, and double
quotes with a backslash before each of `"`, `\\`, `$` and a backtick. Of other readers, python-dotenv replaces `${X}` in
single quotes, and loses what holds a quote.
"""

import re
from collections.abc import Mapping
from pathlib import Path

LINE = re.compile(r"""^(\w+)=(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([^'"\n][^\n]*)?)$""", re.MULTILINE | re.DOTALL)


def read(file: Path) -> dict[str, str]:
    """Return the variables of `file`; none where there is no file."""
    try:
        text = file.read_bytes().decode(errors="surrogateescape")  # bytes: no end of line is changed
    except FileNotFoundError:
        return {}
    found = {}
    for name, single, double, bare in (line.groups(default="") for line in LINE.finditer(text)):
        found[name] = single or re.sub(r"\\(.)", r"\1", double, flags=re.DOTALL) or bare
    return found


def write(file: Path, variables: Mapping[str, str]) -> None:
    """Write `variables` to `file`, for nobody else to read, at once or not at all."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    text = "".join(f"{name}={_quoted(value)}\n" for name, value in variables.items())
    fresh.write_bytes(text.encode(errors="surrogateescape"))
    fresh.replace(file)


def _quoted(value: str) -> str:
    if "'" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'
