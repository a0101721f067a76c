"""What a promotion or deployment will change, beside what was last verified."""

from sqlmodel import Session

from fairlead.commands import plans
from fairlead.commands.catalogue import of_project
from fairlead.commands.releases import require_release
from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.release import Plan


class PromotionPlan(Frozen):
    """The promotion's plan: the one that votes bind to, else what it would be now.

    `current`: the catalogue of now would make the same; only then are `targets`, the preview, beside it.
    """

    promotion: str
    digest: Digest
    plan: Plan
    current: bool
    targets: tuple[plans.PreviewTarget, ...]


def promotion_plan(s: Session, promotion: PromotionRecord) -> PromotionPlan:
    """What the promotion will execute."""
    release = require_release(s, promotion.project, promotion.release)
    preview = plans.preview(s, of_project(s, promotion.project), promotion.environment, release)
    digest = promotion.plan or preview.digest
    current = digest == preview.digest
    return PromotionPlan(
        promotion=promotion.id,
        digest=digest,
        plan=preview.plan if current else plans.read_plan(s, digest),
        current=current,
        targets=preview.targets if current else (),
    )
