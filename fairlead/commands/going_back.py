"""Which release an environment goes back to when nobody says which."""

from collections.abc import Iterator

from sqlmodel import Session

from fairlead.contracts.records import TaskRecord
from fairlead.domain.catalogue import Environment
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.store import deployments, promotions


def release_before(s: Session, project: str, environment: Environment) -> str:
    """The release to go back to: what was verified last, or, where that is what runs now, the other one before.

    Raises Conflict (nothing_to_roll_back_to).
    """
    histories = [list(_verified_tasks(s, project, environment.name, target)) for target in environment.targets]
    now = {tasks[0].release_digest for tasks in histories if tasks}
    if _last_one_failed(s, project, environment.name):
        now = set()
    before = [task for tasks in histories for task in tasks if task.release_digest not in now]
    if not before:
        raise Conflict(Code.NOTHING_TO_ROLL_BACK_TO, f"no other release was ever verified in {environment.name}")
    return max(before, key=lambda task: _number(s, task)).release


def _verified_tasks(s: Session, project: str, environment: str, target: str) -> Iterator[TaskRecord]:
    """The tasks that brought a target into a verified state, the latest first."""
    task = deployments.last_verified_task(s, project, environment, target)
    while task is not None:
        yield task
        task = deployments.last_verified_task(s, project, environment, target, before_number=_number(s, task))


def _number(s: Session, task: TaskRecord) -> int:
    deployment = deployments.get(s, task.deployment)
    return deployment.number if deployment else 0


def _last_one_failed(s: Session, project: str, environment: str) -> bool:
    """Whether the latest deployment there has ended without being verified, so that nobody knows what runs."""
    last = deployments.last_verified(s, project, environment)
    newest = max(
        (
            deployment
            for promotion in promotions.list_promotions(s, project, environment=environment, limit=10)
            for deployment in deployments.of_promotion(s, promotion.id)
        ),
        key=lambda deployment: deployment.number,
        default=None,
    )
    return newest is not None and newest.state.is_terminal and (last is None or newest.number > last.number)
