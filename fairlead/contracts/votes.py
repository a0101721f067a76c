"""A vote as it is signed, as it is judged, and the terms it is judged by (interface.md 6)."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from fairlead.contracts.base import Frozen, Strict
from fairlead.contracts.canonical import Digest

VOTE_PAYLOAD_TYPE: Final = "application/vnd.fairlead.vote.v1+json"
MAX_VOTE_BYTES: Final = 16_384


class Choice(StrEnum):
    """What a voter says. A signed cancel is a vote envelope too, but never counts as a vote."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"


class VotePayload(Strict):
    """What a voter signs, as RFC 8785 bytes. `release` and `plan` are digests, `time` is RFC 3339 in UTC with `Z`."""

    project: str
    promotion: str
    release: Digest
    environment: str
    plan: Digest
    choice: Choice
    comment: str = ""
    voter: str
    assurance: str
    nonce: str
    time: datetime


class ApprovalTerms(Frozen):
    """The approval rule as it stood when the promotion was judged. `opened`: when votes were first taken for this plan."""

    count: int
    groups: dict[str, int] = {}
    requester: str
    expires_after: float
    opened: datetime | None = None
    expires: datetime | None = None


class VoteAnswer(Frozen):
    """What became of a vote. `code` and `detail` say why it was refused; `actor` is `unknown` while unproven."""

    accepted: bool
    digest: Digest
    actor: str
    choice: Choice | None = None
    code: str | None = None
    detail: str = ""
