"""How secrets reach tasks: a Nomad variable that only the job's own tasks may read, and a template that makes an environment of it.

The job holds no value, so it can be inspected, planned and sealed. Items of older configurations stay as long as Nomad keeps a version
that needs them: what is put back finds its own.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from agents.nomad_job import marks
from agents.nomad_job.marks import Address, Json
from agents.nomad_job.server import Said, Server
from agents.secrets import Safe
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable

FILE: Final = "secrets/fairlead.env"
_TRIES: Final = 20


def path(address: Address) -> str:
    """Where a job's tasks may read by Nomad's own rule, and nobody else's."""
    return path_of(marks.job_id(address))


def path_of(job: str) -> str:
    """The same of any job."""
    return f"nomad/jobs/{job}"


def template(where: str, component: ComponentSpec) -> list[Json]:
    """What turns the variable into the component's environment. To change the variable restarts nothing: other secrets are another job."""
    names = sorted(component.config.secrets or {})
    if not names:
        return []
    lines = "".join(f"{name}={{{{ .{_key(component.config_digest, name)} | toJSON }}}}\n" for name in names)
    text = f'{{{{ with nomadVar "{where}" }}}}{lines}{{{{ end }}}}'
    return [{"DestPath": FILE, "EmbeddedTmpl": text, "Envvars": True, "ChangeMode": "noop", "ErrMissingKey": True}]


def deliver(
    server: Server, spec: TargetSpec, safe: Safe, versions: Iterable[Json], require: Callable[[], None]
) -> None:
    """Write the values of a specification, and forget those that no kept version needs. Raises as Safe.of and `require` do.

    `require` raises where a higher claim lies: asked after reading, so whatever a higher one writes later is seen by check-and-set.
    """
    items = {key: value for component in spec.components for key, value in _items(component, safe).items()}
    needed = tuple(_prefix(said.get("config", "")) for v in versions for said in marks.components_in(v).values())
    _write(server, path(spec), items, needed, require)


def deliver_alone(
    server: Server, where: str, component: ComponentSpec, safe: Safe, require: Callable[[], None]
) -> None:
    """The same of one component, for a job of its own."""
    _write(server, where, _items(component, safe), (), require)


def _items(component: ComponentSpec, safe: Safe) -> dict[str, str]:
    return {_key(component.config_digest, name): value for name, value in safe.of(component).items()}


def _write(
    server: Server, where: str, items: Mapping[str, str], needed: tuple[str, ...], require: Callable[[], None]
) -> None:
    if not items:
        return
    for _ in range(_TRIES):
        found = server.variable(where)
        require()
        old: Mapping[str, str] = (found or {}).get("Items") or {}
        wanted = {**{key: value for key, value in old.items() if key.startswith(needed)}, **items}
        if wanted == old or _put(server, where, wanted, found["ModifyIndex"] if found else 0):
            return
    raise Unavailable(Code.TARGET_UNREACHABLE, f"the variable {where} is written by too many at once")


def _put(server: Server, where: str, items: Mapping[str, str], index: int) -> bool:
    try:
        return server.put_variable(where, items, index)
    except Said as no:
        raise Refused(Code.JOB_INVALID, f"Nomad does not take the secrets of the job: {no.text}") from no


def _key(config: str, name: str) -> str:
    return f"{_prefix(config)}{name}"


def _prefix(config: str) -> str:
    return f"c{config.removeprefix('sha256:')[:16]}_"
