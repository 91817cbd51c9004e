"""Holds measured figures against the checks of a suite with great-expectations, and words what failed.

`validate` judges acquisitions with it, `preview` previews, `store` the polygons of an epoch.
"""

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


def judge(*, suite: str, figures: Mapping[str, Any], checks: Sequence[Check]) -> Judgement:
    """Hold `figures` against `checks` in an ephemeral great-expectations context."""
    # Imported here: the import takes two seconds, and most commands judge nothing.
    import great_expectations as gx

    asset = context().data_sources.add_pandas("measured").add_dataframe_asset(suite)
    batch = asset.add_batch_definition_whole_dataframe("row").get_batch({"dataframe": table([figures], checks)})
    outcome = batch.validate(gx.ExpectationSuite(name=suite, expectations=expectations(checks)))
    failed: list[Any] = [single.expectation_config for single in outcome.results if not single.success]
    worded = {check.figure: check.worded(figures) for check in checks}
    reasons = [worded.get(of.kwargs.get("column") or of.kwargs.get("column_A", ""), "") for of in failed]
    return Judgement(bool(outcome.success), [reason or "nothing was measured" for reason in reasons])


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
