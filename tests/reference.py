"""docs/commands.md, written from the command line itself: `python -m tests.reference`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from fairlead.cli.main import build

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
_HEAD = """\
# Commands

Each takes `--help`, and `--json` where it tells something. Exit codes: [exits](../fairlead/cli/exits.py). This page is written from the
command line itself; a test compares them.

| command | what it does |
|---|---|
"""


def page() -> str:
    """Every command, in the order of its name."""
    return _HEAD + "".join(f"| `fairlead {words}` | {what} |\n" for words, what in sorted(_commands(_root(), "")))


def _root() -> Any:
    return typer.main.get_command(build())


def _commands(group: Any, before: str) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        words = f"{before} {name}".strip()
        if hasattr(command, "commands"):
            yield from _commands(command, words)
        elif not command.hidden:
            arguments = "".join(_argument(part) for part in command.params if part.param_type_name == "argument")
            yield _cell(words + arguments), _cell((command.help or "").strip().partition("\n")[0])


def _argument(part: Any) -> str:
    name = (part.metavar or part.name.upper()).strip("[].") + ("..." if part.nargs == -1 else "")
    return f" {name}" if part.required else f" [{name}]"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
