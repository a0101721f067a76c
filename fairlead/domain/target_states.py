"""In which states targets are, and which of them a deployment may change."""

from datetime import datetime
from enum import StrEnum


class TargetState(StrEnum):
    """Whether a target serves. `retiring`: a promotion that retires it has been asked for, and has not ended."""

    ACTIVE = "active"
    MAINTENANCE = "maintenance"
    RETIRING = "retiring"
    RETIRED = "retired"

    @property
    def serves(self) -> bool:
        """Whether promotions go there. One that is to be retired serves until it is."""
        return self in {TargetState.ACTIVE, TargetState.RETIRING}


def in_force(until: datetime | None, now: datetime) -> bool:
    """Whether what lasts until then lasts: up to, but without that instant, as with freezes."""
    return until is None or now < until
