"""What the command prints in tables: words of people as they stand, no markup in them, no emoji codes."""

from typing import Any

from rich.console import Console


def draw(*drawn: Any, width: int = 80) -> None:
    """Print each of `drawn`, at least `width` characters wide: a pipe has no width of its own."""
    Console(width=max(Console().width, width), markup=False, emoji=False).print(*drawn, sep="\n")
