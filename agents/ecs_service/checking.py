"""Whether AWS has such fields at all, of such types: told from the library's own description of its API, before anything is asked."""

from functools import cache
from typing import Any

from agents.ecs_service.marks import Json
from agents.ecs_service.refusals import invalid


def validate(operation: str, said: Json) -> None:
    """Raises Refused (definition_invalid)."""
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(said, _model().operation_model(operation).input_shape)
    if report.has_errors():
        raise invalid(f"AWS has no such {operation}: {report.generate_report()}")


@cache
def _model() -> Any:
    from botocore.session import Session

    return Session().get_service_model("ecs")
