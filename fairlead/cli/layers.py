"""Configuration layers on the command line: `--set web.env.GREETING=hej` and `--config FILE`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.merging import compose

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="env.NAME=VALUE for all components, COMPONENT.env.NAME=VALUE for one; NAME= alone is empty text."
    ),
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="A configuration layer, as YAML or JSON.")]

_OF_ALL = ("env", "secrets")


def layer_of(file: Path | None, settings: list[str] | None) -> dict[str, Any]:
    """What file and settings say together; settings win. Raises BadInput."""
    layer: dict[str, Any] = read(file) if file else {}
    for setting in settings or ():
        layer = compose(layer, _patch(setting))
    return layer


def read(file: Path) -> dict[str, Any]:
    """A mapping from a file. Raises BadInput (document_malformed)."""
    import yaml

    try:
        said = yaml.safe_load(file.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"{file} cannot be read: {error}") from error
    if not isinstance(said, dict):
        raise BadInput(Code.DOCUMENT_MALFORMED, f"{file} does not hold a mapping")
    return said


def _patch(setting: str) -> dict[str, Any]:
    """`a.b.c=value` as {a: {b: {c: value}}}; a component's name in front goes below `components`."""
    path, found, value = setting.partition("=")
    steps = path.split(".")
    if not found or not all(steps) or len(steps) < 2:
        raise BadInput(Code.BAD_VALUE, f"{setting!r:.80} is not env.NAME=VALUE or COMPONENT.env.NAME=VALUE")
    if steps[0] not in _OF_ALL:
        steps = ["components", *steps]
    patch: Any = value
    for step in reversed(steps):
        patch = {step: patch}
    return dict(patch)
