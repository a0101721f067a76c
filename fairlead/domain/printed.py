"""What applications printed, made fit to be kept and shown: bounded, whole lines, without secrets."""

import re
from collections.abc import Collection

from fairlead.domain.masking import mask

WITHHELD = "(withheld: a secret that may stand here cannot be read, so it cannot be masked)"

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_STEERING = {
    **{number: f"\\x{number:02x}" for number in (*range(0x20), *range(0x7F, 0xA0)) if chr(number) not in "\n\t"},
    **{number: f"\\u{number:04x}" for number in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}


def harmless(text: str) -> str:
    """What somebody else wrote, fit for a terminal: without colours, and what would steer it, or turn the direction of text, is spelt out."""
    return _COLOUR.sub("", text).translate(_STEERING)


def presentable(text: str, values: Collection[str] | None, *, lines: int, most: int) -> str:
    """The last `lines`, at most `most` characters, masked. `values` None: they cannot be had, so nothing is shown.

    Of what came cut the first line goes, lest half a secret stands there: whoever cut it does not know secrets.
    """
    if values is None:
        return WITHHELD if text else ""
    whole = text.replace("\0", "").encode(errors="replace").decode()
    if len(text) >= most and "\n" in whole:
        whole = whole.partition("\n")[2]
    masked = mask(whole, values).splitlines()[-lines:]
    while masked and sum(len(line) + 1 for line in masked) > most:
        masked.pop(0)
    return "\n".join(masked)
