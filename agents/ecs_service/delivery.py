"""How secrets reach tasks: a secret of AWS Secrets Manager for each configuration of a component, which the task's execution role reads.

The task definition holds its ARN only, so it can be shown and sealed. A configuration covers the versions of its secrets: what lies
under its name is always the same, whoever writes it.
"""

import json
from typing import Final

from agents.ecs_service import marks
from agents.ecs_service.cluster import Cluster
from agents.ecs_service.marks import Json
from agents.ecs_service.refusals import invalid
from agents.secrets import Safe
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.errors import Refused

_SHOWN: Final = 16


def deliver(cluster: Cluster, spec: TargetSpec, safe: Safe) -> dict[str, str]:
    """Write the values of a specification; answers the ARNs by component. Raises as Safe.of does."""
    return {
        component.name: cluster.put_secret(_name(spec, component), json.dumps(safe.of(component), ensure_ascii=False))
        for component in spec.components
        if component.config.secrets
    }


def require_reader(spec: TargetSpec) -> None:
    """Raise Refused (definition_invalid) where no role could read them."""
    if any(c.config.secrets for c in spec.components) and "executionRoleArn" not in spec.options.get("definition", {}):
        raise _no_reader()


def take_away(cluster: Cluster, spec: TargetSpec, definition: Json) -> None:
    """Forget the secrets that a task definition names, if they are the target's."""
    said = [one for c in marks.components_in(definition).values() for one in c.get("secrets") or []]
    for arn in sorted({_arn(str(one.get("valueFrom", ""))) for one in said}):
        if f":secret:{marks.secret_prefix(spec)}" in arn:
            cluster.drop_secret(arn)


def _no_reader() -> Refused:
    return invalid(
        "components with secrets need an `executionRoleArn` in the target's `definition`, which may read them"
    )


def _name(spec: TargetSpec, component: ComponentSpec) -> str:
    config = component.config_digest.removeprefix("sha256:")[:_SHOWN]
    return f"{marks.secret_prefix(spec)}{component.name}/{config}"


def _arn(value: str) -> str:
    """Without the key that stands behind it."""
    return ":".join(value.split(":")[:7])
