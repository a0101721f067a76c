"""What the errors of the Docker library mean: refused, or to be tried again."""

import contextlib
from collections.abc import Iterator
from typing import Final, NoReturn

import urllib3
from docker import errors

from agents import certificates
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable

_FAILED: Final = 500
_LEAST_ROOM: Final = 8 * 1024**2
"""With less than this an engine can hardly make anything; some of what it has begun it takes away before we look."""


class Vanished(Unavailable):
    """Something that was there a moment ago is not, or the other way round: somebody else is at work. Looking again helps."""


@contextlib.contextmanager
def mapped(refused: Code | None = None) -> Iterator[None]:
    """The library's errors as ours. `refused`: what it means when the engine understood and will not."""
    try:
        yield
    except errors.APIError as error:
        _raise(error, refused)
    except (
        errors.DockerException,
        errors.StreamParseError,
        urllib3.exceptions.HTTPError,  # an answer that breaks off while it is read
        OSError,
        EOFError,  # a tunnel that was cut, from paramiko
    ) as error:
        if no := certificates.refusal(error, "the engine"):
            raise no from error
        raise Unavailable(Code.TARGET_UNREACHABLE, f"the Docker engine does not answer: {error}") from error


def _raise(error: errors.APIError, refused: Code | None) -> NoReturn:
    detail = f"the Docker engine says: {error.explanation or error}"
    if error.status_code in {404, 409}:
        raise Vanished(Code.TARGET_UNREACHABLE, detail) from error
    if refused:
        raise Refused(refused, detail) from error
    raise Unavailable(Code.TARGET_UNREACHABLE, detail) from error


def is_failure(error: BaseException) -> bool:
    """Whether the engine answered that it could not, and not that it would not."""
    said = error.__cause__
    return isinstance(said, errors.APIError) and (said.status_code or 0) >= _FAILED


def is_full(room: int | None, needed: int = 0) -> bool:
    """Whether so little room is left that this will be why something cannot be done that needs so many bytes."""
    return room is not None and room < _LEAST_ROOM + needed
