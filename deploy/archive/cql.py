"""The filter of a catalog search: CQL2 as text or JSON, joined by AND only, on a few properties.

What the service understands is less than CQL2: operators =, <>, <, <=, >, >= and BETWEEN (Catalog.qmd).
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.archive.failures import Refused, bad

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "eq": operator.eq, "<>": operator.ne, "!=": operator.ne, "neq": operator.ne,
    "<": operator.lt, "lt": operator.lt, "<=": operator.le, "lte": operator.le,
    ">": operator.gt, "gt": operator.gt, ">=": operator.ge, "gte": operator.ge,
}  # fmt: skip
_NAME, _VALUE = r"\"?([A-Za-z][\w:.-]*)\"?", r"('[^']*'|[-+\w.]+)"
_COMPARISON = re.compile(rf"\s*{_NAME}\s*(<>|!=|<=|>=|=|<|>|\b(?:eq|neq|lte|lt|gte|gt)\b)\s*{_VALUE}\s*", re.I)
_BETWEEN = re.compile(rf"\s*{_NAME}\s+between\s+{_VALUE}\s+and\s+{_VALUE}\s*", re.I)
_AND = re.compile(r"and\b", re.I)


@dataclass(frozen=True)
class Comparison:
    """One condition: `name` compared by `symbol` with `value`."""

    name: str
    symbol: str
    value: str | float

    def holds(self, properties: dict[str, Any]) -> bool:
        """Whether an item with `properties` meets the condition; an absent property does not."""
        found = properties.get(self.name)
        if found is None:
            return False
        if isinstance(self.value, str):
            return _OPERATORS[self.symbol](str(found).lower(), self.value.lower())
        try:
            return _OPERATORS[self.symbol](float(found), self.value)
        except ValueError:
            return False


def conditions(given: Any, *, language: str | None, queryables: Sequence[str]) -> list[Comparison]:
    """Return the conditions of a request's `filter`, all of which must hold; raises Refused for any other filter."""
    if given is None:
        return []
    if language not in (None, "cql2-text", "cql2-json"):
        raise bad(f"filter-lang '{language}' is not supported, use cql2-text or cql2-json")
    found = _text(given) if isinstance(given, str) else list(_json(given))
    for one in found:
        if one.name not in queryables:
            raise bad(f"Querying is not supported for property '{one.name}', available: {', '.join(queryables)}")
    return found


def _text(text: str) -> list[Comparison]:
    found: list[Comparison] = []
    at = 0
    while True:
        if between := _BETWEEN.match(text, at):
            name, low, high = between.groups()
            found += [Comparison(name, ">=", _literal(low)), Comparison(name, "<=", _literal(high))]
            at = between.end()
        elif comparison := _COMPARISON.match(text, at):
            name, symbol, value = comparison.groups()
            found.append(Comparison(name, symbol.lower(), _literal(value)))
            at = comparison.end()
        else:
            raise _not_understood(text)
        if at == len(text):
            return found
        if not (joined := _AND.match(text, at)):
            raise _not_understood(text)
        at = joined.end()


def _literal(text: str) -> str | float:
    if text.startswith("'"):
        return text[1:-1]
    try:
        return float(text)
    except ValueError:
        raise bad(f"filter value {text} is neither a number nor a quoted text") from None


def _json(node: Any) -> list[Comparison]:
    try:
        symbol, arguments = str(node["op"]).lower(), node["args"]
        if symbol == "and":
            return [one for argument in arguments for one in _json(argument)]
        name, values = arguments[0]["property"], arguments[1:]
        if symbol == "between":
            low, high = values[0] if isinstance(values[0], list) else values
            return [Comparison(name, ">=", _scalar(low)), Comparison(name, "<=", _scalar(high))]
        (value,) = values
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise _not_understood(node) from error
    if symbol not in _OPERATORS:
        raise _not_understood(node)
    return [Comparison(name, symbol, _scalar(value))]


def _scalar(value: Any) -> str | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise bad(f"filter value {value!r} is neither a number nor a text")
    return value if isinstance(value, str) else float(value)


def _not_understood(given: Any) -> Refused:
    return bad(f"filter is not understood: {given!r}; only comparisons and BETWEEN, joined by AND, are supported")
