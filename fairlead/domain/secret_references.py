"""References to secrets: URLs that say where a value lies, and never what it is. The adapters read what they name."""

import re
from dataclasses import dataclass
from typing import Final

ENV: Final = "env"
FILE: Final = "file"
VAULT: Final = "vault"
AWS_STORE: Final = "aws-sm"
AWS_PARAMETER: Final = "aws-ssm"

MAX_REFERENCE = 500

_SEGMENT = r"(?!\.\.?(?:[/#]|\Z))[A-Za-z0-9_.@=+~-]+"
_KEY = r"[^\s#\x00-\x1f\x7f]+"
_SHAPES: Final = {
    ENV: (r"(?P<place>[A-Za-z_][A-Za-z0-9_]*)", "env://NAME"),
    FILE: (rf"(?P<place>(?:/{_SEGMENT})+)", "file:///path"),
    VAULT: (rf"(?P<place>{_SEGMENT}(?:/{_SEGMENT})+)#(?P<key>{_KEY})", "vault://MOUNT/PATH#KEY"),
    AWS_STORE: (rf"(?P<place>[A-Za-z0-9/_+=.@:-]+)(?:#(?P<key>{_KEY}))?", "aws-sm://NAME[#KEY]"),
    AWS_PARAMETER: (r"(?P<place>(?:/[A-Za-z0-9_.-]+)+)", "aws-ssm:///path"),
}
EXAMPLES = ", ".join(example for _, example in _SHAPES.values())


@dataclass(frozen=True, slots=True)
class SecretReference:
    """`place` is what the scheme makes of it: a variable's name, a path, mount and path; `key` picks one value of several there."""

    scheme: str
    place: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}" + (f"#{self.key}" if self.key else "")


def parse(text: str) -> SecretReference:
    """Read a reference. Raises ValueError, saying how it would have to look."""
    scheme, mark, rest = text.partition("://")
    if not mark or scheme not in _SHAPES or len(text) > MAX_REFERENCE:
        raise ValueError(f"not a reference to a secret, such as {EXAMPLES}")
    pattern, example = _SHAPES[scheme]
    match = re.fullmatch(pattern, rest)
    if match is None:
        raise ValueError(f"not of the form {example}")
    return SecretReference(scheme, match["place"], match.groupdict().get("key") or "")
