"""Rows that must be there: what workflows name exists, or their step is refused."""

from sqlmodel import Session

from fairlead.commands import catalogue, plans
from fairlead.contracts.records import DeploymentRecord, PromotionRecord, ReleaseRecord, TaskRecord
from fairlead.contracts.release import Plan
from fairlead.domain.catalogue import Catalogue
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.store import deployments, projects, promotions, releases


def promotion(s: Session, id: str) -> PromotionRecord:
    """A promotion. Raises NotFound (promotion_not_found)."""
    found = promotions.get(s, id)
    if found is None:
        raise NotFound(Code.PROMOTION_NOT_FOUND, f"there is no promotion {id}")
    return found


def release(s: Session, project: str, digest: str) -> ReleaseRecord:
    """A release by its identity. Raises NotFound (release_not_found)."""
    found = releases.by_digest(s, project, digest)
    if found is None:
        raise NotFound(Code.RELEASE_NOT_FOUND, f"project {project} has no release {digest}")
    return found


def project_catalogue(s: Session, project: str) -> Catalogue:
    """What a project declares now. Raises NotFound (project_not_found)."""
    found = projects.get(s, project)
    if found is None:
        raise NotFound(Code.PROJECT_NOT_FOUND, f"there is no project {project}")
    return catalogue.load(found.catalogue)


def plan(s: Session, digest: str | None) -> Plan:
    """A plan by its digest. Raises NotFound (digest_not_found)."""
    if digest is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, "no plan has been made")
    return plans.read_plan(s, digest)


def deployment(s: Session, id: str) -> DeploymentRecord:
    """A deployment. Raises NotFound (deployment_not_found)."""
    found = deployments.get(s, id)
    if found is None:
        raise NotFound(Code.DEPLOYMENT_NOT_FOUND, f"there is no deployment {id}")
    return found


def task(s: Session, deployment: str, target: str) -> TaskRecord:
    """A deployment's work on one target. Raises NotFound (target_not_found)."""
    found = deployments.task(s, deployment, target)
    if found is None:
        raise NotFound(Code.TARGET_NOT_FOUND, f"deployment {deployment} has no target {target}")
    return found
