"""What was handed over is somebody else's for as long as it is there: how that is told, on targets of every type."""

from fairlead.contracts.target import TargetAddress, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict


def handed_over(
    address: TargetAddress | TargetSpec, hint: str = "remove it, or leave it to whoever has it now"
) -> Conflict:
    """Why nothing is done there."""
    detail = f"what runs on {address.target} was handed over, and is not ours any more"
    return Conflict(Code.FOREIGN_WORKLOAD, detail, hint=hint)
