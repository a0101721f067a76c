"""What a lane does not even take: whatever could not be kept, shown or sealed would block the lane with trying. Judged before it enters history."""

from fairlead.contracts.messages import LaneRequest, RestraintRequest
from fairlead.domain.codes import Code
from fairlead.domain.requests import flaw_of_ids, flaw_of_instant, flaw_of_text
from workflows.failures import Failure, refusal


def require_lane_request(request: LaneRequest) -> None:
    """Raises an ApplicationError (bad_request)."""
    _refuse(flaw_of_ids(request.request, request.promotion))


def require_restraint_request(request: RestraintRequest) -> None:
    """Raises an ApplicationError (bad_request)."""
    ids = (request.request, request.actor, *(() if request.restraint is None else (request.restraint,)))
    _refuse(flaw_of_ids(*ids) or flaw_of_text(request.reason) or flaw_of_instant(request.until))


def _refuse(flaw: str | None) -> None:
    if flaw:
        raise refusal(Failure(Code.BAD_REQUEST, flaw))
