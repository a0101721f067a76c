"""Reading a document field by field: what is wrong is collected as flaws with JSON pointers, never raised at once."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fairlead.domain.codes import Code
from fairlead.domain.durations import format_duration, parse_duration
from fairlead.domain.errors import Flaw
from fairlead.domain.nearest import did_you_mean

NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
_NAME = re.compile(NAME_PATTERN[1:-1])
SELECT = "select"
MAX_LABEL = 200
_UNHOLDABLE = re.compile("[\\x00\\ud800-\\udfff]")


def is_name(text: str) -> bool:
    """Whether this may name a project, component, environment, target, person or group."""
    return _NAME.fullmatch(text) is not None


def is_text(text: str) -> bool:
    """Whether every system can hold it: no NUL, no lone surrogate."""
    return not _UNHOLDABLE.search(text)


def pointer(at: str, *steps: str | int) -> str:
    """An RFC 6901 pointer some steps below `at`."""
    return at + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class Block:
    """One mapping of a document. Fields are taken out of it; `close` reports those that nobody took."""

    def __init__(self, value: object, at: str, flaws: list[Flaw]) -> None:
        self.at = at
        self.flaws = flaws
        self._taken: set[str] = set()
        self._values: Mapping[str, object] = {}
        if isinstance(value, Mapping):
            self._values = value
        elif value is not None:
            self.flaw(Code.BAD_VALUE, f"expected a mapping, not {_kind(value)}")

    def flaw(self, code: Code, detail: str, *steps: str | int) -> None:
        """Note something wrong, here or some steps below."""
        self.flaws.append(Flaw(code, detail, pointer(self.at, *steps)))

    def has(self, key: str) -> bool:
        """Whether the field is there, be it empty."""
        return key in self._values

    def take(self, key: str, *, required: bool = False) -> object:
        """A field as it is; None when it is not there."""
        self._taken.add(key)
        value = self._values.get(key)
        if value is None and required:
            self.flaw(Code.MISSING_FIELD, f"{key} is missing")
        return value

    def close(self) -> None:
        """Report fields that nobody took."""
        for key in self._values:
            if key not in self._taken:
                self.flaw(Code.UNKNOWN_FIELD, f"unknown field {key}{did_you_mean(key, self._taken)}", key)

    def refuse(self, key: str, detail: str) -> None:
        """Report a field that exists in the design but not yet here."""
        if self.take(key) is not None:
            self.flaw(Code.NOT_SUPPORTED_YET, detail, key)

    def text(self, key: str, *, required: bool = False, default: str = "") -> str:
        """A string."""
        value = self.take(key, required=required)
        if value == "" and required:
            self.flaw(Code.MISSING_FIELD, f"{key} is empty", key)
        return default if value is None else self._as_text(value, key)

    def name(self, key: str) -> str:
        """A required name."""
        text = self.text(key, required=True)
        if text:
            self.check_name(text, key)
        return text

    def check_name(self, text: str, *steps: str | int) -> None:
        """Report what may not name anything."""
        if not is_name(text):
            self.flaw(Code.BAD_NAME, f"{text!r:.60} is not a name: {NAME_RULE}", *steps)

    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return tuple(self._values)

    def words(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.flaw(Code.BAD_VALUE, f"expected a list, not {_kind(value)}", key)
            return ()
        return tuple(self._as_text(item, key, index) for index, item in enumerate(value))

    def names_or_labels(self, key: str) -> tuple[tuple[str, ...], dict[str, str]]:
        """A list of names, or a mapping whose one field `select` says what labels the things meant have."""
        if not isinstance(self._values.get(key), Mapping):
            return self.words(key), {}
        chosen = self.block(key)
        labels = chosen.labels(SELECT)
        if not labels:
            chosen.flaw(Code.MISSING_FIELD, f"{SELECT} names no label")
        chosen.close()
        return (), labels

    def strings(self, key: str) -> dict[str, str]:
        """A mapping to strings; numbers become strings, as in Compose."""
        block = self.block(key)
        return {name: block._as_text(value, name) for name, value in block._values.items()}

    def labels(self, key: str) -> dict[str, str]:
        """A mapping to words that fit into a line: they are shown in tables and asked for as NAME=VALUE."""
        labels = self.strings(key)
        for name, value in labels.items():
            if not value.isprintable() or len(value) > MAX_LABEL:
                self.flaw(Code.BAD_VALUE, f"a label is one line of at most {MAX_LABEL} characters", key, name)
        return labels

    def strings_or_null(self, key: str) -> dict[str, str | None]:
        """The same, where null has a meaning of its own."""
        block = self.block(key)
        return {name: None if value is None else block._as_text(value, name) for name, value in block._values.items()}

    def mappings(self, key: str) -> dict[str, dict[str, Any]]:
        """A mapping from names to mappings, whatever these hold."""
        block = self.block(key)
        found: dict[str, dict[str, Any]] = {}
        for name, value in block._values.items():
            if isinstance(value, Mapping):
                found[name] = dict(value)
            else:
                block.flaw(Code.BAD_VALUE, f"expected a mapping, not {_kind(value)}", name)
        return found

    def list_of_blocks(self, key: str) -> Iterator["Block"]:
        """A list of mappings."""
        value = self.take(key)
        if value is not None and not isinstance(value, list):
            self.flaw(Code.BAD_VALUE, f"expected a list, not {_kind(value)}", key)
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield Block(item, pointer(self.at, key, index), self.flaws)

    def count(self, key: str, default: int | None, low: int, high: int) -> int:
        """A whole number between two bounds; required when there is no default."""
        value = self.take(key, required=default is None)
        if value is None:
            return low if default is None else default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.flaw(Code.BAD_VALUE, f"expected a whole number from {low} to {high}", key)
            return low
        return value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self.take(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.flaw(Code.BAD_VALUE, f"expected true or false, not {_kind(value)}", key)
        return default

    def duration(self, key: str, default: float, low: float, high: float) -> float:
        """Seconds between two bounds."""
        value = self.take(key)
        if value is None:
            return default
        try:
            seconds = parse_duration(value if isinstance(value, str) else "")
        except ValueError:
            self.flaw(Code.BAD_DURATION, f"expected a duration such as 500ms, 5s, 10m or 1h30m, not {value!r:.60}", key)
            return default
        if not low <= seconds <= high:
            bounds = f"{format_duration(low)} to {format_duration(high)}"
            self.flaw(Code.BAD_DURATION, f"{value} is outside {bounds}", key)
        return seconds

    def choice(self, key: str, default: str | None, allowed: Collection[str], later: Collection[str] = ()) -> str:
        """One of several words. Those in `later` are known but not supported yet."""
        text = self.text(key, required=default is None, default=default or "")
        if text in allowed or (not text and default is None):
            return text
        if text in later:
            self.flaw(Code.NOT_SUPPORTED_YET, f"{text} is not supported yet; there is {', '.join(allowed)}", key)
        else:
            self.flaw(
                Code.BAD_VALUE, f"{text!r:.60} is not one of {', '.join(allowed)}{did_you_mean(text, allowed)}", key
            )
        return default or ""

    def block(self, key: str) -> "Block":
        """A mapping below this one; empty when it is not there."""
        return Block(self.take(key), pointer(self.at, key), self.flaws)

    def blocks(self, key: str) -> Iterator[tuple[str, "Block"]]:
        """The blocks of a mapping from names, each under its name."""
        named = self.block(key)
        for name, value in named._values.items():
            named.check_name(name, name)
            yield name, Block(value, pointer(named.at, name), self.flaws)

    def _as_text(self, value: object, *steps: str | int) -> str:
        if isinstance(value, str):
            if not is_text(value):
                self.flaw(Code.BAD_VALUE, "text may hold no NUL and no lone surrogate", *steps)
            return value
        if isinstance(value, bool):
            self.flaw(Code.BAD_VALUE, f"expected text; write {str(value).lower()} in quotes", *steps)
        elif isinstance(value, int | float):
            return str(value)
        else:
            self.flaw(Code.BAD_VALUE, f"expected text, not {_kind(value)}", *steps)
        return ""


NAME_RULE = "1 to 40 lowercase letters, digits and inner hyphens"

_KINDS = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "nothing" if value is None else type(value).__name__)
