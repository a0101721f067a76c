"""What there is to say of one target type in a catalogue."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code

Reader = Callable[[Block], dict[str, Any]]
"""Takes every field of a block, closes it, and answers its normal form: JSON that reads back as itself, with nothing empty in it."""

Checker = Callable[[Block, str, Mapping[str, Any]], None]
"""Notes in a target's block what its endpoint and its options do not allow together."""

Objection = tuple[Code, str]
Objector = Callable[[Mapping[str, Mapping[str, Any]], Mapping[str, Any]], list[Objection]]
"""What of a component's blocks a target with such options does not allow, or cannot do."""


def nothing(block: Block) -> dict[str, Any]:
    """There is nothing to say."""
    block.close()
    return {}


def any_goes(block: Block, endpoint: str, options: Mapping[str, Any]) -> None:
    """Any endpoint goes with any options."""


def all_is_well(run: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]) -> list[Objection]:
    """Anything is allowed."""
    return []


@dataclass(frozen=True, slots=True)
class TargetKind:
    """`endpoint` is matched as a whole, `example` shows one.

    `key` names the block of a target's own options, which `options` reads and `check` holds against the endpoint. `sections` are the blocks
    of a component that say how it runs on such a target; they are rendered into its configuration there, and nowhere else.
    """

    endpoint: re.Pattern[str]
    example: str
    key: str
    options: Reader = nothing
    check: Checker = any_goes
    objections: Objector = all_is_well
    sections: tuple[str, ...] = ()
