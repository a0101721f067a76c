"""How an SSH host is reached: whom we take it for, what we log in with, through whom."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from agents.ssh_host.connection import Limits, connect
from agents.ssh_host.host import SshHost
from agents.ssh_host.options import read_endpoint, read_options
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import TargetAddress
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Unavailable
from tests.fixtures.ssh import KEY, ME, Sshd, make_key
from tests.targets.bench import eventually
from tests.targets.harness import free_port

pytestmark = pytest.mark.ssh

Login = Callable[..., int]


@pytest.fixture
def login(sshd: Sshd) -> Login:
    """Log in with changed options or secrets and run `true`; its exit status."""

    def login(options: dict[str, Any] | None = None, endpoint: str = "", **secrets: str) -> int:
        wanted = read_options({**sshd.options, **(options or {})})
        held = sshd.secrets(**secrets)
        with connect(endpoint or sshd.endpoint, wanted, held) as connection:
            return connection.ask(["true"])[0]

    return login


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Callable[[str], Sshd]]:
    """Further servers, each with keys of its own."""
    with ExitStack() as open:

        def start(more: str = "") -> Sshd:
            server = Sshd(tmp_path / f"sshd-{free_port()}", more)
            server.start()
            open.callback(server.stop)
            return server

        yield start


@contextmanager
def refused(code: Code) -> Iterator[pytest.ExceptionInfo[FairleadError]]:
    with pytest.raises(FairleadError) as raised:
        yield raised
    assert raised.value.code == code


def test_a_known_host_lets_us_in(login: Login) -> None:
    assert login() == 0


def test_an_unknown_host_is_refused_with_the_command_that_adds_it(login: Login, tmp_path: Path) -> None:
    known = tmp_path / "it's known"
    options = {"host_keys": [], "known_hosts": str(known)}
    with refused(Code.SSH_HOST_KEY_UNKNOWN) as refusal:
        login(options)
    subprocess.run(["sh", "-c", refusal.value.hint.partition("then: ")[2]], check=True)  # noqa: S607
    assert login(options) == 0


def test_nothing_is_told_to_a_host_that_shows_another_key(login: Login, other: Callable[..., Sshd], sshd: Sshd) -> None:
    stranger = other("LogLevel VERBOSE")
    line = sshd.known.replace(str(sshd.port), str(stranger.port))
    with refused(Code.SSH_HOST_KEY_CHANGED):
        login({"host_keys": [line]}, stranger.endpoint)
    assert f"for {ME}" not in stranger.log.read_text()


def test_a_revoked_key_is_not_taken_though_it_is_known(login: Login, sshd: Sshd) -> None:
    with refused(Code.SSH_HOST_KEY_CHANGED):
        login({"host_keys": [sshd.known, f"@revoked * {sshd.known.partition(' ')[2]}"]})


def test_a_host_is_known_by_its_hashed_name_too(login: Login, sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(sshd.known + "\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(known)], check=True, capture_output=True)  # noqa: S607
    assert "127.0.0.1" not in known.read_text()
    known.write_text("# ours\n\nnonsense\n@cert-authority * ssh-ed25519 AAAA\n" + known.read_text())
    assert login({"host_keys": [], "known_hosts": str(known)}) == 0


def test_another_key_of_ours_is_refused(login: Login, tmp_path: Path) -> None:
    with refused(Code.SSH_CREDENTIALS_REFUSED):
        login(**{KEY: make_key(tmp_path / "other").read_text()})


def test_a_password_that_is_wrong_is_refused(login: Login) -> None:
    with refused(Code.SSH_CREDENTIALS_REFUSED):
        login({"key": "", "password": "env://P"}, **{"env://P": "wrong 'password"})


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_every_kind_of_key_may_have_a_passphrase(login: Login, sshd: Sshd, tmp_path: Path, kind: str) -> None:
    key = make_key(tmp_path / "key", kind, "a 'phrase")
    with open(sshd.folder / "authorized_keys", "a") as file:
        file.write(key.with_suffix(".pub").read_text())
    options = {"passphrase": "env://PHRASE"}
    assert login(options, **{KEY: key.read_text(), "env://PHRASE": "a 'phrase"}) == 0
    with refused(Code.SSH_KEY_UNUSABLE):
        login(options, **{KEY: key.read_text(), "env://PHRASE": "another"})


@pytest.mark.parametrize(
    "text", ["", "nonsense", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"]
)
def test_what_is_no_key_is_refused_without_showing_it(login: Login, text: str) -> None:
    with refused(Code.SSH_KEY_UNUSABLE) as refusal:
        login(**{KEY: text})
    assert not text or text not in refusal.value.detail


def signed(sshd: Sshd, key: Path, valid: str) -> str:
    """A certificate by the authority that the server trusts."""
    command = ["ssh-keygen", "-q", "-s", str(sshd.folder / "ca"), "-I", "us", "-n", ME, "-V", valid, f"{key}.pub"]
    subprocess.run(command, check=True)
    return Path(f"{key}-cert.pub").read_text()


def test_a_certificate_lets_us_in_until_it_expires(login: Login, sshd: Sshd, tmp_path: Path) -> None:
    key, options = make_key(tmp_path / "key"), {"certificate": "env://CERTIFICATE"}
    held = {KEY: key.read_text()}
    assert login(options, **held, **{"env://CERTIFICATE": signed(sshd, key, "-1h:+1h")}) == 0
    with refused(Code.SSH_CERTIFICATE_EXPIRED):
        login(options, **held, **{"env://CERTIFICATE": signed(sshd, key, "-2h:-1h")})
    with refused(Code.SSH_KEY_UNUSABLE):
        login(options, **held, **{"env://CERTIFICATE": "nonsense"})


def test_keys_may_be_with_an_agent(login: Login, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path("/tmp") / f"fl-agent-{os.getpid()}"
    command = ["setpriv", "--pdeathsig", "KILL", "ssh-agent", "-D", "-a", str(place)]
    agent = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        assert eventually(place.exists)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        subprocess.run(["ssh-add", "-q", str(sshd.folder / "key")], check=True)  # noqa: S607
        assert login({"key": "", "agent": True}) == 0
    finally:
        agent.terminate()
        agent.wait()


def test_the_way_may_lead_through_other_hosts(login: Login, other: Callable[..., Sshd], sshd: Sshd) -> None:
    jump = other("")
    shutil.copy(sshd.folder / "authorized_keys", jump.folder / "authorized_keys")
    options = {"host_keys": [sshd.known, jump.known], "jump": [jump.endpoint]}
    assert login(options) == 0
    with refused(Code.SSH_HOST_KEY_UNKNOWN):
        login({**options, "host_keys": [sshd.known]})
    with refused(Code.TARGET_UNREACHABLE):
        login(options, f"ssh://{ME}@127.0.0.1:{free_port()}")


def test_a_jump_host_that_opens_no_connections_says_so(login: Login, other: Callable[..., Sshd], sshd: Sshd) -> None:
    jump = other("AllowTcpForwarding no")
    shutil.copy(sshd.folder / "authorized_keys", jump.folder / "authorized_keys")
    with refused(Code.SSH_FORWARDING_REFUSED):
        login({"host_keys": [sshd.known, jump.known], "jump": [jump.endpoint]})


def test_a_host_that_accepts_and_says_nothing_is_unreachable(login: Login, sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, refused(Code.TARGET_UNREACHABLE):
        login({"connect_timeout": "1s"}, f"ssh://{ME}@127.0.0.1:{silent.getsockname()[1]}")


def test_observing_a_host_that_does_not_let_us_in_is_an_answer(sshd: Sshd, tmp_path: Path) -> None:
    executor = SshHost(ImageStore(tmp_path), None, sshd.secrets(**{KEY: make_key(tmp_path / "other").read_text()}))
    seen = executor.observe(
        TargetAddress(
            project="p", environment="e", target="t", type="ssh_host", endpoint=sshd.endpoint, options=sshd.options
        )
    )
    assert (seen.reachable, "refuses" in str(seen.detail)) == (False, True)


HOSTILE = [
    "a b",
    "it's",
    '"',
    "$(touch /tmp/x)",
    "`id`",
    "\n",
    "; true",
    "*",
    "å\u2028é",
    "-n",
    "\\",
    "!!",
    "&& false",
    "",
]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_word_stays_a_word(sshd: Sshd, word: str) -> None:
    with connect(sshd.endpoint, read_options(sshd.options), sshd.secrets()) as connection:
        status, printed = connection.ask(["printf", "[%s]", word])
    assert (status, printed.decode()) == (0, f"[{word}]")


def test_a_port_that_answers_too_late_is_no_silence_of_the_host(sshd: Sshd) -> None:
    with ExitStack() as open, connect(sshd.endpoint, read_options(sshd.options), sshd.secrets()) as connection:
        full = open.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # whoever comes now waits until somebody is let in
            waiting = open.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        assert connection.reach(*full.getsockname(), 0.5) is None
        assert connection.ask(["true"])[0] == 0


def test_no_more_connections_to_one_host_than_may_be() -> None:
    limits, peer = Limits(), read_endpoint("ssh://me@host")
    with limits.taking(peer, 1, 0), refused(Code.SSH_BUSY), limits.taking(peer, 1, 0.01):
        raise AssertionError
    with limits.taking(peer, 1, 0), limits.taking(read_endpoint("ssh://me@elsewhere"), 1, 0):
        pass


def test_a_port_that_nobody_has_is_unreachable(login: Login) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable):
        login(endpoint=f"ssh://{ME}@127.0.0.1:{free_port()}")
    assert time.monotonic() - began < 60
