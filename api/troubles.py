"""What keeps a promotion from going on that no record tells: steps that fail and are tried again, by Temporal's word."""

from api import why
from api.services import Services
from api.standing import Standing
from fairlead.contracts import names
from fairlead.contracts.steps import Blocker
from fairlead.domain.errors import Unavailable
from fairlead.domain.states import PromotionState


async def troubles(services: Services, standing: Standing) -> tuple[Blocker, ...]:
    """Nothing before its workflow has begun and after it has ended; that Temporal is away is an answer, too."""
    state = standing.promotion.state
    if state is PromotionState.REQUESTED or state.is_terminal:
        return ()
    workflows = [names.promotion_workflow(standing.promotion.id)]
    workflows += [names.deployment_workflow(d.id) for d in standing.deployments if not d.state.is_terminal]
    try:
        found = [retry for workflow in workflows for retry in await services.orchestrator.retries(workflow)]
    except Unavailable as error:
        return (Blocker(code=error.code, detail=error.detail, rule="temporal"),)
    return why.by_retries(found)
