"""What a measurement says: figures in tables, for people and as JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

WIDTH = 150


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. `goal`: the most that `value` should be."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the goal is met, and by how much it is missed."""
        if self.goal is None:
            return ""
        return "met" if self.value <= self.goal else f"missed by {self.value - self.goal:.2f}"


@dataclass(slots=True)
class Section:
    """Figures that belong together; `skipped` says why there are none."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    skipped: str = ""

    def add(self, name: str, value: float, unit: str, *, goal: float | None = None, note: str = "") -> None:
        """Add a line."""
        self.figures.append(Figure(name, value, unit, goal, note))


def median(values: Sequence[float]) -> float:
    """The median; of nothing it is 0."""
    return statistics.median(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies, one of them."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def show(sections: Sequence[Section]) -> None:
    """Print the tables."""
    console = Console(width=WIDTH)
    for section in sections:
        if section.skipped:
            console.print(f"[bold]{section.title}[/]: skipped, {section.skipped}")
            continue
        table = Table("", "figure", "unit", "goal", "", "note", title=section.title, title_justify="left")
        table.columns[1].justify = "right"
        for each in section.figures:
            goal = "" if each.goal is None else f"<= {each.goal:g}"
            table.add_row(each.name, _number(each.value), each.unit, goal, each.verdict, each.note)
        console.print(table)


def save(sections: Sequence[Section], machine: dict[str, float | str], path: Path) -> None:
    """Write everything as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine, "sections": [asdict(section) for section in sections]}
    path.write_text(json.dumps(document, indent=2) + "\n")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
