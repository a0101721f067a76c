"""Configuration layers as they come with requests."""

from collections.abc import Collection, Mapping
from typing import Any

from fairlead.domain.catalogue import Layer
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Flaw
from fairlead.domain.layer_rules import load_layer
from fairlead.domain.nearest import did_you_mean

MAX_CONFIG_BYTES = 64 * 1024


def read_config(document: Mapping[str, Any] | None, at: str = "") -> Layer:
    """A layer that came with a request. Raises BadInput, its flaws pointing below `at`."""
    layer, flaws = load_layer(document or {})
    if flaws:
        moved = [Flaw(flaw.code, flaw.detail, at + flaw.pointer) for flaw in flaws]
        raise BadInput(moved[0].code, f"{moved[0].pointer}: {moved[0].detail}", flaws=moved)
    return layer


def require_components(layer: Layer, known: Collection[str]) -> None:
    """Raise BadInput (unknown_name) for components that are not there."""
    for name in (*layer.ports, *layer.components):
        if name not in known:
            raise BadInput(Code.UNKNOWN_NAME, f"there is no component {name!r:.60}{did_you_mean(name, known)}")
