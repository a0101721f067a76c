"""How a component is run in a container, wherever the engine is."""

from typing import Any, Final

from fairlead.domain.blocks import Block

SECTION: Final = "docker"
SECRETS: Final = "secrets"
ENV: Final = "env"
FILES: Final = "files"


def section(block: Block) -> dict[str, Any]:
    """Whether its secrets come as variables or as files."""
    secrets = block.choice(SECRETS, ENV, (ENV, FILES))
    block.close()
    return {SECRETS: FILES} if secrets == FILES else {}
