"""Names for what is called otherwise elsewhere."""

import re

from fairlead.domain.blocks import is_name

_OTHER = re.compile(r"[^a-z0-9]+")
_LONGEST = 40


def name_from(text: str) -> str | None:
    """The nearest name that we take; None where nothing is left of it."""
    name = _OTHER.sub("-", text.lower()).strip("-")[:_LONGEST].strip("-")
    return name if is_name(name) else None
