"""Health of what runs, ordered by severity so that several merge by one rule."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Health(StrEnum):
    """From best to worst. `unverifiable`: it runs, but nobody can say what or how well; never ok."""

    HEALTHY = "healthy"
    STARTING = "starting"
    UNVERIFIABLE = "unverifiable"
    UNHEALTHY = "unhealthy"
    MISSING = "missing"


_ORDER = list(Health)


def worst(healths: Iterable[Health]) -> Health:
    """The worst of several; nothing at all is `missing`."""
    return max(healths, key=_ORDER.index, default=Health.MISSING)
