"""From a code, as workflows and their records carry it, back to the error that it was."""

from collections.abc import Mapping

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, FairleadError, NotAllowed, NotFound, Refused, Unavailable

_FORBIDDEN = {
    Code.NOT_ALLOWED,
    Code.VOTE_BY_REQUESTER,
    Code.VOTE_NOT_ELIGIBLE,
    Code.VOTE_WRONG_VOTER,
    Code.VOTE_UNKNOWN_KEY,
}
_CONFLICTS = {
    Code.PROMOTION_CLOSED,
    Code.PROMOTION_NOT_CLOSED,
    Code.HISTORY_CONFLICT,
    Code.BAD_TRANSITION,
    Code.VOTE_WRONG_PLAN,
    Code.VOTE_STALE,
    Code.VOTE_NOT_LATER,
    Code.VOTE_REPLAYED,
    Code.VOTE_EXPIRED,
    Code.VOTES_NOT_OPEN,
    Code.VOTES_CLOSED,
    Code.CANCELLED,
    Code.TERMINATED,
}
_UNAVAILABLE = {Code.DATABASE_UNAVAILABLE, Code.TEMPORAL_UNAVAILABLE, Code.REGISTRY_UNAVAILABLE, Code.TIMED_OUT}


def refusal(code: str | None, detail: str, fields: Mapping[str, object]) -> FairleadError:
    """The error with this code. One that is not ours is a bug of ours, as `internal_error` is."""
    if code not in set(Code) or code == Code.INTERNAL_ERROR:
        return FairleadError(Code.INTERNAL_ERROR, f"a workflow failed: {detail}", fields={"type": str(code)})
    known = Code(code)
    return _kind(known)(known, detail, fields=fields)


def _kind(code: Code) -> type[Refused | Unavailable]:
    if code.endswith("_not_found"):
        return NotFound
    if code in _FORBIDDEN:
        return NotAllowed
    if code in _CONFLICTS:
        return Conflict
    return Unavailable if code in _UNAVAILABLE else BadInput
