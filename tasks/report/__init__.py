"""What became of a mine: tables, a picture, files for other programs. Reads, changes nothing."""

from tasks.report import export
from tasks.report.report import Report, picture, report

__all__ = ["Report", "export", "picture", "report"]
