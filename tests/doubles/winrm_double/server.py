"""WinRM's HTTP: who comes in and how, messages sealed and unsealed, and connections that break where a test says so."""

import base64
import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import spnego
from pypsrp.encryption import WinRMEncryption
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from tests.doubles.winrm_double import imitations
from tests.doubles.winrm_double.windows import Windows
from tests.doubles.winrm_double.wsman import WSMan

SEALED = f'multipart/encrypted;protocol="{WinRMEncryption.SPNEGO}";boundary="Encrypted Boundary"'
MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


@dataclass(frozen=True)
class Tls:
    """`shown`: the certificate of the host, as it goes over the wire. `client`: that of whoever may come in by one of his own."""

    context: ssl.SSLContext
    shown: bytes
    client: bytes = b""


@dataclass
class Faults:
    """What goes wrong. `lose`: names of scripts whose answer is lost once each, after they have run; `garble`: how often what is written
    arrives as something else; `breaks`: scripts that fail in a way of their own; `babbles`: what scripts say instead; `fault`: asked
    before each action of WSMan, and may raise; `hold`: scripts end only after it.
    """

    lose: list[str] = field(default_factory=list)
    garble: int = 0
    breaks: dict[str, str] = field(default_factory=dict)
    babbles: dict[str, str] = field(default_factory=dict)
    fault: Callable[[str], None] | None = None
    hold: threading.Event | None = None


class WinrmDouble:
    """One host on a port. `basic` (USER:PASSWORD) is taken over https only. Other users are in the file that NTLM_USER_FILE names, or
    bring a ticket for one of the services in the keytab of KRB5_KTNAME. `logins`: by what, and who.
    """

    def __init__(self, drive: Path, tls: Tls | None = None, basic: str = "") -> None:
        self.windows, self.faults = Windows(drive), Faults()
        self.wsman = WSMan(self._script)
        self.wsman.fault = lambda verb: self.faults.fault(verb) if self.faults.fault else None
        self.ran: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.sealed, self.plain = 0, 0
        self.basic, self.tls = basic, tls
        self._lost = threading.Event()
        self._http = _Server(("127.0.0.1", 0), _Connection)
        self._http.double = self
        scheme = "https" if tls else "http"
        self.endpoint = f"{scheme}://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        for service in list(self.windows.services.values()):
            self.windows.stop(service)
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def mend(self) -> None:
        """Nothing goes wrong any more."""
        self.faults = Faults()
        self.windows.free, self.windows.powershell = None, "5.1.17763.6292"

    def breaks_now(self) -> bool:
        """Whether the connection is to be reset instead of an answer."""
        lost, _ = self._lost.is_set(), self._lost.clear()
        return lost

    def _script(self, name: str, given: Any) -> str:
        self.ran.append(name)
        if self.faults.hold:
            self.faults.hold.wait()
        if name in self.faults.breaks:
            raise RuntimeError(self.faults.breaks[name])
        if name == "write" and given.get("Data") and self.faults.garble:
            self.faults.garble -= 1
            given = {**given, "Data": b"\xff" + given["Data"][1:]}
        said = imitations.run(self.windows, name, given)
        if name in self.faults.babbles:
            return self.faults.babbles[name]
        if name in self.faults.lose:
            self.faults.lose.remove(name)
            self._lost.set()
        return said


def _refusal(token: bytes) -> bytes:
    """What Kerberos itself says to a ticket that it does not take. The library above it has no way to hand that out."""
    with contextlib.suppress(ImportError):
        from gssapi import raw

        try:
            raw.accept_sec_context(token)
        except raw.GSSError as error:
            return error.token or b""
    return b""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    double: WinrmDouble

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake is the connection's own business: it may fail without anybody else noticing."""
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            if tls := self.double.tls:
                request = tls.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    """One connection, which is one login."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.acceptor: Any = None
        self.seal: WinRMEncryption | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._let_in():
            return
        if not body:
            self._say(200, b"")
            return
        double = self.server.double
        kind = self.headers["Content-Type"]
        encrypted = kind.startswith("multipart/encrypted")
        if encrypted:
            try:
                body = self._unsealed(body)
            except SpnegoError:  # sealed with the keys of another connection; what Windows says to that is not known
                self._say(400, b"")
                return
            double.sealed += 1
        else:
            double.plain += 1
            if not double.tls:
                self._say(500, b"")  # AllowUnencrypted is off, as it is from the start
                return
        status, said = double.wsman.answer(body)
        if double.breaks_now():
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if encrypted:
            assert self.seal is not None
            self._say(status, self.seal.wrap_message(said)[1], SEALED)
        else:
            self._say(status, said)

    def _unsealed(self, body: bytes) -> bytes:
        self.seal = self.seal or WinRMEncryption(self.acceptor, WinRMEncryption.SPNEGO)
        return self.seal.unwrap_message(body, "Encrypted Boundary")

    def _let_in(self) -> bool:
        """Whether whoever speaks on this connection is known; if not, what is asked of him has been said."""
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if self._known(scheme, token):
            return True
        if scheme == "Negotiate":
            return self._step(base64.b64decode(token))
        self._ask("Negotiate")
        return False

    def _known(self, scheme: str, token: str) -> bool:
        double = self.server.double
        if scheme == "Basic" and double.basic and double.tls:
            return base64.b64decode(token).decode("latin-1") == double.basic
        if scheme == MUTUAL and double.tls and isinstance(self.connection, ssl.SSLSocket):
            return self.connection.getpeercert(True) == double.tls.client != b""
        return not scheme and self.acceptor is not None and self.acceptor.complete

    def _step(self, token: bytes) -> bool:
        ntlm = token.startswith(b"NTLMSSP")
        if self.acceptor is None:
            options = spnego.NegotiateOptions.use_ntlm if ntlm else spnego.NegotiateOptions.use_negotiate
            self.acceptor = spnego.server(
                protocol="ntlm" if ntlm else "negotiate", options=options, channel_bindings=self._bindings()
            )
        try:
            said = self.acceptor.step(token)
        except (SpnegoError, AttributeError):  # the latter where Kerberos has words for whoever it refuses
            self.acceptor = None
            self._ask(f"Negotiate {base64.b64encode(_refusal(token)).decode()}".strip())
            return False
        if not self.acceptor.complete:
            self._ask(f"Negotiate {base64.b64encode(said or b'').decode()}")
            return False
        self._token = said
        self.server.double.logins.append((self.acceptor.negotiated_protocol, self.acceptor.client_principal))
        return True

    def _bindings(self) -> GssChannelBindings | None:
        """What ties a login to this very TLS connection, as strict hosts demand."""
        tls = self.server.double.tls
        if tls is None:
            return None
        return GssChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(tls.shown).digest())

    def _ask(self, how: str) -> None:
        self._say(401, b"", asks=how)

    def _say(self, status: int, body: bytes, kind: str = "application/soap+xml;charset=UTF-8", asks: str = "") -> None:
        self.send_response(status)
        token, self._token = getattr(self, "_token", None), None
        if asks or token:
            self.send_header("WWW-Authenticate", asks or f"Negotiate {base64.b64encode(token or b'').decode()}")
        if body:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *said: object) -> None:
        """Nobody reads it."""
