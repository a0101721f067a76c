"""The one error tree. Whether something is retried is told by the type, what went wrong by the code.

    FairleadError
    ├── Refused              a rule said no; never retried
    │   ├── BadInput         malformed or impossible request            (HTTP 422)
    │   ├── Unauthenticated  nobody we know                             (HTTP 401)
    │   ├── NotAllowed       somebody we know, who may not              (HTTP 403)
    │   ├── NotFound         the thing named is not there               (HTTP 404)
    │   └── Conflict         the state of the world forbids it          (HTTP 409)
    └── Unavailable          the world said no; retried                 (HTTP 503)

Nothing may branch on `detail`: it is prose for people. Every code stands in `Code` (codes.py) and in
docs/errors.md with its cause and remedy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fairlead.domain.codes import Code


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with an input. `pointer` is an RFC 6901 JSON pointer, lines and columns count from 1."""

    code: Code
    detail: str
    pointer: str = ""
    line: int | None = None
    column: int | None = None


class FairleadError(Exception):
    """Root of everything we raise on purpose.

    `code` is stable, `detail` is prose, `hint` says how to fix it, `fields` carries facts for programs.
    """

    status: ClassVar[int] = 500

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        hint: str | None = None,
        flaws: Sequence[Flaw] = (),
        fields: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.hint = hint
        self.flaws = tuple(flaws)
        self.fields = dict(fields or {})


class Refused(FairleadError):
    """A rule said no. The same request would be refused again, so it is never retried."""

    status = 422


class BadInput(Refused):
    """The request is malformed or asks for something that cannot be."""


class Unauthenticated(Refused):
    """No key, or one we do not know."""

    status = 401


class NotAllowed(Refused):
    """Known, but not allowed to do this."""

    status = 403


class NotFound(Refused):
    """What was named does not exist in this project."""

    status = 404


class Conflict(Refused):
    """The present state forbids it."""

    status = 409


class Unavailable(FairleadError):
    """Something outside cannot be reached or does not answer as it should for now; retried with backoff, or after what it asked for.

    `retry_after`: the seconds it asked us to wait, where it did.
    """

    status = 503

    def __init__(self, code: Code, detail: str, *, retry_after: float | None = None, **more: Any) -> None:
        super().__init__(code, detail, **more)
        self.retry_after = retry_after
