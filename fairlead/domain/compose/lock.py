"""From a team's compose file to the lock that is sealed and sent: every image by digest, every variable resolved, secrets only by reference."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.domain.blocks import pointer
from fairlead.domain.codes import Code
from fairlead.domain.compose.interpolation import BadExpression, escape
from fairlead.domain.compose.risks import find, refuses
from fairlead.domain.compose.scopes import Resolver, scope, shared_secret, variables
from fairlead.domain.compose.shapes import DROPPED, Tree, awaited, dependencies, items, mapping, named, own, pairs
from fairlead.domain.compose.stack import CONFIG, DATA, KIND, ONE_SHOT, OURS, SERVICE, Part, Stack, pinned
from fairlead.domain.errors import Flaw

_RESERVED = ("fairlead.", "com.docker.compose.")
_CODES = dict.fromkeys(("latest_tag", "unpinned", "build_only"), Code.IMAGE_UNPINNED)


@dataclass(frozen=True, slots=True)
class Made:
    """A lock's document, and what is wrong with what it was made from; it may be used only when nothing is."""

    document: dict[str, Any]
    flaws: tuple[Flaw, ...]


def make(document: object, stack: Stack) -> Made:
    """The lock of a compose file for one target."""
    maker = _Maker(mapping(document), stack)
    return Made(maker.document(), tuple(maker.flaws))


class _Maker:
    def __init__(self, root: Tree, stack: Stack) -> None:
        self.flaws: list[Flaw] = []
        self._stack = stack
        self._outside = Resolver(scope(stack, None), self.flaws)
        self._file = self._resolved({**root, "services": self._active(mapping(root.get("services")))})
        self._services: dict[str, Any] = {n: s for n, s in self._file["services"].items() if isinstance(s, dict)}

    def document(self) -> dict[str, Any]:
        one_shots = awaited(self._services)
        given = {name for name, said in self._services.items() if self._origin(name, said)}
        self.flaws += [
            Flaw(_CODES.get(finding.rule, Code.COMPOSE_REFUSED), f"{finding.rule}: {finding.detail}", finding.pointer)
            for finding in find(self._file, given, one_shots)
            if refuses(finding, self._stack.allow)
        ]
        self._refuse_clashes()
        services = {name: self._service(name, said) for name, said in self._services.items()}
        _mark(services, one_shots)
        return {"name": self._stack.name, "services": services, **self._rest(services)}

    def _refuse_clashes(self) -> None:
        """Containers are named by component, else by service: the two may not be mixed up."""
        components = {part.component for part in self._stack.parts}
        for name in self._services:
            if name in components and self._stack.part(name) is None:
                self._flaw(
                    Code.COMPOSE_REFUSED, f"{name} is another service than the component {name}", "services", name
                )
        services = [part.service for part in self._stack.parts]
        for service in {name for name in services if services.count(name) > 1}:
            self._flaw(Code.COMPOSE_REFUSED, f"{service} is more than one component", "services", service)

    # reading

    def _active(self, services: Tree) -> dict[str, Any]:
        """Those that the target's profiles ask for, and every component's."""
        for part in self._stack.parts:
            if part.service not in services:
                detail = f"{part.component} is the service {part.service!r:.60}, which is not there"
                self._flaw(Code.UNKNOWN_NAME, detail, "services")
        wanted, chosen = set(self._stack.profiles), {part.service for part in self._stack.parts}
        return {
            name: said
            for name, said in services.items()
            if name in chosen or not (profiles := items(mapping(said).get("profiles"))) or wanted & set(profiles)
        }

    def _resolved(self, root: Tree) -> dict[str, Any]:
        """The file without expressions; those of configs and secrets come later, where it is known which of them are used."""
        later = {kind: dict(mapping(root.get(kind))) for kind in ("secrets", "configs") if root.get(kind)}
        rest = {key: value for key, value in root.items() if key not in {"services", "name", *later}}
        services = {
            name: Resolver(scope(self._stack, self._stack.part(name)), self.flaws).tree(
                said, pointer("", "services", name)
            )
            for name, said in root["services"].items()
        }
        return {**self._outside.tree(rest, ""), **later, "services": services}

    def _origin(self, name: str, said: Tree) -> Part | None:
        """The component that a service is, or whose image it uses without saying which."""
        image = said.get("image")
        own = isinstance(image, str) and "@" not in image
        return self._stack.part(name) or (self._stack.made_from(str(image)) if own else None)

    def _flaw(self, code: Code, detail: str, *steps: str) -> None:
        self.flaws.append(Flaw(code, detail, pointer("", *steps)))

    # services

    def _service(self, name: str, said: Tree) -> dict[str, Any]:
        part, origin = self._stack.part(name), self._origin(name, said)
        service = {key: value for key, value in said.items() if key not in DROPPED}
        service["image"] = f"{origin.repository}@{origin.digest}" if origin else pinned(str(said.get("image", "")))
        service["environment"] = self._environment(name, said, part)
        service["depends_on"] = self._depends_on(said, part)
        service["labels"] = self._labels(name, said)
        if part:
            service |= _by_component(service, part)
        content = {key: value for key, value in service.items() if value not in (None, [], {})}
        ours = part.labels if part else {**self._stack.labels, SERVICE: name, CONFIG: _digest(content)}
        content["labels"] = {**service["labels"], **{key: escape(value) for key, value in ours.items()}}
        content["container_name"] = f"{self._stack.name}-{part.component if part else name}"
        return content

    def _environment(self, name: str, said: Tree, part: Part | None) -> dict[str, str]:
        """The file's, then the configuration's, then the secrets that are not mounted."""
        resolver = Resolver(scope(self._stack, part), self.flaws)
        at = pointer("", "services", name, "environment")
        found = {
            variable: resolver.text(f"${{{variable}}}", pointer(at, variable), secrets=True)
            if value is None
            else str(value).lower()
            if isinstance(value, bool)
            else str(value)
            for variable, value in pairs(said.get("environment")).items()
        }
        if part:
            mounted = {self._secret_name(source) for source in named(said.get("secrets"))}
            found |= {variable: escape(value) for variable, value in part.env.items()}
            found |= {secret: f"${{{part.variable(secret)}}}" for secret in part.secrets if secret not in mounted}
        return found

    def _depends_on(self, said: Tree, part: Part | None) -> dict[str, dict[str, Any]]:
        """The file's, and the catalogue's where the file says nothing of them."""
        asked = [p.service for p in self._stack.parts if part and p.component in part.depends_on]
        return {**{name: self._started(name) for name in asked}, **dependencies(said.get("depends_on"))}

    def _started(self, name: str) -> dict[str, Any]:
        checked = mapping(self._services.get(name)).get("healthcheck")
        return {"condition": "service_healthy" if checked else "service_started"}

    def _labels(self, name: str, said: Tree) -> dict[str, str]:
        """The team's own."""
        found = {label: "" if text is None else str(text) for label, text in pairs(said.get("labels")).items()}
        for label in found:
            if label.startswith(_RESERVED):
                self._flaw(Code.COMPOSE_REFUSED, f"{label} is not the team's to set", "services", name, "labels", label)
        return found

    # the rest

    def _rest(self, services: Tree) -> dict[str, Any]:
        """Networks, volumes, configs and secrets, as far as they are used, and what is the team's own."""
        networks = {"default": {}, **mapping(self._file.get("networks"))}
        uses = {
            kind: sorted({n for s in services.values() for n in named(s.get(kind))}) for kind in ("configs", "secrets")
        }
        secrets = {variable: dict(use) for variable, use in variables(self._stack)}
        said = {
            **{key: value for key, value in self._file.items() if own(key)},
            "networks": {name: self._placed(mapping(about)) for name, about in networks.items()},
            "volumes": {
                name: self._placed(mapping(about)) for name, about in mapping(self._file.get("volumes")).items()
            },
            "configs": {name: self._config(name) for name in uses["configs"]},
            "secrets": {name: self._secret(name) for name in uses["secrets"]},
            OURS: {"secrets": secrets} if secrets else {},
        }
        return {key: value for key, value in said.items() if value}

    def _placed(self, about: Tree) -> dict[str, Any]:
        """A network or volume that can be told for ours; what is there without us stays as it is."""
        if about.get("external"):
            return dict(about)
        return {**about, "labels": {**pairs(about.get("labels")), **self._stack.place, KIND: DATA}}

    def _config(self, name: str) -> dict[str, Any]:
        about = mapping(mapping(self._file.get("configs")).get(name))
        text = f"${{{about['environment']}}}" if about.get("environment") else str(about.get("content") or "")
        return {"content": self._outside.text(text, pointer("", "configs", name))}

    def _secret(self, name: str) -> dict[str, Any]:
        """A mounted secret: its value goes from our hands into the container."""
        wanted = self._secret_name(name)
        try:
            found = shared_secret(self._stack, None, wanted)
        except BadExpression as error:
            self._flaw(Code.VARIABLE_MISSING, str(error), "secrets", name)
            return {}
        if found is None:
            self._flaw(Code.VARIABLE_MISSING, f"no component has the secret {wanted}", "secrets", name)
            return {}
        return {"environment": found.variable}

    def _secret_name(self, name: str) -> str:
        """What the components call a secret that the file calls `name`."""
        return str(mapping(mapping(self._file.get("secrets")).get(name)).get("environment") or name)


def _by_component(service: Tree, part: Part) -> dict[str, Any]:
    """What the catalogue says of a component goes before what the file says; only a grace is the file's own if it has one."""
    said: dict[str, Any] = {"stop_grace_period": service.get("stop_grace_period") or f"{part.stop_grace:g}s"}
    if part.ports:
        said["ports"] = list(part.ports)
    if part.command:
        said["command"] = [escape(word) for word in part.command]
    return said


def _mark(services: Mapping[str, dict[str, Any]], one_shots: Collection[str]) -> None:
    """Note who ends by itself, and forget dependencies on what is not there and need not be."""
    for name, service in services.items():
        if name in one_shots:
            service["labels"][ONE_SHOT] = "true"
        waits = service.pop("depends_on", {})
        if kept := {n: said for n, said in waits.items() if n in services or said.get("required", True)}:
            service["depends_on"] = kept


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
