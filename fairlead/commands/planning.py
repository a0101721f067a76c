"""The plan of a promotion as it would be now: of a release into what serves of its environment, or of a retirement."""

from datetime import datetime

from sqlmodel import Session

from fairlead.commands import plans, previews, retiring
from fairlead.commands.inventory import scope_of
from fairlead.commands.previews import Preview
from fairlead.commands.promotions import require_environment
from fairlead.contracts.messages import INTENT_RETIRE
from fairlead.contracts.records import PromotionRecord, ReleaseRecord
from fairlead.contracts.release import Plan
from fairlead.domain.catalogue import Catalogue


def plan_of(
    s: Session,
    catalogue: Catalogue,
    promotion: PromotionRecord,
    release: ReleaseRecord,
    now: datetime,
    versions: plans.Versions = plans.NO_VERSIONS,
) -> Plan:
    """What a promotion will execute. Raises as plans.make_plan and retiring.plan_of do, and Conflict (no_target_serves)."""
    if promotion.intent == INTENT_RETIRE:
        return retiring.plan_of(s, catalogue, promotion)
    scope = scope_of(s, catalogue, require_environment(catalogue, promotion.environment), components(release), now)
    return plans.make_plan(s, catalogue, promotion.environment, release, versions, promotion, scope)


def preview_of(
    s: Session,
    catalogue: Catalogue,
    environment: str,
    release: ReleaseRecord,
    now: datetime,
    versions: plans.Versions = plans.NO_VERSIONS,
    promotion: PromotionRecord | None = None,
) -> Preview:
    """The same beside what runs, also before it has been asked for."""
    if promotion and promotion.intent == INTENT_RETIRE:
        return previews.compared(s, retiring.plan_of(s, catalogue, promotion))
    scope = scope_of(s, catalogue, require_environment(catalogue, environment), components(release), now)
    return previews.preview(s, catalogue, environment, release, versions, promotion, scope)


def components(release: ReleaseRecord) -> tuple[str, ...]:
    """The names of what a release has."""
    return tuple(release.manifest.components)
