"""Compose files as plain trees, and back.

Untrusted: bounded in size, depth and number of nodes *after* aliases and merge keys are written out, no tags, no duplicate keys. Of YAML
1.1's scalars only what Compose takes them for. What we write is quoted wherever two readers of YAML could differ.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import yaml

from fairlead.adapters.scalars import resolve
from fairlead.domain.blocks import is_text
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Flaw
from fairlead.domain.files import MAX_FILE_BYTES

MAX_DEPTH = 40
MAX_NODES = 20_000

_TAG = "tag:yaml.org,2002:"
_STR = _TAG + "str"
_USUAL = ("str", "int", "float", "bool", "null", "map", "seq", "merge", "timestamp", "value")
_TAGS = frozenset(_TAG + kind for kind in _USUAL)
_PLAIN = re.compile(r"[a-z][a-z0-9_-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def read(text: str) -> dict[str, Any]:
    """Raises BadInput: document_too_large, document_too_deep, document_malformed, duplicate_key."""
    if len(text.encode(errors="replace")) > MAX_FILE_BYTES:
        _refuse(Code.DOCUMENT_TOO_LARGE, f"larger than {MAX_FILE_BYTES} bytes", None)
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        _refuse(Code.DOCUMENT_MALFORMED, f"not YAML: {error.problem or error.context}", error.problem_mark)
    except (yaml.YAMLError, RecursionError) as error:
        _refuse(Code.DOCUMENT_MALFORMED, f"not YAML: {error}", None)
    if not isinstance(root, yaml.MappingNode):
        _refuse(Code.DOCUMENT_MALFORMED, "a compose file is a mapping", root.start_mark if root else None)
    return dict(_Tree().mapping(root, 0))


class _Tree:
    """Writes aliases and merge keys out, and counts."""

    def __init__(self) -> None:
        self._count = 0

    def value(self, node: Any, depth: int) -> Any:
        self._count += 1
        if self._count > MAX_NODES:
            _refuse(
                Code.DOCUMENT_TOO_LARGE, f"more than {MAX_NODES} nodes with its aliases written out", node.start_mark
            )
        if depth > MAX_DEPTH:
            _refuse(Code.DOCUMENT_TOO_DEEP, f"deeper than {MAX_DEPTH} levels", node.start_mark)
        if node.tag not in _TAGS:
            _refuse(Code.DOCUMENT_MALFORMED, f"tags such as {node.tag:.60} are not taken", node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(inner, depth + 1) for inner in node.value]
        return _scalar(node)

    def mapping(self, node: Any, depth: int) -> dict[str, Any]:
        said: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            name = _key(key)
            if _is_plain(key) and name == "<<":
                for source in self._sources(value, depth):
                    merged = {**source, **merged}
            elif name in said:
                _refuse(Code.DUPLICATE_KEY, f"{name!r:.60} stands here twice", key.start_mark)
            else:
                said[name] = self.value(value, depth + 1)
        return {**merged, **said}

    def _sources(self, node: Any, depth: int) -> Iterator[dict[str, Any]]:
        """What a merge key takes in, the strongest first."""
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            found = self.value(source, depth + 1)
            if not isinstance(found, dict):
                _refuse(Code.DOCUMENT_MALFORMED, "only a mapping can be merged", node.start_mark)
            yield found


def _key(node: Any) -> str:
    if not isinstance(node, yaml.ScalarNode):
        _refuse(Code.DOCUMENT_MALFORMED, "only text may be a key", node.start_mark)
    return str(_checked(node))


def _scalar(node: Any) -> Any:
    text = _checked(node)
    return resolve(text) if _is_plain(node) and node.tag != _STR else text


def _is_plain(node: Any) -> bool:
    return not node.style


def _checked(node: Any) -> str:
    if not is_text(node.value):
        _refuse(Code.DOCUMENT_MALFORMED, "text may hold no NUL and no lone surrogate", node.start_mark)
    return str(node.value)


def _refuse(code: Code, detail: str, mark: Any) -> NoReturn:
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    raise BadInput(code, detail, flaws=[Flaw(code, detail, "", line, column)])


class _Dumper(yaml.CSafeDumper):
    """Block style, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> Any:
    plain = _PLAIN.fullmatch(text) and text not in _WORDS
    return dumper.represent_scalar(_STR, text, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def write(tree: Mapping[str, Any]) -> str:
    """A file that every reader takes for the same tree."""
    return yaml.dump(dict(tree), Dumper=_Dumper, sort_keys=False, width=1_000_000, allow_unicode=True)
