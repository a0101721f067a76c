"""Nomad's HTTP API as far as we need it: plain JSON, errors mapped once.

Of the library we use the endpoint objects, which build addresses and raise by status. They are made one by one: its client takes address,
token, namespace and region from the environment of this process where it is given none.
"""

import contextlib
from collections.abc import Mapping
from typing import Any, Final

import requests
from nomad import api  # type: ignore[import-untyped]
from nomad.api.base import Requester  # type: ignore[import-untyped]
from nomad.api.exceptions import (  # type: ignore[import-untyped]
    BadRequestNomadException,
    BaseNomadException,
    URLNotAuthorizedNomadException,
    URLNotFoundNomadException,
    VariableConflict,
)

from agents import certificates
from agents.cutting import whole_lines
from agents.nomad_job.marks import Json
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, NotAllowed, Refused, Unavailable

_WAIT: Final = 1.0
_NO = {BadRequestNomadException: 400, URLNotFoundNomadException: 404, VariableConflict: 409}


class Said(Exception):
    """The server understood and said no. Never leaves this package."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text.strip()


class Silent(Unavailable):
    """No answer came: whether the call was carried out is not known."""


class Server:
    """One Nomad API, in one namespace. Reads that find nothing answer None or an empty list; all else that is refused raises Said."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._namespace, self._region = settings["namespace"], settings.get("region")
        self._regions = api.Regions(**{**settings, "region": None})  # asked of whoever answers
        self._job, self._jobs, self._validate = api.Job(**settings), api.Jobs(**settings), api.Validate(**settings)
        self._deployment, self._variable = api.Deployment(**settings), api.Variable(**settings)
        self._allocation, self._client = api.Allocation(**settings), api.Client(**settings)
        self._status, self._agent, self._nodes = api.Status(**settings), api.Agent(**settings), api.Nodes(**settings)

    # jobs

    def job(self, id: str) -> Json | None:
        """A job as it stands."""
        return self._found(self._job, id)

    def versions(self, id: str) -> list[Json]:
        """What is kept of its history, the newest first."""
        return list((self._found(self._job, id, "versions") or {}).get("Versions") or [])

    def parse(self, hcl: str) -> Json:
        """HCL as JSON."""
        return self._sent(self._jobs, "parse", json={"JobHCL": hcl, "Canonicalize": False})

    def validate(self, job: Json) -> str:
        """What is wrong with a job; empty when nothing is."""
        return str(self._sent(self._validate, "job", json={"Job": job}).get("Error") or "").strip()

    def plan(self, job: Json) -> Json:
        """What registering it would do. Changes nothing."""
        return self._sent(self._job, job["ID"], "plan", json={"Job": job, "Diff": True})

    def register(self, job: Json, index: int) -> Json:
        """Register it, if the job is still what it was at this index (0: there is none). Raises Silent when no answer came."""
        return self._sent(self._jobs, json={"Job": job, "EnforceIndex": True, "JobModifyIndex": index})

    def deregister(self, id: str, *, purge: bool) -> None:
        """Stop it; with `purge` forget it."""
        self._sent(self._job, id, method="delete", params={"purge": str(purge).lower()})

    def tag(self, id: str, name: str, version: int, words: str) -> None:
        """Mark a version; nothing is restarted, and marked ones are not garbage collected."""
        said = {"Version": version, "Description": words}
        self._sent(self._job, id, "versions", name, "tag", method="put", json=said)

    def untag(self, id: str, name: str) -> None:
        """Take a mark away."""
        self._sent(self._job, id, "versions", name, "tag", method="delete")

    # what runs

    def allocations(self, id: str) -> list[Json]:
        """The short form of all allocations of a job, in no order."""
        return list(self._json(self._call(self._job, id, "allocations")) or [])

    def allocation(self, id: str) -> Json | None:
        """An allocation in full: with the job as it was when it was placed, or last updated in place."""
        return self._found(self._allocation, id)

    def checks(self, allocation: str) -> list[Json]:
        """What the service checks of an allocation say now; none where its node does not know it any more."""
        try:
            return list((self._found(self._client.allocation, allocation, "checks") or {}).values())
        except Said:
            return []

    def log(self, allocation: str, task: str, stream: str, most: int) -> str:
        """The end of what a task printed, in whole lines; empty where there is nothing, or nothing any more."""
        said = {"task": task, "type": stream, "plain": "true", "follow": "false", "origin": "end", "offset": str(most)}
        try:
            printed: bytes = self._call(self._client.stream_logs, allocation, params=said).content
        except Said:
            return ""
        text = printed.decode(errors="replace")
        return whole_lines(text) if len(printed) >= most else text

    # evaluations and deployments

    def evaluations(self, id: str) -> list[Json]:
        """All that are kept of a job, in no order."""
        return list(self._json(self._call(self._job, id, "evaluations")) or [])

    def deployments(self, id: str) -> list[Json]:
        """All that are kept of a job, in no order."""
        return list(self._json(self._call(self._job, id, "deployments")) or [])

    def deployment(self, id: str, after: int = 0) -> Json | None:
        """A deployment; one that has not changed since the index `after` is waited for, a moment."""
        return self._found(self._deployment, id, params={"index": str(after), "wait": f"{_WAIT:g}s"} if after else {})

    def promote(self, id: str) -> None:
        """Let the canaries of a deployment become the new version."""
        self._sent(self._deployment, "promote", id, json={"DeploymentID": id, "All": True})

    def fail(self, id: str) -> None:
        """End a deployment: nothing more is placed for it."""
        self._sent(self._deployment, "fail", id, json={"DeploymentID": id})

    # variables

    def variable(self, path: str) -> Json | None:
        """A variable with its items."""
        return self._found(self._variable, path)

    def put_variable(self, path: str, items: Mapping[str, str], index: int) -> bool:
        """Write it if it is still what it was at this index (0: there is none); whether that was so."""
        try:
            self._sent(self._variable, path, method="put", params={"cas": str(index)}, json={"Items": dict(items)})
        except Said as no:
            if no.status == VARIABLE_CONFLICT:
                return False
            raise
        return True

    def drop_variable(self, path: str) -> None:
        """Forget it; one that is gone already is fine."""
        self._call(self._variable, path, method="delete")

    # the cluster

    def date(self) -> str | None:
        """What time it is there, as HTTP writes it."""
        date: str | None = self._call(self._status.leader).headers.get("Date")
        return date

    def agent(self) -> Json | None:
        """What the agent that answers tells of itself; None where the token may not know."""
        with contextlib.suppress(NotAllowed):
            return self._found(self._agent, "self")
        return None

    def nodes(self) -> list[Json] | None:
        """The short form of all nodes; None where the token may not know."""
        with contextlib.suppress(NotAllowed):
            return list(self._json(self._call(self._nodes)) or [])
        return None

    # one call

    def _found(self, at: Requester, *path: str, params: Mapping[str, str] | None = None) -> Json | None:
        try:
            found: Json | None = self._json(self._call(at, *path, params=params))
        except Said as no:
            if no.status == NOT_THERE:
                return None
            raise
        return found

    def _sent(
        self,
        at: Requester,
        *path: str,
        method: str = "post",
        params: Mapping[str, str] | None = None,
        json: Json | None = None,
    ) -> Json:
        return dict(self._json(self._call(at, *path, method=method, params=params, json=json)) or {})

    def _json(self, response: requests.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise Unavailable(Code.TARGET_UNREACHABLE, "what answers there does not speak as Nomad does") from error

    def _call(
        self,
        at: Requester,
        *path: str,
        method: str = "get",
        params: Mapping[str, str] | None = None,
        json: Json | None = None,
    ) -> requests.Response:
        given = {"namespace": self._namespace, **(params or {})}
        try:
            answer: requests.Response = at.request(*path, method=method, params=given, json=json)
            return answer
        except BaseNomadException as error:
            raise self._meant(error) from error

    def _meant(self, error: BaseNomadException) -> Said | FairleadError:
        """The library has one exception for a server's 500 and for no answer at all: what it carries tells them apart."""
        answer = error.nomad_resp
        if not isinstance(answer, requests.Response):
            return _no_answer(answer)
        if isinstance(error, URLNotAuthorizedNomadException):
            detail = "Nomad does not accept the token for this: it is missing, unknown, expired, or lacks a right"
            return NotAllowed(Code.TARGET_DENIED, detail)
        if answer.status_code == SERVER_ERROR and not self._has_leader():
            return self._without_leader()
        if answer.status_code != SERVER_ERROR and type(error) not in _NO:
            detail = f"what answers in Nomad's place says {answer.status_code}"
            return Unavailable(Code.TARGET_UNREACHABLE, detail)
        return Said(answer.status_code, answer.text)

    def _without_leader(self) -> Unavailable:
        """A region that nobody knows has no leader either."""
        try:
            known = list(self._regions.get_regions())
        except (BaseNomadException, ValueError):
            known = []
        if self._region and known and self._region not in known:
            there = ", ".join(sorted(map(str, known)))
            detail = f"this Nomad knows no region {self._region}; it knows {there}"
            return Unavailable(Code.TARGET_UNREACHABLE, detail, hint="see `region` in the target's options")
        return Unavailable(Code.NO_LEADER, "the Nomad servers have no leader")

    def _has_leader(self) -> bool:
        try:
            return bool(self._status.leader.get_leader())
        except (BaseNomadException, ValueError):
            return False


SERVER_ERROR, NOT_THERE, VARIABLE_CONFLICT = 500, 404, 409
NOMAD: Final = "Nomad"


def _no_answer(error: object) -> FairleadError:
    if isinstance(error, requests.exceptions.SSLError):
        detail = f"the TLS connection to Nomad is refused: {error}"
        return certificates.refusal(error, NOMAD) or Refused(Code.CERTIFICATE_REFUSED, detail)
    return Silent(Code.TARGET_UNREACHABLE, f"Nomad does not answer: {error}")
