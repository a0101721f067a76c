"""The exit codes of interface.md 3."""

from typing import Final

FAILED: Final = 1
"""The thing asked for failed."""
USAGE: Final = 2
"""Wrong usage or bad input."""
FORBIDDEN: Final = 3
MISSING: Final = 4
UNREACHABLE: Final = 5
TIMED_OUT: Final = 6

_BY_STATUS = {
    401: FORBIDDEN,
    403: FORBIDDEN,
    404: MISSING,
    500: FAILED,
    502: UNREACHABLE,
    503: UNREACHABLE,
    504: UNREACHABLE,
}


def of_status(status: int) -> int:
    """The exit code for a refused request, or for an error of ours by the status it stands for."""
    return _BY_STATUS.get(status, USAGE if status < 500 else FAILED)
