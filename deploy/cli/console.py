"""What the command shows: tables with the words of people as they stand, no markup in them; and pictures as files."""

from pathlib import Path
from typing import Any

from rich.console import Console

from tasks.errors import WrongUse


def draw(*drawn: Any, width: int = 80) -> None:
    """Print each of `drawn`, at least `width` characters wide: a pipe has no width of its own."""
    Console(width=max(Console().width, width), markup=False, emoji=False).print(*drawn, sep="\n")


def png_file(path: Path | None) -> Path | None:
    """Return the file that a picture goes to, before it is drawn; raises WrongUse where it cannot."""
    if path and path.suffix.lower() != ".png":
        raise WrongUse(f"pictures are written as PNG: name a file that ends in .png, not {path.name}")
    if path and not path.parent.is_dir():
        raise WrongUse(f"there is no folder {path.parent} to write {path.name} to")
    return path


def write_png(path: Path, content: bytes) -> None:
    """Write a picture; raises WrongUse when it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise WrongUse(f"{path} cannot be written: {error.strerror}") from error
