"""Fields that several target types have: texts of a pattern, references to secrets, durations that are left out where they are as usual."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from fairlead.domain import secret_references
from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.durations import format_duration


def matching(block: Block, key: str, pattern: re.Pattern[str], meant: str) -> str:
    """A text that is matched as a whole, or empty."""
    text = block.text(key)
    if text and not pattern.fullmatch(text):
        block.flaw(Code.BAD_VALUE, f"{text!r:.80} is not {meant}", key)
    return text


def reference(block: Block, key: str) -> str:
    """Where a secret lies. What stands there is not repeated when it is none: it may be the secret itself."""
    text = block.text(key)
    try:
        if text:
            secret_references.parse(text)
    except ValueError as error:
        block.flaw(Code.BAD_VALUE, str(error), key)
    return text


def seconds(block: Block, key: str, usual: float, least: float, most: float) -> str:
    """A duration, empty where it is as usual."""
    said = block.duration(key, usual, least, most)
    return format_duration(said) if said != usual else ""


def is_loopback(endpoint: str) -> bool:
    """Whether what is sent there never leaves this machine."""
    try:
        host = urlsplit(endpoint).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
