#!/usr/bin/env bash
# great-expectations holds a table against expectations. One expects that a table which lacks every row fails a suite
# that asks for values, for uniqueness and for a range.
# Expectations on the single values of a column (not null, unique, in a set, between) pass for a table without rows;
# those on aggregates (max, mean) fail. A column of nothing but nulls is treated the same way.
# When a step hands on nothing, the suite in front of the database of mines says that all is well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet great_expectations==1.24.1 pandas==3.1.1

cd "$work"
HOME="$work" "$work/venv/bin/python" -W ignore - <<'PY'
import sys

import great_expectations as gx
import pandas as pd
from great_expectations import expectations as gxe

print(f"great_expectations {gx.__version__}, pandas {pd.__version__}")
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
source = context.data_sources.add_pandas("measured")


def judged(name: str, table: pd.DataFrame, *asked: gxe.Expectation) -> dict[str, bool]:
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
    results = batch.validate(gx.ExpectationSuite(name=name, expectations=list(asked))).results
    found = {result.expectation_config.type.removeprefix("expect_"): bool(result.success) for result in results}
    print(f"{name}: " + ", ".join(f"{what} {'passes' if ok else 'fails'}" for what, ok in sorted(found.items())))
    return found


mines = pd.DataFrame({"mine": ["east pit", "west pit"], "hectares": [1.0, 2.0]})
values = (
    gxe.ExpectColumnValuesToNotBeNull(column="mine"),
    gxe.ExpectColumnValuesToBeUnique(column="mine"),
    gxe.ExpectColumnValuesToBeInSet(column="mine", value_set=["no such mine"]),
    gxe.ExpectColumnValuesToBeBetween(column="hectares", min_value=100),
)
aggregates = (
    gxe.ExpectColumnMaxToBeBetween(column="hectares", min_value=0),
    gxe.ExpectColumnMeanToBeBetween(column="hectares", min_value=0),
)
two = judged("two rows", mines, *values)
none = judged("no rows, values", mines.iloc[:0], *values)
none_at_all = judged("no rows, aggregates", mines.iloc[:0], *aggregates)
nulls = judged("nulls", pd.DataFrame({"hectares": [None, None]}, dtype=float), values[3], aggregates[0])
counted = judged("no rows, counted", mines.iloc[:0], *values, gxe.ExpectTableRowCountToBeBetween(min_value=1))
if all(two.values()) or not all(none.values()):
    sys.exit("changed: a table without rows no longer passes where one with rows fails")
if any(none_at_all.values()) or nulls != {"column_values_to_be_between": True, "column_max_to_be_between": False}:
    sys.exit("changed: aggregates of nothing pass now, or nulls are treated otherwise")
if counted["table_row_count_to_be_between"]:
    sys.exit("changed: the count of rows does not refuse an empty table")
print("as described: values that are not there pass; only the count of rows tells an empty table")
PY
