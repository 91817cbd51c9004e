"""What measured figures must keep to: suites as files, judged by Great Expectations. Used by three steps."""

from tasks.suites.checkpoint import Figures, Judgement, context, expectations, judge, table
from tasks.suites.expectations import LOOK, SEGMENTS, suite

__all__ = ["LOOK", "SEGMENTS", "Figures", "Judgement", "context", "expectations", "judge", "suite", "table"]
