"""Untrusted YAML (JSON is YAML) into a plain tree, with the line and column of everything in it.

Bounded in size, depth and number of nodes. No aliases, tags, duplicate keys or second document, and of YAML 1.1's scalars
only what people expect: `yes` and `0x10` are text, `1.10` stays `1.10`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from fairlead.adapters.scalars import resolve
from fairlead.domain.blocks import is_text, pointer
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Flaw

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 50_000

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Document:
    """A tree and the places of its nodes by JSON pointer; lines and columns count from 1."""

    root: Any
    places: dict[str, Place]

    def place(self, at: str) -> Place | None:
        """Where a node stands, or the nearest one above it."""
        while at and at not in self.places:
            at = at.rpartition("/")[0]
        return self.places.get(at)


def read_document(text: bytes | str) -> Document:
    """Raises BadInput: document_too_large, document_too_deep, document_malformed, duplicate_key."""
    decoded = _decode(text)
    try:
        return _Builder().build(yaml.parse(decoded, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else None
        _refuse(Code.DOCUMENT_MALFORMED, f"not YAML: {error.problem or error.context}", place)
    except yaml.YAMLError as error:
        _refuse(Code.DOCUMENT_MALFORMED, f"not YAML: {error}", None)


def _decode(text: bytes | str) -> str:
    try:
        data = text if isinstance(text, bytes) else text.encode()
        decoded = data.decode("utf-8-sig")
    except UnicodeError:
        _refuse(Code.DOCUMENT_MALFORMED, "not UTF-8", None)
    if len(data) > MAX_BYTES:
        _refuse(Code.DOCUMENT_TOO_LARGE, f"larger than {MAX_BYTES} bytes", None)
    return decoded


def _refuse(code: Code, detail: str, place: Place | None, at: str = "") -> NoReturn:
    line, column = place or (None, None)
    raise BadInput(code, detail, flaws=[Flaw(code, detail, at, line, column)])


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled."""

    value: dict[str, Any] | list[Any]
    at: str
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    """Makes the tree from parser events, without recursion."""

    places: dict[str, Place] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    roots: list[Any] = field(default_factory=list)

    def build(self, events: Iterator[Any]) -> Document:
        for event in events:
            if handle := _HANDLERS.get(type(event)):
                handle(self, event)
        if len(self.roots) != 1:
            _refuse(Code.DOCUMENT_MALFORMED, "the document is empty", None)
        return Document(self.roots[0], self.places)

    def document(self, event: Any) -> None:
        if self.roots:
            _refuse(Code.DOCUMENT_MALFORMED, "there is more than one document", _place(event))

    def alias(self, event: Any) -> None:
        _refuse(Code.DOCUMENT_MALFORMED, "aliases are not allowed; write it out", _place(event))

    def scalar(self, event: Any) -> None:
        self._check(event)
        if not is_text(event.value):
            _refuse(Code.DOCUMENT_MALFORMED, "text may hold no NUL and no lone surrogate", _place(event))
        value = resolve(event.value) if event.implicit[0] else event.value
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._name(top, event)
        else:
            self._put(value, event)

    def mapping(self, event: Any) -> None:
        self._start({}, event)

    def sequence(self, event: Any) -> None:
        self._start([], event)

    def end(self, event: Any) -> None:
        self.stack.pop()

    def _start(self, value: dict[str, Any] | list[Any], event: Any) -> None:
        self._check(event)
        if len(self.stack) >= MAX_DEPTH:
            _refuse(Code.DOCUMENT_TOO_DEEP, f"deeper than {MAX_DEPTH} levels", _place(event))
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            _refuse(Code.DOCUMENT_MALFORMED, "only text may be a key", _place(event), top.at)
        at = self._put(value, event)
        self.stack.append(_Open(value, at))

    def _name(self, top: _Open, event: Any) -> None:
        """A scalar where a key stands; its text is the key, whatever else it might mean."""
        at = pointer(top.at, event.value)
        if event.value in top.value:
            _refuse(Code.DUPLICATE_KEY, f"{event.value!r:.60} stands here twice", _place(event), at)
        top.key = event.value
        self.places[at] = _place(event)

    def _put(self, value: Any, event: Any) -> str:
        """Add a value to what is open; answers its pointer."""
        if not self.stack:
            self.roots.append(value)
            self.places[""] = _place(event)
            return ""
        top = self.stack[-1]
        if isinstance(top.value, list):
            at = pointer(top.at, len(top.value))
            top.value.append(value)
            self.places[at] = _place(event)
            return at
        key, top.key = top.key or "", None
        top.value[key] = value
        return pointer(top.at, key)

    def _check(self, event: Any) -> None:
        if event.tag not in (None, "!") or event.anchor is not None:
            _refuse(Code.DOCUMENT_MALFORMED, "tags and anchors are not allowed", _place(event))
        if len(self.places) >= MAX_NODES:
            _refuse(Code.DOCUMENT_TOO_LARGE, f"more than {MAX_NODES} nodes", _place(event))


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


_Handler = Callable[[_Builder, Any], None]
_HANDLERS: dict[type, _Handler] = {
    yaml.DocumentStartEvent: _Builder.document,
    yaml.AliasEvent: _Builder.alias,
    yaml.ScalarEvent: _Builder.scalar,
    yaml.MappingStartEvent: _Builder.mapping,
    yaml.MappingEndEvent: _Builder.end,
    yaml.SequenceStartEvent: _Builder.sequence,
    yaml.SequenceEndEvent: _Builder.end,
}


def with_places(flaws: Sequence[Flaw], document: Document) -> list[Flaw]:
    """The flaws, each with the line and column of what it points at."""
    placed = []
    for flaw in flaws:
        line, column = document.place(flaw.pointer) or (None, None)
        placed.append(Flaw(flaw.code, flaw.detail, flaw.pointer, line, column))
    return placed
