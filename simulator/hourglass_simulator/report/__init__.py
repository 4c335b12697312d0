"""What came of scenarios: for people in a terminal or a browser, for CI, and byte by byte."""

from hourglass_simulator.report.html import html
from hourglass_simulator.report.junit import junit
from hourglass_simulator.report.performers import performers_at_end, performers_table
from hourglass_simulator.report.summary import summary
from hourglass_simulator.report.terminal import timeline
from hourglass_simulator.report.trace import trace

__all__ = ["html", "junit", "performers_at_end", "performers_table", "summary", "timeline", "trace"]
