"""The JSON Schema of a catalogue, for editors: what its readers ask for is recorded, so that the schema cannot say anything else.

It knows fields, types, words and bounds. Rules between fields are for the server; they are told with line and column.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fairlead.domain.blocks import NAME_PATTERN, SELECT, Block
from fairlead.domain.catalogue_rules import read_block
from fairlead.domain.target_kinds import KINDS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ANY_NAME = "*"
_TEXT: Schema = {"type": ["string", "number"]}
_DURATION = r"^(?=.)([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?([0-9]{1,9}ms)?$"


def schema() -> Schema:
    """The schema of fairlead.yaml."""
    root = _Recorder(variants={"targets": [{"type": kind.value} for kind in KINDS]})
    read_block(root)
    return {"$schema": DIALECT, "title": "fairlead.yaml", **root.schema()}


class _Recorder(Block):
    """Stands where a mapping of the document would stand, has every field, and notes how each is read.

    `given`: the words that fields have in this variant of it; `variants`: several that the entries of a field may be, by field.
    """

    def __init__(
        self, given: Mapping[str, str] | None = None, variants: Mapping[str, list[dict[str, str]]] | None = None
    ) -> None:
        super().__init__({}, "", [])
        self._given, self._variants = given or {}, variants or {}
        self._fields: dict[str, Schema | _Recorder | list[_Recorder]] = {}
        self._required: set[str] = set()

    def schema(self) -> Schema:
        """What was noted."""
        fields = {name: _schema_of(field) for name, field in self._fields.items()}
        others: Schema | bool = fields.pop(_ANY_NAME, False)
        noted: Schema = {"type": "object", "properties": fields, "required": sorted({*self._required} - {_ANY_NAME})}
        names = {"propertyNames": {"pattern": NAME_PATTERN}} if others else {}
        return {key: value for key, value in noted.items() if value} | {"additionalProperties": others} | names

    def has(self, key: str) -> bool:
        return True

    def names(self) -> tuple[str, ...]:
        return (_ANY_NAME,)

    def check_name(self, text: str, *steps: str | int) -> None:
        """Names are held to their pattern where they are read."""

    def take(self, key: str, *, required: bool = False) -> object:
        self._note(key, {}, required)
        return None

    def refuse(self, key: str, detail: str) -> None:
        """What is refused is no field."""

    def text(self, key: str, *, required: bool = False, default: str = "") -> str:
        self._note(key, {"const": self._given[key]} if key in self._given else _TEXT, required)
        return default

    def name(self, key: str) -> str:
        self._note(key, {"type": "string", "pattern": NAME_PATTERN}, True)
        return ""

    def words(self, key: str) -> tuple[str, ...]:
        self._note(key, {"type": "array", "items": _TEXT})
        return ()

    def names_or_labels(self, key: str) -> tuple[tuple[str, ...], dict[str, str]]:
        chosen = _Recorder()
        chosen.strings(SELECT)
        labels = {**chosen.schema(), "required": [SELECT]}
        self._note(key, {"oneOf": [{"type": "array", "items": _TEXT}, labels]})
        return (), {}

    def strings(self, key: str) -> dict[str, str]:
        self._note(key, {"type": "object", "additionalProperties": _TEXT})
        return {}

    def strings_or_null(self, key: str) -> dict[str, str | None]:
        self._note(key, {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}})
        return {}

    def mappings(self, key: str) -> dict[str, dict[str, Any]]:
        self._note(key, {"type": "object", "additionalProperties": {"type": "object"}})
        return {}

    def list_of_blocks(self, key: str) -> Iterator[Block]:
        inner = _Recorder()
        yield inner
        self._note(key, {"type": "array", "items": inner.schema()})

    def count(self, key: str, default: int | None, low: int, high: int) -> int:
        self._note(key, {"type": "integer", "minimum": low, "maximum": high}, default is None)
        return low if default is None else default

    def flag(self, key: str, default: bool) -> bool:
        self._note(key, {"type": "boolean", "default": default})
        return default

    def duration(self, key: str, default: float, low: float, high: float) -> float:
        self._note(key, {"type": "string", "pattern": _DURATION})
        return default

    def choice(self, key: str, default: str | None, allowed: Collection[str], later: Collection[str] = ()) -> str:
        if key in self._given:
            self._note(key, {"const": self._given[key]}, True)
            return self._given[key]
        self._note(key, {"enum": list(allowed)}, default is None)
        return default or next(iter(allowed))

    def block(self, key: str) -> Block:
        inner = self._fields.get(key)
        if not isinstance(inner, _Recorder):
            inner = self._fields[key] = _Recorder()
        return inner

    def blocks(self, key: str) -> Iterator[tuple[str, Block]]:
        inner = [_Recorder(given) for given in self._variants.get(key, [{}])]
        self._fields[key] = inner
        for place, one in enumerate(inner):
            yield f"x{place}", one

    def _note(self, key: str, schema: Schema, required: bool = False) -> None:
        self._fields.setdefault(key, schema)
        if required:
            self._required.add(key)


def _schema_of(field: "Schema | _Recorder | list[_Recorder]") -> Schema:
    if isinstance(field, _Recorder):
        return field.schema()
    if isinstance(field, list):
        each = [one.schema() for one in field]
        entry = each[0] if len(each) == 1 else {"oneOf": each}
        return {"type": "object", "propertyNames": {"pattern": NAME_PATTERN}, "additionalProperties": entry}
    return field
