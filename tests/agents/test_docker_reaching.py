"""Docker engines over TCP and behind SSH: who is let in, who is believed, and what is said when not."""

import dataclasses
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.docker_host import DockerHost, certificates
from agents.docker_host.neighbourhood import Afar
from agents.ssh_host.engines import Engines
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.ports import FailPoints, NoSecrets, Secrets
from tests.fixtures.certificates import Authority, Certificate
from tests.fixtures.docker import DockerHarness
from tests.fixtures.ssh import Sshd
from tests.targets.bench import Bench, nobeat
from tests.targets.harness import free_port
from workers.local_engine import LocalEngine

pytestmark = pytest.mark.docker


class ReachedHarness(DockerHarness):
    """Docker hosts whose endpoint is another than the engine's socket."""

    def __init__(
        self, plain: DockerHarness, folder: Path, endpoint: str, options: dict[str, Any], secrets: Secrets
    ) -> None:
        super().__init__(plain.engine, plain.registry, folder)
        self.options, self._endpoint, self._login = options, endpoint, secrets

    def endpoint(self, target: str) -> str:
        return self._endpoint

    def executor(self, fail_points: FailPoints | None = None, secrets: Secrets | None = None) -> DockerHost:
        return DockerHost(self.store, fail_points, secrets, Engines(self._login))


@dataclasses.dataclass(frozen=True)
class Fort:
    """An engine that wants certificates, and its authority."""

    harness: DockerHarness
    endpoint: str
    authority: Authority
    certificate: Certificate

    def bench(self, folder: Path, **other: str) -> Bench:
        """A target there; `other` options than those that are right."""
        mine = self.certificate
        tls = {"ca": str(self.authority.file), "certificate": str(mine.file), "key": str(mine.key), **other}
        return Bench(ReachedHarness(self.harness, folder, self.endpoint, {"tls": tls}, NoSecrets()))


@pytest.fixture(scope="module")
def fort(docker_harness: DockerHarness, docker_folder: Path) -> Iterator[Fort]:
    authority, port = Authority(docker_folder / "tls", "ours"), free_port()
    server = authority.sign("engine")
    words = [
        "--host",
        f"tcp://127.0.0.1:{port}",
        "--tlsverify",
        "--tlscacert",
        authority.file,
        "--tlscert",
        server.file,
        "--tlskey",
        server.key,
    ]
    engine = LocalEngine(docker_folder / "fort", bound=True, more=[str(word) for word in words])
    engine.start()
    inside = DockerHarness(engine, docker_harness.registry, docker_folder)
    yield Fort(inside, f"tcp://127.0.0.1:{port}", authority, authority.sign("us"))
    inside.api.close()
    engine.stop()


def refusal(bench: Bench) -> tuple[type[FairleadError], Code]:
    """What prepare raises; observe answers."""
    with pytest.raises(FairleadError) as raised:
        bench.harness.executor().prepare(bench.of("1.0.0"), nobeat)
    assert not bench.harness.executor().observe(bench.address).reachable
    return type(raised.value), raised.value.code


def test_an_engine_is_worked_on_over_tls(fort: Fort, tmp_path: Path):
    bench = fort.bench(tmp_path)
    bench.apply(bench.of("1.0.0"), 1)
    assert bench.runs(bench.of("1.0.0"))
    bench.close()


def test_an_engine_of_another_authority_is_not_believed(fort: Fort, tmp_path: Path):
    other = Authority(tmp_path, "others")
    assert refusal(fort.bench(tmp_path, ca=str(other.file))) == (Refused, Code.AUTHORITY_UNKNOWN)


def test_a_certificate_of_another_authority_is_not_let_in(fort: Fort, tmp_path: Path):
    theirs = Authority(tmp_path, "others").sign("us")
    bench = fort.bench(tmp_path, certificate=str(theirs.file), key=str(theirs.key))
    assert refusal(bench) == (Refused, Code.CLIENT_CERTIFICATE_REFUSED)


def test_a_certificate_of_ours_that_has_expired_is_not_even_shown(fort: Fort, tmp_path: Path):
    old = fort.authority.sign("old", -timedelta(days=1))
    bench = fort.bench(tmp_path, certificate=str(old.file), key=str(old.key))
    assert refusal(bench) == (Refused, Code.CERTIFICATE_EXPIRED)


def test_an_engine_under_another_name_than_its_certificates_is_not_believed(fort: Fort, tmp_path: Path):
    elsewhere = dataclasses.replace(fort, endpoint=fort.endpoint.replace("127.0.0.1", "localhost"))
    assert refusal(elsewhere.bench(tmp_path)) == (Refused, Code.CERTIFICATE_REFUSED)


@pytest.mark.parametrize("name", ["ca", "certificate", "key"])
@pytest.mark.parametrize("content", [None, b"nothing"], ids=["missing", "nonsense"])
def test_a_file_that_is_none_is_refused(fort: Fort, tmp_path: Path, name: str, content: bytes | None):
    path = tmp_path / "file"
    if content:
        path.write_bytes(content)
    mine = {"ca": fort.authority.file, "certificate": fort.certificate.file, "key": fort.certificate.key}
    with pytest.raises(Refused) as refusal:
        certificates.ours({**{key: str(file) for key, file in mine.items()}, name: str(path)})
    assert refusal.value.code == Code.CERTIFICATE_REFUSED
    assert str(path) in refusal.value.detail


def test_an_engine_whose_certificate_has_expired_is_not_believed(fort: Fort, tmp_path: Path):
    """A double of the engine's side of the handshake, which does not get beyond it."""
    old = fort.authority.sign("engine-of-old", -timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(old.file, old.key)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=shake_hands, args=(server, context), daemon=True).start()
        stale = dataclasses.replace(fort, endpoint=f"tcp://127.0.0.1:{server.getsockname()[1]}")
        assert refusal(stale.bench(tmp_path)) == (Refused, Code.CERTIFICATE_EXPIRED)


def shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            context.wrap_socket(server.accept()[0], server_side=True).close()
        except ssl.SSLError:
            continue
        except OSError:
            return


def test_nobody_there_is_unreachable(fort: Fort, tmp_path: Path):
    nowhere = dataclasses.replace(fort, endpoint=f"tcp://127.0.0.1:{free_port()}")
    bench = nowhere.bench(tmp_path)
    with pytest.raises(Unavailable) as raised:
        bench.harness.executor().prepare(bench.of("1.0.0"), nobeat)
    assert raised.value.code == Code.TARGET_UNREACHABLE
    assert raised.value.__cause__ is not raised.value  # whoever tells causes, as Temporal does, would never end


def test_plain_tcp_is_for_loopback(docker_harness: DockerHarness, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=forward, args=(server, docker_harness.engine.socket), daemon=True).start()
        near = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        bench = Bench(ReachedHarness(docker_harness, tmp_path, near, {}, NoSecrets()))
        bench.apply(bench.of("1.0.0"), 1)
        assert bench.runs(bench.of("1.0.0"))
        bench.close()
    far = Bench(ReachedHarness(docker_harness, tmp_path, "tcp://192.0.2.1:2375", {}, NoSecrets()))
    assert refusal(far) == (Refused, Code.PLAINTEXT_REFUSED)


def forward(server: socket.socket, path: Path) -> None:
    """What comes in over TCP goes to the engine's socket, and back."""
    while True:
        try:
            near = server.accept()[0]
        except OSError:
            return
        engine = socket.socket(socket.AF_UNIX)
        engine.connect(str(path))
        for one, other in ((near, engine), (engine, near)):
            threading.Thread(target=pump, args=(one, other), daemon=True).start()


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.mark.ssh
def test_an_engine_is_worked_on_behind_ssh(docker_harness: DockerHarness, sshd: Sshd, tmp_path: Path):
    options = {"ssh": {**sshd.options, "socket": str(docker_harness.engine.socket)}}
    bench = Bench(ReachedHarness(docker_harness, tmp_path, sshd.endpoint, options, sshd.secrets()))
    bench.apply(bench.of("1.0.0"), 1)
    assert bench.runs(bench.of("1.0.0"))
    bench.close()
    stranger = Bench(
        ReachedHarness(
            docker_harness,
            tmp_path,
            sshd.endpoint,
            {"ssh": {"key": sshd.options["key"], "known_hosts": str(tmp_path / "none")}},
            sshd.secrets(),
        )
    )
    assert refusal(stranger) == (Refused, Code.SSH_HOST_KEY_UNKNOWN)


def test_an_engine_far_away_is_seen_as_its_clients_see_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        afar = Afar("localhost")
        afar.dial("127.0.0.1", port, 5).close()
        assert not afar.is_free(port)
    assert Afar("127.0.0.1").is_free(port)
