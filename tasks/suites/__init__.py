"""What measured figures must keep to: suites as files, judged by Great Expectations. Used by three steps."""

from tasks.suites.checkpoint import Figures, Judgement, context, expectations, judge, table
from tasks.suites.expectations import PREVIEW, SEGMENTS, suite

__all__ = ["PREVIEW", "SEGMENTS", "Figures", "Judgement", "context", "expectations", "judge", "suite", "table"]
