"""What measured figures must keep to: suites as files, judged by Great Expectations. Used by three steps."""

from tasks.suites.checkpoint import Figures, context, expectations, judge, record, table
from tasks.suites.expectations import PREVIEW, SEGMENTS, suite

__all__ = ["PREVIEW", "SEGMENTS", "Figures", "context", "expectations", "judge", "record", "suite", "table"]
