"""What components print, where their containers log to CloudWatch Logs."""

from agents.ecs_service import marks
from agents.ecs_service.cluster import Cluster
from agents.ecs_service.reading import Task

_DRIVER = "awslogs"


def of_task(cluster: Cluster, task: Task, component: str, lines: int) -> list[str]:
    """The end of what a component printed in one task; nothing where it logs elsewhere."""
    said = marks.components_in(cluster.definition(task.definition)).get(component)
    log = (said or {}).get("logConfiguration") or {}
    options = log.get("options") or {}
    if not said or log.get("logDriver") != _DRIVER or "awslogs-stream-prefix" not in options:
        return []
    stream = f"{options['awslogs-stream-prefix']}/{said['name']}/{task.id}"
    return cluster.printed(options["awslogs-group"], stream, lines)
