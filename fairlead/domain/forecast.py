"""What a target itself says would change there, as lines for people: few enough to be read, and without values that may be secret."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fairlead.domain.errors import Refused

MOST: Final = 60
WIDTH: Final = 400
_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one target says. `lines`: in the order in which a person would look; `hindrance`: what would be in the way."""

    lines: tuple[str, ...] = ()
    hindrance: Refused | None = None


def bounded(lines: Iterable[str]) -> tuple[str, ...]:
    """No more than a person reads, each on one line of its own."""
    every = [_fitted(line) for line in lines]
    left = len(every) - MOST
    return (*every[:MOST], *([f"and {left} more"] if left > 0 else []))


def change(path: str, old: Any, new: Any, *, shows: bool) -> str:
    """One difference. Where values are not to be shown, for they may be secret, only that it comes, goes or changes."""
    if shows:
        return f"{path}: {_said(old)} -> {_said(new)}"
    return f"{path} {'comes' if old in _EMPTY else 'goes' if new in _EMPTY else 'changes'}"


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, old, new) of whatever is not the same; lists of what has a name are taken by name."""
    old, new = _by_name(old), _by_name(new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif old != new:
        yield path, old, new


_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


def _said(value: Any) -> str:
    return _NOTHING if value in _EMPTY else str(value)


def _by_name(value: Any) -> Any:
    """Names that stand there twice mean something by their order."""
    if not isinstance(value, list) or not value or not all(isinstance(one, Mapping) and "name" in one for one in value):
        return value
    named = {str(one["name"]): {key: inner for key, inner in one.items() if key != "name"} for one in value}
    return named if len(named) == len(value) else value


def _fitted(line: str) -> str:
    """A target's words go to a terminal: nothing that would steer it."""
    plain = "".join(letter if letter.isprintable() else " " for letter in line)
    return plain if len(plain) <= WIDTH else f"{plain[: WIDTH - 1]}…"
