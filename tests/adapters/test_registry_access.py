"""Being let into registries: the real one behind a password, a token server and certificates, logins as Docker keeps them."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairlead.adapters.images import ImageStore
from fairlead.adapters.registry_access import Challenge, Login, RegistryAccess, answer
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Refused, Unavailable
from tests import components
from tests.fixtures.docker import need
from tests.fixtures.guarded import NAME, PASSWORD, Certificate, GuardedRegistry, TokenServer, password_file
from tests.fixtures.images import demo_files, make_layout, push
from workers.local_engine import LocalRegistry

AUTH = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry's folder in which shop/web:1.0.0 lies, pushed while nobody guarded it."""
    need(components.lacking(["docker-registry"], root=False))
    folder = tmp_path_factory.mktemp("guarded")
    open_one = LocalRegistry(folder, bound=True)
    open_one.start()
    make_layout(folder / "web", "1.0.0", demo_files("1.0.0"))
    push(folder / "web", f"{open_one.address}/shop/web", "1.0.0")
    open_one.stop()
    return folder


@pytest.fixture
def guard(content: Path) -> Iterator[Callable[..., GuardedRegistry]]:
    """Starts a registry on that content, guarded in some way."""
    started: list[GuardedRegistry] = []

    def start(**ways: object) -> GuardedRegistry:
        started.append(GuardedRegistry(content, **ways))
        started[-1].start()
        return started[-1]

    yield start
    for registry in started:
        registry.stop()


def config(folder: Path, **said: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(said))
    return path


def reads(registry: GuardedRegistry, access: RegistryAccess) -> bool:
    """A tag, a manifest and a blob, as somebody."""
    store, repository = ImageStore(Path("/nowhere"), access), f"{registry.address}/shop/web"
    digest = store.resolve(repository, "1.0.0")
    return bool(store.config(repository, store.select(repository, digest), lambda: None))


@pytest.mark.docker
def test_a_password_opens_the_registry_and_nothing_else_does(
    guard: Callable[..., GuardedRegistry], tmp_path: Path
) -> None:
    registry = guard(auth=password_file(tmp_path))
    assert reads(registry, RegistryAccess(config(tmp_path, auths={registry.address: {"auth": AUTH}})))
    wrong = base64.b64encode(b"robot:wrong").decode()
    for access in (RegistryAccess(), RegistryAccess(config(tmp_path, auths={registry.address: {"auth": wrong}}))):
        with pytest.raises(Refused) as refused:
            reads(registry, access)
        assert refused.value.code == Code.REGISTRY_REFUSED
        assert "wrong" not in refused.value.detail


@pytest.mark.docker
def test_a_token_is_fetched_where_the_registry_says(guard: Callable[..., GuardedRegistry], tmp_path: Path) -> None:
    server = TokenServer(Certificate(tmp_path, "issuer"))
    registry = guard(auth=server.auth)
    try:
        assert reads(registry, RegistryAccess(config(tmp_path, auths={registry.address: {"auth": AUTH}})))
        assert server.asked == 1
        with pytest.raises(Refused) as refused:
            reads(registry, RegistryAccess())
        assert refused.value.code == Code.REGISTRY_REFUSED
    finally:
        server.stop()


@pytest.mark.docker
def test_a_private_authority_and_our_certificate_let_us_in(
    guard: Callable[..., GuardedRegistry], tmp_path: Path
) -> None:
    theirs, ours = Certificate(tmp_path, "registry"), Certificate(tmp_path, "client")
    registry = guard(tls=theirs, clients=ours)
    place = tmp_path / "certs.d" / registry.address
    place.mkdir(parents=True)
    (place / "ca.crt").write_bytes(theirs.path.read_bytes())
    access = RegistryAccess(certs=tmp_path / "certs.d")
    with pytest.raises(Unavailable):
        reads(registry, access)
    (place / "client.cert").write_bytes(ours.path.read_bytes())
    (place / "client.key").write_bytes(ours.key_path.read_bytes())
    assert reads(registry, access)


@pytest.mark.docker
def test_an_unknown_authority_is_not_believed(guard: Callable[..., GuardedRegistry], tmp_path: Path) -> None:
    registry = guard(tls=Certificate(tmp_path, "registry"))
    place = tmp_path / "certs.d" / registry.address
    place.mkdir(parents=True)
    (place / "ca.crt").write_bytes(Certificate(tmp_path, "another").path.read_bytes())
    with pytest.raises(Unavailable) as refused:
        reads(registry, RegistryAccess(certs=tmp_path / "certs.d"))
    assert refused.value.code == Code.REGISTRY_UNAVAILABLE


HELPER = """#!/bin/sh
read host
[ "$host" = registry.example ] || { echo "credentials not found in native keychain"; exit 1; }
echo '{"ServerURL": "registry.example", "Username": "USER", "Secret": "from a helper"}'
"""


@pytest.mark.parametrize(
    ("said", "host", "login"),
    [
        ({"auths": {"registry.example": {"auth": AUTH}}}, "registry.example", Login(NAME, PASSWORD)),
        ({"auths": {"https://registry.example/v1/": {"auth": AUTH}}}, "registry.example", Login(NAME, PASSWORD)),
        ({"auths": {"registry.example": {"identitytoken": "t"}}}, "registry.example", Login("", "t")),
        ({"auths": {"registry.example": {}}}, "registry.example", None),
        ({"auths": {"registry.example": {"auth": AUTH}}}, "another.example", None),
        ({"credHelpers": {"registry.example": "trial"}}, "registry.example", Login("USER", "from a helper")),
        ({"credsStore": "trial"}, "registry.example", Login("USER", "from a helper")),
        ({"credsStore": "trial"}, "another.example", None),
    ],
)
def test_logins_are_found_as_docker_finds_them(
    said: dict[str, object], host: str, login: Login | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = tmp_path / "docker-credential-trial"
    helper.write_text(HELPER)
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert RegistryAccess(config(tmp_path, **said)).login(host) == login


@pytest.mark.parametrize("content", ["", "[]", '{"auths": {"a.example": 3}}', '{"credsStore": "is-not-here"}'])
def test_a_configuration_that_cannot_be_read_is_refused_without_its_content(content: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(BadInput) as refused:
        RegistryAccess(path).login("a.example")
    assert refused.value.code == Code.REGISTRY_LOGIN


@pytest.mark.parametrize(
    "header", ["", "Basic", "Bearer", "Bearer x", "Bearer realm", "Digest realm=x", 'Bearer service="s"', "\x00"]
)
def test_a_challenge_that_we_cannot_meet_is_not_answered(header: str) -> None:
    assert answer(Challenge.of(header), None, lambda *_: {}) is None


@pytest.mark.parametrize("given", [{}, {"token": 3}, {"token": "a\nb"}, {"token": "ü"}])
def test_what_is_no_token_is_not_sent(given: dict[str, object]) -> None:
    assert answer(Challenge.of('Bearer realm="https://a.example/token"'), None, lambda *_: given) is None
