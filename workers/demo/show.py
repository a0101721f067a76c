"""What the audience sees: a live list of steps on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

RECENT = 8


class CheckFailed(Exception):
    """The targets do not show what the story says."""


class Show:
    """Tells the story and keeps the checks. `checks` maps each check's name to whether it held."""

    def __init__(self) -> None:
        self.checks: dict[str, bool] = {}
        self._console = Console(file=sys.stdout, highlight=False)
        self._lines: list[Text] = []
        self._began = time.monotonic()
        self._live: Live | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the story runs; on a terminal the last lines stay in view under the finished steps."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=8, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self._began, 1)

    def step(self, number: int, title: str) -> None:
        """A new chapter."""
        self._flush()
        self._print(Text(f"\n{number}. {title}", style="bold"))

    def say(self, text: str) -> None:
        """Something that has just happened."""
        self._add(Text(f"   {self.seconds:6.1f}s  {text}"))

    def check(self, name: str, held: bool, seen: object = "") -> None:
        """Something the targets show. Raises CheckFailed where they do not."""
        self.checks[name] = held
        mark, style = ("✓", "green") if held else ("✗", "bold red")
        self._add(Text(f"   {self.seconds:6.1f}s  {mark} {name}" + (f": {seen}" if seen else ""), style=style))
        if not held:
            raise CheckFailed(f"{name}: {seen}")

    def end(self) -> None:
        """Nothing more will come."""
        self._flush()

    def _add(self, line: Text) -> None:
        if self._live is None:
            self._console.print(line, soft_wrap=True)
            return
        self._lines.append(line)
        self._live.update(Group(*self._lines[-RECENT:]))

    def _flush(self) -> None:
        for line in self._lines:
            self._print(line)
        self._lines.clear()
        if self._live:
            self._live.update(Text(""))

    def _print(self, line: Text) -> None:
        (self._live.console if self._live else self._console).print(line, soft_wrap=True)
