"""Holds measured figures against the checks of a suite with great-expectations, and words what failed.

`validate` judges acquisitions with it, `preview` previews, `store` the polygons of an epoch.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

import sql
from tasks.records import Acquisition
from tasks.suites.expectations import Check

Figures = dict[str, Any]


@dataclass(frozen=True)
class Judgement:
    """Whether every check held, and if not, why."""

    passed: bool
    reasons: list[str]


def judge(*, figures: Mapping[str, Any], checks: Sequence[Check]) -> Judgement:
    """Hold `figures` against `checks` with great-expectations; no checks pass nothing.

    An expectation costs 20 ms, a row of its table nothing: so each limit is a row, and two expectations hold them all.
    """
    if not checks:
        return Judgement(False, ["nothing was measured"])
    limits, words = _limits(figures, checks), _words(figures, checks)
    failed = _failed("limits", limits, "higher", "lower") | _failed("words", words, "this", "that")
    return Judgement(not failed, [check.worded(figures) for check in checks if check.figure in failed])


def _limits(figures: Mapping[str, Any], checks: Sequence[Check]) -> list[tuple[str, float, float]]:
    """Return figure, what must be the higher, and what the lower, for each limit of what was measured."""
    rows = []
    for check in checks:
        value = None if check.same_as else figures.get(check.figure)
        if value is not None:
            rows += [(check.figure, float(value), check.least)] if check.least is not None else []
            rows += [(check.figure, check.most, float(value))] if check.most is not None else []
    return rows


def _words(figures: Mapping[str, Any], checks: Sequence[Check]) -> list[tuple[str, Any, Any]]:
    return [(check.figure, figures.get(check.figure), figures.get(check.same_as)) for check in checks if check.same_as]


def _failed(what: str, rows: Sequence[tuple[str, Any, Any]], *columns: str) -> set[str]:
    """Return the figures of the `rows` that do not hold; what lacks a value holds."""
    import pandas as pd

    if not rows:
        return set()
    definition, expectation = _prepared(what, *columns)
    batch = definition.get_batch({"dataframe": pd.DataFrame(rows, columns=["figure", *columns])})
    if batch.validate(expectation, result_format={"result_format": "BOOLEAN_ONLY"}).success:
        return set()
    outcome = batch.validate(expectation, result_format={"result_format": "COMPLETE"})  # takes twice as long
    return {rows[index][0] for index in outcome.result["unexpected_index_list"]}


_OF_THREAD = threading.local()
"""What `_prepared` has made: great-expectations keeps the table that it judges in its context."""


def _prepared(what: str, one: str, other: str) -> Any:
    """Return the batch definition and the expectation that hold column `one` against `other`; made once a thread."""
    # Imported here: the import takes two seconds, and most commands judge nothing.
    from great_expectations import expectations as gxe

    if not hasattr(_OF_THREAD, what):
        columns: dict[str, Any] = {"column_A": one, "column_B": other, "ignore_row_if": "either_value_is_missing"}
        asset = context().data_sources.add_pandas("measured").add_dataframe_asset(what)
        expectation = (
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(**columns, or_equal=True)
            if what == "limits"
            else gxe.ExpectColumnPairValuesToBeEqual(**columns)
        )
        setattr(_OF_THREAD, what, (asset.add_batch_definition_whole_dataframe("row"), expectation))
    return getattr(_OF_THREAD, what)


def record(
    connection: sql.Connection,
    acquisition: Acquisition,
    *,
    suite: str,
    judgement: Judgement,
    figures: Mapping[str, Any],
    flow_run_id: str | None = None,
) -> None:
    """Write down what a suite said of an acquisition, and the figures that it judged; in the caller's transaction."""
    sql.run(
        connection, "validation_add", acquisition_id=acquisition.acquisition_id, suite=suite, passed=judgement.passed,
        reasons=judgement.reasons, figures=Jsonb(figures), flow_run_id=flow_run_id,
    )  # fmt: skip


def context() -> Any:
    """Return a context of great-expectations that keeps nothing and shows no progress."""
    import great_expectations as gx

    made = gx.get_context(mode="ephemeral")
    made.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    return made


def expectations(checks: Sequence[Check]) -> list[Any]:
    """Return `checks` as expectations of great-expectations; that there is a row at all is one too.

    An empty table would pass every other.
    """
    from great_expectations import expectations as gxe

    return [gxe.ExpectTableRowCountToBeBetween(min_value=1), *(_expectation(check, gxe) for check in checks)]


def _expectation(check: Check, gxe: Any) -> Any:
    if check.same_as:
        return gxe.ExpectColumnPairValuesToBeEqual(
            column_A=check.figure, column_B=check.same_as, ignore_row_if="either_value_is_missing", notes=check.why
        )
    return gxe.ExpectColumnValuesToBeBetween(
        column=check.figure, min_value=check.least, max_value=check.most, notes=check.why
    )


def table(rows: Sequence[Mapping[str, Any]], checks: Sequence[Check]) -> Any:
    """Return the figures that `checks` look at as a data frame with a row for each of `rows`."""
    import pandas as pd

    columns: dict[str, pd.Series] = {}
    for check in checks:
        if check.same_as:
            for name in (check.figure, check.same_as):
                columns[name] = pd.Series([row.get(name) for row in rows], dtype=object)
        else:
            columns[check.figure] = pd.Series([row.get(check.figure) for row in rows], dtype=float)
    return pd.DataFrame(columns)
