"""The house keeps its order: which folder may import which, and in `tasks` a later room an earlier one, by its door.

A room is a folder of `tasks`; its door is what its `__init__.py` names in `__all__`.
"""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "models": set(),
    "sql": set(),
    "tasks": {"models", "sql"},
    "flows": {"models", "sql", "tasks"},
    "deploy": {"flows", "models", "sql", "tasks"},
}
ORDER = (
    "errors", "text", "logs", "stackfile", "settings", "records", "rasters", "mines", "suites", "agenda", "acquire",
    "validate", "segment", "compare", "alert", "notify", "report", "trials",
)  # fmt: skip
"""The rooms and the ground floor of `tasks`; each may import those before it."""
MODULES = sorted(path for folder in MAY_IMPORT for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of what a file imports of ours, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: import by the whole name"
            found = [(node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found = [(alias.name, "") for alias in node.names]
        else:
            continue
        yield from (one for one in found if one[0].split(".")[0] in MAY_IMPORT)


def room_of(path: Path) -> str:
    """Return the room of a module of `tasks`, or the module on the ground floor."""
    return path.relative_to(ROOT / "tasks").with_suffix("").parts[0]


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {room_of(path) for path in (ROOT / "tasks").rglob("*.py")} - {"__init__"}
    assert rooms == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way_and_through_the_doors(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    for module, name in imports(path):
        target, *inside = module.split(".")
        assert target in MAY_IMPORT[folder] | {folder}, f"{folder} may not import {module}"
        if target != "tasks":
            continue
        room, *deeper = inside or [name]
        if folder == "tasks":
            own = room_of(path)
            if room == own:
                continue
            assert own != "__init__" and ORDER.index(room) < ORDER.index(own), f"{own} comes before {room}"
        assert not deeper, f"{module} is inside of a room: import {name} from tasks.{room}"
        if name and inside and (ROOT / "tasks" / room).is_dir():
            assert name in import_module(f"tasks.{room}").__all__, f"tasks.{room} does not name {name} in __all__"


@pytest.mark.parametrize("room", [room for room in ORDER if (ROOT / "tasks" / room).is_dir()])
def test_a_door_names_only_what_somebody_outside_uses(room: str) -> None:
    used = {
        name for path in MODULES for module, name in imports(path)
        if module == f"tasks.{room}" and path.parent != ROOT / "tasks" / room
    }  # fmt: skip
    used |= {
        node.attr for path in MODULES for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == f"tasks.{room}"
    }  # fmt: skip
    assert set(import_module(f"tasks.{room}").__all__) == used - {""}
