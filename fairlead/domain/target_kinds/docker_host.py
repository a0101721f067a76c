"""Docker hosts in the catalogue."""

import re
from typing import Any, Final

from fairlead.domain.blocks import Block
from fairlead.domain.target_kinds.kind import TargetKind

SECTION: Final = "docker"
SECRETS: Final = "secrets"
ENV: Final = "env"
FILES: Final = "files"


def section(block: Block) -> dict[str, Any]:
    """How a component is run in a container: whether its secrets come as variables or as files."""
    secrets = block.choice(SECRETS, ENV, (ENV, FILES))
    block.close()
    return {SECRETS: FILES} if secrets == FILES else {}


KIND = TargetKind(
    endpoint=re.compile(r"unix:///[^\s?#]+"), example="unix:///path/docker.sock", key="docker", sections=(SECTION,)
)
