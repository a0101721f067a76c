"""What a configuration layer may say: a patch of what components say, in which null deletes."""

from collections.abc import Mapping
from typing import Any, Final

from fairlead.domain.blocks import Block, is_text, pointer
from fairlead.domain.catalogue import LabelLayer, Layer
from fairlead.domain.codes import Code
from fairlead.domain.component_rules import check_references, check_variables, read_ports
from fairlead.domain.errors import Flaw
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.target_kinds import SECTIONS

PATCHABLE: Final = ("command", "ports", "env", "secrets", "health", "stop_grace")
"""What a layer may change of a component, beside its blocks for single target types. Where it comes from and what it needs is the release's."""


def read_layer(block: Block) -> Layer:
    """One layer: `env` and `secrets` of every component, `ports` by component, and `components`, which is a patch of each."""
    ports = block.block("ports")
    layer = Layer(
        env=_variables(block, "env"),
        secrets=_variables(block, "secrets"),
        ports={name: read_ports(ports, name) for name in ports.names()},
        components=_components(block),
    )
    check_references(block, {name: value for name, value in layer.secrets.items() if value is not None})
    block.close()
    return layer


def read_label_layers(root: Block) -> tuple[LabelLayer, ...]:
    """`label_config: [{labels: {site: ams}, config: {...}}]`, in order."""
    return tuple(_label_layer(block) for block in root.list_of_blocks("label_config"))


def load_layer(document: object) -> tuple[Layer, tuple[Flaw, ...]]:
    """A layer that comes by itself, and what is wrong with it."""
    flaws: list[Flaw] = []
    return read_layer(Block(document, "", flaws)), tuple(flaws)


def _label_layer(block: Block) -> LabelLayer:
    layer = LabelLayer(labels=block.labels("labels"), config=read_layer(block.block("config")))
    if not layer.labels:
        block.flaw(Code.MISSING_FIELD, "which labels a target must have is missing", "labels")
    block.close()
    return layer


def _variables(block: Block, key: str) -> dict[str, str | None]:
    variables = block.strings_or_null(key)
    check_variables(block, key, variables)
    return variables


def _components(block: Block) -> dict[str, Mapping[str, Any]]:
    patches = block.mappings("components")
    for name, patch in patches.items():
        _check_patch(block, name, patch)
    return {name: patch for name, patch in patches.items() if patch}


def _check_patch(block: Block, name: str, patch: Mapping[str, Any]) -> None:
    known = (*PATCHABLE, *SECTIONS)
    for field in patch:
        if field not in known:
            detail = f"a layer cannot change {field} of a component{did_you_mean(field, known)}"
            block.flaw(Code.UNKNOWN_FIELD, detail, "components", name, field)
    for at in _unholdable(patch):
        block.flaws.append(
            Flaw(
                Code.BAD_VALUE, "text may hold no NUL and no lone surrogate", pointer(block.at, "components", name) + at
            )
        )


def _unholdable(value: Any, at: str = "") -> list[str]:
    """Where text stands that not every system can hold, as name or as value."""
    if isinstance(value, str):
        return [] if is_text(value) else [at]
    if isinstance(value, Mapping):
        return [
            found
            for name, inner in value.items()
            for found in ([at] if not is_text(str(name)) else _unholdable(inner, pointer(at, name)))
        ]
    if isinstance(value, list):
        return [found for index, inner in enumerate(value) for found in _unholdable(inner, pointer(at, index))]
    return []
