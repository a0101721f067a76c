"""The way to a Nomad over TLS, in a namespace and a region, with a token from where secrets are: what is not right there has its code."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.nomad_job import NomadJob
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests import components
from tests.doubles.nomad_double import NomadDouble, Right
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.certificates import Authority, Certificate
from tests.fixtures.docker import need
from tests.fixtures.nomad import NomadDoubleHarness
from tests.targets.bench import Bench, nobeat, with_config, with_secrets
from workers.local_engine import LocalRegistry

TOKEN, REFERENCE = "5d6f4f0e-7c0c-4b55-9c37-0a6cf0b0c0de", "vault://kv/nomad#token"
TEAM = Right(namespace="team", paths=("fairlead/", "nomad/jobs/"))


class Fort(NomadDoubleHarness):
    """A Nomad in the region `eu` that wants certificates of its authority, a token, and has a namespace `team`."""

    def __init__(self, registry: LocalRegistry, folder: Path, certificate: Certificate, authority: Authority) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(certificate.file, certificate.key)
        super().__init__(registry, folder, context)
        mine = authority.sign("worker")
        self.double.cluster.namespaces.add("team")
        self.double.cluster.region = "eu"
        self.authority = authority
        self.safe = MemorySecrets()
        self.safe.put(REFERENCE, TOKEN)
        self.options = {
            "ca": str(authority.file), "certificate": str(mine.file), "key": str(mine.key),
            "namespace": "team", "region": "eu", "token": REFERENCE,
        }  # fmt: skip

    def executor(self, *_: Any) -> NomadJob:
        return NomadJob(self.pushed.store, secrets=self.safe)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("nomad-tls"), "ours")


@pytest.fixture(scope="module")
def fort(docker_registry: LocalRegistry, docker_folder: Path, authority: Authority) -> Iterator[Fort]:
    need(components.lacking(["busybox-static"], root=False))
    fort = Fort(docker_registry, docker_folder, authority.sign("nomad"), authority)
    yield fort
    fort.double.close()


@pytest.fixture
def bench(fort: Fort) -> Bench:
    fort.double.rights = {TOKEN: TEAM}
    return Bench(fort)


def changed(spec: TargetSpec, **options: Any) -> TargetSpec:
    """The same specification with other options of the target; what is None is not said."""
    own = {key: value for key, value in {**spec.options, **options}.items() if value is not None}
    return spec.model_copy(update={"components": tuple(with_config(c, options=own) for c in spec.components)})


def refused(bench: Bench, spec: TargetSpec) -> FairleadError:
    """What both prepare and apply raise; nothing is changed."""
    raised = []
    for act in (lambda e: e.prepare(spec, nobeat), lambda e: e.apply(spec, Claim(1, 1), nobeat)):
        with pytest.raises(FairleadError) as error:
            act(bench.harness.executor())
        raised.append((type(error.value), error.value.code))
    assert raised[0] == raised[1]
    assert not bench.harness.double.cluster.versions  # type: ignore[attr-defined]
    return error.value


def test_a_job_is_deployed_over_tls_into_a_namespace_and_a_region(bench: Bench, fort: Fort):
    component = with_secrets(
        bench.component(bench.harness.image("1.0.0")), KEY=fort.safe.put("vault://kv/shop#key", "hush-4711")
    )
    spec, executor, id = bench.spec(component), fort.executor(), f"suite-test-{bench.target}"
    executor.prepare(spec, nobeat)
    [sent] = executor.apply(spec, Claim(1, 1), nobeat)
    executor.write_sticker(bench.address, bench.sticker(spec, "1.1"), Claim(1, 1))
    [seen] = executor.observe(bench.address).components
    assert (seen.health, seen.digest) == (Health.HEALTHY, component.digest)
    assert "listening" in executor.logs(bench.address, "web", 10)
    assert executor.forecast(spec).lines[0] == f"job {id} stays as it is"
    assert {space for space, _ in (*fort.double.cluster.versions, *fort.double.cluster.variables)} == {"team"}
    assert [said["Region"] for said in fort.double.cluster.versions["team", id]] == ["eu"]
    assert TOKEN not in sent.content
    executor.retire(spec, Claim(2, 1), nobeat)
    assert not fort.double.cluster.versions


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("an authority that did not sign it", Code.AUTHORITY_UNKNOWN),
        ("our certificate by somebody else", Code.CLIENT_CERTIFICATE_REFUSED),
        ("no certificate of ours", Code.CLIENT_CERTIFICATE_REFUSED),
        ("our certificate of old", Code.CERTIFICATE_EXPIRED),
        ("a key of another", Code.CERTIFICATE_REFUSED),
        ("no file", Code.CERTIFICATE_REFUSED),
    ],
)
def test_what_is_wrong_with_certificates_has_its_code(bench: Bench, fort: Fort, tmp_path: Path, what: str, code: Code):
    others = Authority(tmp_path, "others")
    theirs, old = others.sign("worker"), fort.authority.sign("old", -timedelta(days=1))
    options: dict[str, Any] = {
        "an authority that did not sign it": {"ca": str(others.file)},
        "our certificate by somebody else": {"certificate": str(theirs.file), "key": str(theirs.key)},
        "no certificate of ours": {"certificate": None, "key": None},
        "our certificate of old": {"certificate": str(old.file), "key": str(old.key)},
        "a key of another": {"key": str(theirs.key)},
        "no file": {"key": str(tmp_path / "none")},
    }[what]
    error = refused(bench, changed(bench.of("1.0.0"), **options))
    assert (isinstance(error, Refused), error.code) == (True, code)


def test_a_nomad_whose_certificate_is_not_valid_now_is_not_believed(bench: Bench, fort: Fort):
    old = fort.authority.sign("nomad-of-old", -timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(old.file, old.key)
    stale = NomadDouble(tls=context)
    try:
        error = refused(bench, bench.of("1.0.0").model_copy(update={"endpoint": stale.address}))
    finally:
        stale.close()
    assert (isinstance(error, Refused), error.code) == (True, Code.CERTIFICATE_EXPIRED)


def test_a_nomad_under_another_name_than_its_certificates_is_not_believed(bench: Bench, fort: Fort):
    elsewhere = fort.address.replace("127.0.0.1", "localhost")
    assert refused(bench, bench.of("1.0.0").model_copy(update={"endpoint": elsewhere})).code == Code.CERTIFICATE_REFUSED


@pytest.mark.parametrize(
    "right",
    [None, Right(), Right(namespace="team", paths=("nomad/jobs/",)), Right(namespace="team", writes=False)],
    ids=["unknown", "another namespace", "not our variables", "may only read"],
)
def test_a_token_that_does_not_reach_there_is_refused_and_not_told(bench: Bench, fort: Fort, right: Right | None):
    fort.double.rights = {TOKEN: right} if right else {"another": TEAM}
    with pytest.raises(Refused) as refusal:
        fort.executor().apply(bench.of("1.0.0"), Claim(1, 1), nobeat)
    assert refusal.value.code == Code.TARGET_DENIED
    assert TOKEN not in f"{refusal.value.detail} {refusal.value!r}"
    assert not fort.double.cluster.versions


def test_a_region_that_nobody_knows_is_told_and_is_no_missing_leader(bench: Bench, fort: Fort):
    error = refused(bench, changed(bench.of("1.0.0"), region="us"))
    assert (isinstance(error, Unavailable), error.code) == (True, Code.TARGET_UNREACHABLE)
    assert "it knows eu" in error.detail
    fort.double.leaderless = True
    try:
        assert refused(bench, bench.of("1.0.0")).code == Code.NO_LEADER
    finally:
        fort.double.leaderless = False


def test_a_namespace_that_is_not_there_is_refused_before_any_change(bench: Bench, fort: Fort):
    fort.double.rights = None
    with pytest.raises(Refused) as refusal:
        fort.executor().prepare(changed(bench.of("1.0.0"), namespace="crew"), nobeat)
    assert refusal.value.code == Code.JOB_INVALID
    assert "crew" in refusal.value.detail
