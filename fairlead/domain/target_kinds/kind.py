"""What there is to say of one target type in a catalogue."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fairlead.domain.blocks import Block

Reader = Callable[[Block], dict[str, Any]]
"""Takes every field of a block, closes it, and answers its normal form: JSON that reads back as itself, with nothing empty in it."""


def nothing(block: Block) -> dict[str, Any]:
    """There is nothing to say."""
    block.close()
    return {}


@dataclass(frozen=True, slots=True)
class TargetKind:
    """`endpoint` is matched as a whole, `example` shows one.

    `key` names the block of a target's own options, which `options` reads. `sections` are the blocks of a component that say how it runs on
    such a target; they are rendered into its configuration there, and nowhere else.
    """

    endpoint: re.Pattern[str]
    example: str
    key: str
    options: Reader = nothing
    sections: tuple[str, ...] = ()
