"""The end of what was printed, where all of it would be too much. Standard library only: hosts cut their logs themselves."""

from __future__ import annotations

from typing import Final

READ: Final = 64 * 1024
"""So much of what was printed is read to be told with an error; first it is masked."""
TOLD: Final = 4000
TOO_LONG: Final = "(a line that is too long to be shown)"


def told(masked: str) -> str:
    """The end of what has been masked: there is no secret left that a cut could go through."""
    return masked[-TOLD:]


def end_of(text: str, most: int) -> str:
    """The last whole lines of a text, at most so many characters."""
    return text if len(text) <= most else whole_lines(text[-most:])


def whole_lines(text: str) -> str:
    """A text whose beginning was cut off, without its first line: half a secret may stand there, which nobody would know for one."""
    return text.partition("\n")[2] or TOO_LONG
