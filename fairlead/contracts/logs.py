"""Asking for what an application printed. The lines themselves go through Postgres, masked; Temporal sees none of them."""

from typing import Final

from fairlead.contracts.base import Frozen

MOST_LINES: Final = 1000
MOST_BYTES: Final = 64 * 1024
"""Of one component: what an executor gives at most, and what is kept."""


class ReadLogs(Frozen):
    """Read the last lines of what runs on a target now. `component` None: of all."""

    project: str
    target: str
    component: str | None = None
    lines: int = 100


class LogsRead(Frozen):
    """What was read into the store: of which deployment, which components. `code`: why nothing could be read."""

    deployment: str = ""
    components: tuple[str, ...] = ()
    code: str | None = None
    detail: str = ""
