"""Having workers ask targets whether they are fit, a few at a time; no answer is an answer too."""

import asyncio
from collections.abc import Sequence

from api.services import Services
from fairlead.commands.ids import new_id
from fairlead.contracts.checks import CheckTarget, TargetChecked, TargetFinding
from fairlead.domain.errors import Unavailable
from fairlead.domain.grades import Grade

AT_ONCE = 10


async def check_all(services: Services, project: str, targets: Sequence[str]) -> tuple[TargetChecked, ...]:
    """Ask each of these."""
    places = asyncio.Semaphore(AT_ONCE)

    async def check(target: str) -> TargetChecked:
        async with places:
            return await _check(services, CheckTarget(project=project, target=target))

    return tuple(await asyncio.gather(*(check(target) for target in targets)))


async def _check(services: Services, request: CheckTarget) -> TargetChecked:
    try:
        return await services.orchestrator.check_target(request, new_id())
    except Unavailable as error:
        found = TargetFinding(
            check="worker",
            grade=Grade.FAILED,
            detail=error.detail,
            fix="fairlead doctor tells whether workers are there",
            code=str(error.code),
        )
        return TargetChecked(target=request.target, items=(found,))
