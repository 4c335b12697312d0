"""What was measured, each figure against its bound, as a table."""

from dataclasses import dataclass, field
from statistics import mean


@dataclass
class Figure:
    """The values of all rounds; their mean counts, to two decimals."""

    bound: float | None
    fewest: float | None
    values: list[float] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """`holds`, `MISSED`, or nothing without a bound."""
        if self.bound is None:
            return ""
        holds = (self.fewest or 0) <= round(mean(self.values), 2) <= self.bound
        return "holds" if holds else "MISSED"

    @property
    def wanted(self) -> str:
        """The bound in words."""
        if self.bound is None:
            return ""
        at_least = f", ≥ {self.fewest:g}" if self.fewest is not None else ""
        return f"≤ {self.bound:g}{at_least}"


class Figures:
    """Figures by name, in the order in which they came."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(
        self, name: str, value: float, bound: float | None = None, fewest: float | None = None
    ) -> None:
        """A value of one round."""
        self._figures.setdefault(name, Figure(bound, fewest)).values.append(value)

    @property
    def missed(self) -> bool:
        """Whether a bound is."""
        return any(figure.verdict == "MISSED" for figure in self._figures.values())

    def table(self) -> str:
        """A Markdown table."""
        rows = [
            (
                name,
                "; ".join(f"{value:.3g}" for value in figure.values),
                figure.wanted,
                figure.verdict,
            )
            for name, figure in self._figures.items()
        ]
        header = ("figure", "by round", "bound", "verdict")
        widths = [max(len(row[column]) for row in (header, *rows)) for column in range(4)]
        lines = [header, tuple("-" * width for width in widths), *rows]
        return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)
