"""One PowerShell on a host: the narrow port behind which pypsrp lies. A script runs, or one of four outcomes is raised (outcomes.py)."""

import contextlib
import json
import logging
import time
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import requests
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from spnego.exceptions import SpnegoError
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from agents.winrm_host import kerberos
from agents.winrm_host.outcomes import Denied, NotStarted, OutcomeUnknown, RemoteError
from agents.winrm_host.scripts import Script
from fairlead.domain.codes import Code
from fairlead.ports import Beat

Json = dict[str, Any]

# At level DEBUG the library would write down every message, and with it every secret; the one below it, what logins are made of.
logging.getLogger("pypsrp").setLevel(logging.INFO)
logging.getLogger("spnego").setLevel(logging.INFO)

_LOOK_EVERY: Final = 2
_IDLE: Final = 300
"""Seconds after which the host ends a shell that lost its connection; it would keep it for two hours, and count it."""
_ACCESS_DENIED: Final = 5
_FULL: Final = frozenset({2150859173, 2150859174, 2150859241})
"""WSMan's faults when a user has too many shells, operations, or commands in a shell."""
_TOO_LARGE: Final = 413
_LIBRARY: Final = (requests.RequestException, WinRMError, SpnegoError, HTTPError, ParseError, OSError, ValueError)
"""All that the library and what lies below it raise, by what was seen of it."""


class Shell:
    """A runspace pool that is open. Not for several threads: they would break the seal of the messages."""

    def __init__(self, wsman: WSMan, peer: object) -> None:
        self._wsman, self._peer = wsman, peer
        self._pool = RunspacePool(wsman, no_profile=True, idle_timeout=_IDLE)
        try:
            self._pool.open()
        except _LIBRARY as error:
            self.close()
            raise self._not_opened(error) from error

    def close(self) -> None:
        """Leave nothing there that counts against a quota; what goes wrong with that is nobody's business any more."""
        with contextlib.suppress(*_LIBRARY):
            if self._pool.shell.opened:
                self._pool.shell.close()
        with contextlib.suppress(*_LIBRARY):
            self._wsman.close()

    def run(self, script: Script, seconds: float, beat: Beat, **values: object) -> Json:
        """What the script answers. Raises NotStarted, Denied, RemoteError, OutcomeUnknown."""
        pipeline = PowerShell(self._pool)
        pipeline.add_script(script.text).add_parameters(values)
        try:
            pipeline.begin_invoke()
        except _LIBRARY as error:
            raise self._not_sent(error) from error
        self._follow(pipeline, time.monotonic() + seconds, beat)
        return self._said(script, pipeline)

    def _follow(self, pipeline: PowerShell, until: float, beat: Beat) -> None:
        try:
            while pipeline.state == PSInvocationState.RUNNING:
                beat()
                if time.monotonic() > until:
                    pipeline.stop()
                    raise self._unknown("it takes too long")
                pipeline.poll_invoke(timeout=_LOOK_EVERY)
        except _LIBRARY as error:
            raise self._unknown(error) from error

    def _said(self, script: Script, pipeline: PowerShell) -> Json:
        errors = [str(record) for record in pipeline.streams.error]
        with contextlib.suppress(*_LIBRARY):
            pipeline.close()
        if pipeline.had_errors or errors or len(pipeline.output) != 1:
            words = "; ".join(errors) or f"it said {len(pipeline.output)} things"
            raise RemoteError(Code.WINRM_SCRIPT_FAILED, f"{script.name} failed on {self._peer}: {words:.2000}")
        return _read(script, pipeline.output[0])

    def _not_opened(self, error: Exception) -> NotStarted | Denied:
        """Nothing has been asked for yet, so nothing has run."""
        if isinstance(error, requests.exceptions.SSLError):
            return Denied(Code.CERTIFICATE_REFUSED, f"TLS with {self._peer} fails: {_short(error)}")
        if isinstance(error, SpnegoError):
            return kerberos.failed(self._peer, error)
        if isinstance(error, AuthenticationError):
            return Denied(Code.WINRM_CREDENTIALS_REFUSED, f"{self._peer} does not accept who we say we are")
        if isinstance(error, WSManFaultError) and error.code == _ACCESS_DENIED:
            return Denied(Code.TARGET_DENIED, f"{self._peer} knows us, and does not let us run anything")
        return self._not_started(error) or NotStarted(
            Code.TARGET_UNREACHABLE, f"{self._peer} does not answer: {_short(error)}"
        )

    def _not_sent(self, error: Exception) -> NotStarted | OutcomeUnknown:
        if isinstance(error, AuthenticationError | WinRMTransportError | WSManFaultError | requests.ConnectionError):
            return self._not_started(error) or self._unknown(error)
        return self._unknown(error)

    def _not_started(self, error: Exception) -> NotStarted | None:
        """Only where it is sure."""
        if isinstance(error, WSManFaultError) and error.code in _FULL:
            return NotStarted(Code.WINRM_BUSY, f"{self._peer} takes no more of us for now: {error.reason}")
        refused = isinstance(error, WinRMTransportError) and error.code == _TOO_LARGE
        if refused or isinstance(error, requests.ConnectTimeout) or _nobody_listens(error):
            return NotStarted(Code.TARGET_UNREACHABLE, f"{self._peer} cannot be reached: {_short(error)}")
        return None

    def _unknown(self, why: object) -> OutcomeUnknown:
        words = f"{why if isinstance(why, str) else type(why).__name__}"
        return OutcomeUnknown(
            Code.WINRM_OUTCOME_UNKNOWN, f"what became of a script on {self._peer} is not known: {words}"
        )


def _read(script: Script, text: object) -> Json:
    """A host's profile or policy may put in words of its own."""
    with contextlib.suppress(ValueError):
        said = json.loads(str(text))
        if isinstance(said, dict):
            return said
    raise RemoteError(Code.WINRM_SCRIPT_FAILED, f"{script.name} did not answer as it should: {text!r:.200}")


def _nobody_listens(error: Exception) -> bool:
    reason = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)


def _short(error: Exception) -> str:
    return f"{str(error) or type(error).__name__:.300}"
