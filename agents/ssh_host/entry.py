"""What our program on a host does when it is started: `session ROOT` for a worker, `supervise FOLDER` for as long as applications run.

It is written for Python 3.11; what 3.9 and 3.10 lack is put in place before anything else is imported.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
from pathlib import Path
from typing import Any


def main(path: str, words: list[str]) -> None:
    """`path`: where the program's first file lies."""
    if sys.version_info < (3, 11):
        _catch_up()
    order, place = words[0], Path(words[1])
    if order == "session":
        from agents.ssh_host.session import serve

        serve(Path(path).parent, place)
        return
    from agents.process_host.folder import TargetFolder
    from agents.process_host.supervisor import detach, supervise

    if order == "supervise":
        detach(TargetFolder(place))
    elif order == "keep":  # under systemd, which wants to see it
        supervise(TargetFolder(place), lambda: None)


def _catch_up() -> None:
    class StrEnum(str, enum.Enum):
        def __str__(self) -> str:
            return str(self.value)

    enum.StrEnum = StrEnum  # type: ignore[misc,assignment]
    if sys.version_info < (3, 10):
        plain = dataclasses.dataclass

        def without_slots(cls: Any = None, **how: Any) -> Any:
            how.pop("slots", None)
            return plain(cls, **how)

        dataclasses.dataclass = without_slots  # type: ignore[assignment]
