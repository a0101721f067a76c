"""Process hosts in the catalogue."""

import re

from fairlead.domain.target_kinds import hooks
from fairlead.domain.target_kinds.kind import TargetKind

KIND = TargetKind(
    endpoint=re.compile(r"process:([a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?|///[^\s?#]+)"),
    example="process:NAME",
    key="process",
    objections=hooks.without_containers,
    sections=(hooks.SECTION,),
)
