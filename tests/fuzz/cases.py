"""Cases of outside input: valid samples with a few things wrong, and garbage; how many of each, and an end to each."""

import faulthandler
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
from hypothesis import HealthCheck
from hypothesis import strategies as st

CASES = {
    "catalog": 1200, "catalog client": 200, "charged": 500, "retry-after": 500, "token": 150,
    "process tiff": 900, "process client": 200,
    "outline geometry": 900, "outline geojson": 400, "outline kml": 250, "outline csv": 250, "outline gpkg": 120,
    "sites": 250,
    "settings": 300, "rule": 700, "rule words": 400, "route": 300, "run parameters": 300, "mine words": 300,
    "archive search": 700, "archive process": 500, "archive filter": 500, "archive evalscript": 150,
    "archive request": 250, "archive item": 300, "archive tiff": 120, "archive tables": 250, "archive places": 150,
    "scene": 150, "recipe": 200,
}  # fmt: skip
"""How many cases each parser of outside input gets."""

SECONDS = 30
"""After which a case counts as hanging; the slowest takes a hundredth of it."""


class Hangs(BaseException):
    """A case does not end; no `except Exception` may swallow that."""


def fuzz(name: str, *strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], None]:
    """Run the decorated function with so many cases as CASES says; the same cases every time."""

    def decorate(function: Callable[..., None]) -> None:
        ran = 0

        def case(given: tuple[Any, ...]) -> None:
            nonlocal ran
            ran += 1
            with _ending():
                function(*given)

        quiet = hypothesis.settings(
            max_examples=CASES[name], derandomize=True, database=None, deadline=None, print_blob=False,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        quiet(hypothesis.given(st.tuples(*strategies))(case))()
        assert ran >= CASES[name], f"{name}: only {ran} cases of {CASES[name]}"

    return decorate


@contextmanager
def _ending() -> Iterator[None]:
    """Stop a case that hangs: by an exception, or, where C code does not let that through, by ending the process."""

    def ring(*_: Any) -> None:
        raise Hangs(f"a case ran for {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    faulthandler.dump_traceback_later(2 * SECONDS, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()


WORDS = [
    "", " ", "\x00", "a\x00b", "\n", "\r\nX: y", "\x1b[2J", "\ud800", "\u202egnp.exe", "مدينة", "מכרה", "⛏️🏔️", "é" * 40,
    "../../etc/passwd", "..", "/", "\\", "a/b", "'", '"', "'; drop table mine; --", "%s%n%(x)s", "{mine}", "{0}", "%",
    "=1+1", "@SUM(A1)", "<script>alert(1)</script>", "[x](javascript:alert(1))", "`x`", "${HOME}", "null",
    "None", "NaN", "-1", "1e999", "0x10", "true", "2023-02-30", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "2023-01-08T06:12:31Z", "2023-01-08", "x" * 5000, "\ufeff", "\uffff",
]  # fmt: skip
"""Words that have broken programs before."""

NUMBERS = [0, -1, 1, 255, 2**31, 2**63, -(2**63), 10**40, 0.5, -0.0, 1e308, float("nan"), float("inf"), float("-inf")]

words = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))
scalars = st.one_of(st.none(), st.booleans(), st.sampled_from(NUMBERS), words)
junk = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.dictionaries(st.sampled_from(["", "type", "id", "x", "coordinates", "\x00"]), scalars, max_size=2),
    st.sampled_from([[[[[[]]]]], {"a": {"a": {"a": {}}}}, [[]], {}, []]),
)
"""Anything that JSON can say, and some numbers that it cannot."""


def paths(sample: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where something stands in `sample`, from the whole down to each leaf."""
    inside = sample.items() if isinstance(sample, dict) else enumerate(sample) if isinstance(sample, list) else ()
    return [path, *(found for key, one in inside for found in paths(one, (*path, key)))]


def changed(sample: Any, path: tuple[Any, ...], how: str, other: Any) -> Any:
    """Return a copy of the JSON `sample` with what stands at `path` replaced, removed, put in a list, or doubled."""
    copy = json.loads(json.dumps(sample))
    if not path:
        return other if how == "replace" else [copy] if how == "wrap" else copy
    at = copy
    for key in path[:-1]:
        at = at[key]
    if how == "remove":
        del at[path[-1]]
    elif how == "double" and isinstance(at, list):
        at.append(at[path[-1]])
    else:
        at[path[-1]] = [at[path[-1]]] if how == "wrap" else other
    return copy


@st.composite
def mutated(draw: st.DrawFn, sample: Any, *, most: int = 2) -> Any:
    """Draw the JSON `sample` with one to `most` things wrong."""
    for _ in range(draw(st.integers(1, most))):
        try:
            places = paths(sample)
            how = draw(st.sampled_from(["replace", "replace", "replace", "remove", "wrap", "double"]))
            sample = changed(sample, draw(st.sampled_from(places)), how, draw(junk))
        except (TypeError, ValueError):  # nothing is left to change
            return sample
    return sample


@st.composite
def mangled(draw: st.DrawFn, content: bytes, *, head: int | None = None) -> bytes:
    """Draw `content` with bytes overwritten (most often in its first `head`), cut out, doubled or cut off."""
    whole = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        end = max(len(whole), 1)
        at = draw(st.integers(0, min(head or end, end) - 1 if draw(st.booleans()) else end - 1))
        how = draw(st.sampled_from(["overwrite", "overwrite", "overwrite", "cut off", "cut out", "double"]))
        if how == "overwrite":
            new = draw(st.one_of(st.binary(min_size=1, max_size=4), st.sampled_from([b"\xff" * 4, bytes(4), bytes(8)])))
            whole[at : at + len(new)] = new
        elif how == "cut off":
            del whole[at:]
        elif how == "cut out":
            del whole[at : at + draw(st.integers(1, 16))]
        else:
            whole[at:at] = whole[at : at + draw(st.integers(1, 64))]
    return bytes(whole)


def dumped(given: Any) -> bytes:
    """Return `given` as a server would send it: JSON, with what JSON cannot say as other servers say it."""
    return json.dumps(given).encode("utf-8", "surrogatepass")
