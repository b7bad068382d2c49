"""What people look at after a load test: one HTML page, or a few lines for a pull request."""

from seawall.measure.report._many import Run
from seawall.measure.report._markdown import markdown
from seawall.measure.report._page import report

__all__ = ["Run", "markdown", "report"]
