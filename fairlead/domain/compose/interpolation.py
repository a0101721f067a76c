"""Compose's interpolation, strict: what has no value is refused and never blank. What comes out may stand in a file that is read again."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_MAX_DEPTH = 10
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that is known only at the last moment, under the name of a variable of ours."""

    variable: str

    def __str__(self) -> str:
        return f"${{{self.variable}}}"


Lookup = Callable[[str], str | Reference | None]


class BadExpression(ValueError):
    """It cannot be resolved; the words say why."""


def escape(text: str) -> str:
    """A text as it is, in a file that is interpolated."""
    return text.replace("$", "$$")


def unescape(text: str) -> str:
    """What an escaped text without references means."""
    return text.replace("$$", "$")


def interpolate(text: str, lookup: Lookup, depth: int = 0) -> str:
    """The text with every expression resolved and everything else escaped. Raises BadExpression."""
    if depth > _MAX_DEPTH:
        raise BadExpression("expressions stand too deep in each other")
    done, at = [], 0
    while (dollar := text.find("$", at)) >= 0:
        piece, end = _piece(text, dollar, lookup, depth)
        done += [text[at:dollar], piece]
        at = end
    return "".join([*done, text[at:]])


def _piece(text: str, dollar: int, lookup: Lookup, depth: int) -> tuple[str, int]:
    """What the dollar begins, resolved, and where the rest goes on."""
    after = dollar + 1
    if text.startswith("$", after):
        return "$$", after + 1
    if text.startswith("{", after):
        end = _closing(text, after)
        return _braced(text[after + 1 : end], lookup, depth), end + 1
    if match := _NAME.match(text, after):
        return _written(_needed(match[0], lookup)), match.end()
    raise BadExpression(f"{text[dollar : dollar + 20]!r} is no expression; a dollar sign is written $$")


def _closing(text: str, opening: int) -> int:
    """Where the brace is closed that stands at `opening`."""
    open_braces = 0
    for match in re.compile(r"\$\$|\$\{|\}|\{").finditer(text, opening):
        if match[0] == "}":
            open_braces -= 1
            if open_braces == 0:
                return match.start()
        elif match[0] in {"${", "{"}:
            open_braces += match[0] == "${" or match.start() == opening
    raise BadExpression(f"{text[opening - 1 : opening + 19]!r} is not closed")


def _braced(inside: str, lookup: Lookup, depth: int) -> str:
    match = _NAME.match(inside)
    rest = inside[match.end() :] if match else ""
    operator = next((o for o in _OPERATORS if rest.startswith(o)), "")
    if not match or (rest and not operator):
        raise BadExpression(f"${{{inside:.40}}} is no expression")
    if not operator:
        return _written(_needed(match[0], lookup))
    value = lookup(match[0])
    there = value is not None and (value != "" or not operator.startswith(":"))
    return _chosen(match[0], value if there else None, operator[-1], rest[len(operator) :], lookup, depth)


def _chosen(name: str, value: str | Reference | None, operator: str, word: str, lookup: Lookup, depth: int) -> str:
    if operator == "+":
        return "" if value is None else interpolate(word, lookup, depth + 1)
    if value is not None:
        return _written(value)
    if operator == "?":
        raise BadExpression(f"{name} has no value: {word:.200}")
    return interpolate(word, lookup, depth + 1)


def _needed(name: str, lookup: Lookup) -> str | Reference:
    value = lookup(name)
    if value is None:
        raise BadExpression(f"{name} has no value")
    return value


def _written(value: str | Reference) -> str:
    return str(value) if isinstance(value, Reference) else escape(value)
