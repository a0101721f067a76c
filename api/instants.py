"""Times as clients send them: text with a zone, as the OpenAPI document says. A bare number could be seconds or milliseconds, so it is none."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from fairlead.domain.instants import in_utc

_DATE_FIRST = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


def _only_text(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE_FIRST.match(value)):
        return value
    raise ValueError("a time is text such as 2030-01-31T18:00:00Z")


Instant = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(in_utc)]
"""In UTC, whatever zone it was sent with; what is none there is refused."""
