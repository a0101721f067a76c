"""What a promotion or deployment will change, beside what was last verified."""

from api.services import Services
from fairlead.commands import planning, plans
from fairlead.commands.catalogue import of_project
from fairlead.commands.inventory import TargetStatus
from fairlead.commands.previews import Preview, PreviewTarget
from fairlead.commands.releases import require_release
from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.messages import INTENT_RETIRE
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.release import Plan
from fairlead.domain.errors import FairleadError


class PromotionPlan(Frozen):
    """The promotion's plan: the one that votes bind to, else what it would be now.

    `current`: the catalogue of now would make the same; only then is the preview beside it (`targets`, `skipped`, `without`).
    """

    promotion: str
    digest: Digest
    plan: Plan
    current: bool
    targets: tuple[PreviewTarget, ...]
    skipped: tuple[TargetStatus, ...] = ()
    without: tuple[str, ...] = ()


def dry_run(
    services: Services, project: str, environment: str, version: str, promotion: PromotionRecord | None = None
) -> Preview:
    """What promoting a release would change. Raises NotFound, and what the places of its secrets raise."""
    db = services.database
    with db.session() as s:
        release = require_release(s, project, version)
        if promotion and promotion.intent == INTENT_RETIRE:
            return planning.preview_of(s, of_project(s, project), environment, release, services.now(), {}, promotion)
        references = plans.secret_references(s, of_project(s, project), environment, release, promotion)
    versions = plans.secret_versions(services.secrets, references)
    with db.session() as s:
        now = services.now()
        return planning.preview_of(s, of_project(s, project), environment, release, now, versions, promotion)


def promotion_plan(services: Services, promotion: PromotionRecord) -> PromotionPlan:
    """What the promotion will execute; what is fixed is told, whatever the places of secrets say now."""
    try:
        preview = dry_run(services, promotion.project, promotion.environment, promotion.release, promotion)
    except FairleadError:
        if promotion.plan is None:
            raise
        preview = None
    digest = promotion.plan or (preview.digest if preview else "")
    if preview and digest == preview.digest:
        return PromotionPlan(promotion=promotion.id, current=True, **dict(preview))
    with services.database.session() as s:
        plan = plans.read_plan(s, digest)
    return PromotionPlan(promotion=promotion.id, digest=digest, plan=plan, current=False, targets=())
