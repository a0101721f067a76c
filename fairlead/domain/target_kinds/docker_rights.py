"""What a container may do, and of how much: capabilities and limits, by the names that Linux has for them."""

import re
from typing import Final

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.nearest import did_you_mean

_NAMED = (
    "ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID "
    "IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON "
    "SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE "
    "SYS_TIME SYS_TTY_CONFIG WAKE_ALARM"
)
_LIMITED = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack"
_CAPABILITIES: Final = frozenset(_NAMED.split())
_LIMITS: Final = frozenset(_LIMITED.split())
_LIMIT = re.compile(r"(-1|[0-9]{1,18})(:(-1|[0-9]{1,18}))?")


def capabilities(block: Block, key: str) -> list[str]:
    """Without `CAP_`."""
    names = [name.upper().removeprefix("CAP_") for name in block.words(key)]
    for index, name in enumerate(names):
        if name not in _CAPABILITIES:
            block.flaw(
                Code.BAD_VALUE, f"{name!r:.60} is not a capability{did_you_mean(name, _CAPABILITIES)}", key, index
            )
    return sorted(set(names))


def ulimits(block: Block) -> dict[str, str]:
    """`SOFT:HARD` by the limit's name."""
    said = block.strings("ulimits")
    for name, limit in said.items():
        if name not in _LIMITS:
            block.flaw(Code.BAD_VALUE, f"{name!r:.60} is no limit{did_you_mean(name, _LIMITS)}", "ulimits", name)
        elif not _is_limit(limit):
            detail = f"{name}: {limit!r:.60} is not SOFT or SOFT:HARD with SOFT no more than HARD"
            block.flaw(Code.BAD_VALUE, detail, "ulimits", name)
    return {name: _both(limit) for name, limit in said.items()}


def _is_limit(limit: str) -> bool:
    """-1 is without end."""
    if not _LIMIT.fullmatch(limit):
        return False
    soft, hard = (int(number) for number in _both(limit).split(":"))
    return hard == -1 or 0 <= soft <= hard


def _both(limit: str) -> str:
    soft, _, hard = limit.partition(":")
    return f"{soft}:{hard or soft}"
