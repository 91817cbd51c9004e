"""Runs a great-expectations checkpoint on a one-row table of measured figures and words what failed.

`validate` judges acquisitions with it, `store` the polygons of an epoch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """A figure that must lie in [least, most]; `reason` words the failure and may use {value} and {percent}.

    A figure that is None (could not be measured) passes.
    """

    figure: str
    least: float | None
    most: float | None
    reason: str


@dataclass(frozen=True)
class Judgement:
    """Whether every check held, and if not, why."""

    passed: bool
    reasons: list[str]


def judge(*, suite: str, figures: Mapping[str, Any], checks: Sequence[Check]) -> Judgement:
    """Hold `figures` against `checks` in a checkpoint of an ephemeral great-expectations context."""
    # Imported here: the import takes two seconds, and most commands judge nothing.
    import great_expectations as gx
    import pandas as pd

    table = pd.DataFrame([{check.figure: figures[check.figure] for check in checks}], dtype=float)
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("measured").add_dataframe_asset(suite)
    expectations: list[Any] = [gx.expectations.ExpectTableRowCountToBeBetween(min_value=1)]
    expectations += [
        gx.expectations.ExpectColumnValuesToBeBetween(
            column=check.figure, min_value=check.least, max_value=check.most, meta={"reason": _worded(check, figures)}
        )
        for check in checks
    ]
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(
            name=suite,
            data=asset.add_batch_definition_whole_dataframe("row"),
            suite=context.suites.add(gx.ExpectationSuite(name=suite, expectations=expectations)),
        )
    )
    checkpoint = context.checkpoints.add(gx.Checkpoint(name=suite, validation_definitions=[definition]))
    outcome = checkpoint.run(batch_parameters={"dataframe": table})
    (result,) = outcome.run_results.values()
    failed: list[Any] = [single for single in result.results if not single.success]
    reasons = [(single.expectation_config.meta or {}).get("reason", "nothing was measured") for single in failed]
    return Judgement(bool(outcome.success), reasons)


def _worded(check: Check, figures: Mapping[str, Any]) -> str:
    value = figures[check.figure]
    return "" if value is None else check.reason.format(value=value, percent=round(100 * value))
