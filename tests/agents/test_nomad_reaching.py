"""The way to a Nomad over TLS, in a namespace and a region, with a token from where secrets are: what is not right there has its code."""

import itertools
import json
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
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
from tests.fixtures.nomad import NomadDoubleHarness, NomadHarness
from tests.fixtures.nomad_agent import NomadAgent, told
from tests.targets.bench import Bench, eventually, nobeat, with_config, with_secrets
from workers.local_engine import LocalEngine, LocalRegistry

TOKEN, REFERENCE = "5d6f4f0e-7c0c-4b55-9c37-0a6cf0b0c0de", "vault://kv/nomad#token"
TEAM = Right(namespace="team", paths=("fairlead/", "nomad/jobs/"))


ROOT = "1f0f3a52-4b0f-4a37-9d3c-64f0a3f2f6c1"
_numbers = itertools.count(1)
OPTIONS = {"namespace": "team", "region": "eu", "token": REFERENCE}


class Fort(NomadDoubleHarness):
    """A Nomad in the region `eu` that wants certificates of its authority, a token, and has a namespace `team`."""

    def __init__(self, registry: LocalRegistry, folder: Path, certificate: Certificate, authority: Authority) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(certificate.file, certificate.key)
        super().__init__(registry, folder, context)
        self.double.cluster.namespaces.add("team")
        self.double.cluster.region = "eu"
        self.authority, self.safe = authority, MemorySecrets()
        self.options = {**OPTIONS, **_files(authority)}

    def executor(self, *_: Any) -> NomadJob:
        return NomadJob(self.pushed.store, secrets=self.safe)

    def allow(self, right: Right | None) -> str:
        """Put a token into the place of secrets, and let it do this; answers the token. None: nobody knows it."""
        self.double.rights = {TOKEN: right} if right else {"another": TEAM}
        self.safe.put(REFERENCE, TOKEN)
        return TOKEN

    def jobs(self) -> set[tuple[str, str]]:
        """(namespace, region) of every job."""
        return {(space, versions[0]["Region"]) for (space, _), versions in self.double.cluster.versions.items()}


class RealFort(NomadHarness):
    """The same of a real one."""

    def __init__(self, agent: "Guarded", engine: LocalEngine, registry: LocalRegistry, folder: Path) -> None:
        super().__init__(agent, engine, registry, folder)
        self._agent, self.authority, self.safe = agent, agent.authority, MemorySecrets()
        self.options = {**OPTIONS, **_files(agent.authority)}

    def executor(self, *_: Any) -> NomadJob:
        return NomadJob(self.pushed.store, secrets=self.safe)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self._agent.ask(method, f"{path}{'&' if '?' in path else '?'}namespace=team", body)

    def allow(self, right: Right | None) -> str:
        token = self._agent.token(_policy(right)) if right else TOKEN
        self.safe.put(REFERENCE, token)
        return token

    def jobs(self) -> set[tuple[str, str]]:
        found = self._agent.ask("GET", "jobs?namespace=*")
        return {(one["Namespace"], self.call("GET", f"job/{one['ID']}")["Region"]) for one in found}


class Guarded(NomadAgent):
    """An agent with TLS for both sides, and access control."""

    def __init__(self, program: Path, engine: LocalEngine, folder: Path, authority: Authority) -> None:
        mine, self.authority, self._root = authority.sign("nomad"), authority, ROOT
        more = _GUARDED.format(ca=authority.file, certificate=mine.file, key=mine.key)
        super().__init__(program, engine, folder, more)
        self.address = self.address.replace("http:", "https:")
        own = authority.sign("hand")
        self._context = ssl.create_default_context(cafile=str(authority.file))
        self._context.load_cert_chain(own.file, own.key)

    def start(self) -> None:
        super().start()
        self.ask("POST", "namespace/team", {"Name": "team"})

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """As who may do everything."""
        said = {"X-Nomad-Token": self._root}
        url = f"{self.address}/v1/{path}"
        answer = httpx.request(method, url, json=body, headers=said, verify=self._context, trust_env=False, timeout=30)
        if answer.status_code == 403:
            self.ask("POST", "acl/bootstrap", {"BootstrapSecret": self._root})
        return told(answer) if answer.is_success else None

    def token(self, policy: str) -> str:
        """A new token that may what a policy says."""
        name = f"p{next(_numbers)}"
        self.ask("POST", f"acl/policy/{name}", {"Name": name, "Rules": policy})
        said = {"Name": name, "Type": "client", "Policies": [name]}
        return str(self.ask("POST", "acl/token", said)["SecretID"])


_GUARDED = """
region = "eu"
acl {{
  enabled = true
}}
tls {{
  http                = true
  ca_file             = "{ca}"
  cert_file           = "{certificate}"
  key_file            = "{key}"
  verify_https_client = true
}}
"""


def _policy(right: Right) -> str:
    """As docs/targets/nomad_job.md says that the token needs."""
    jobs = ["submit-job", "read-job", "read-logs", "read-fs"] if right.writes else ["read-job"]
    variables = ["read", "write", "destroy"] if right.writes else ["read"]
    paths = "".join(f'path "{path}*" {{ capabilities = {json.dumps(variables)} }}\n' for path in right.paths if path)
    space = f'namespace "{right.namespace}" {{\n capabilities = {json.dumps(jobs)}\n variables {{\n {paths} }}\n}}\n'
    return space + 'agent { policy = "read" }\nnode { policy = "read" }\n'


def _files(authority: Authority) -> dict[str, str]:
    mine = authority.sign("worker")
    return {"ca": str(authority.file), "certificate": str(mine.file), "key": str(mine.key)}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("nomad-tls"), "ours")


@pytest.fixture(scope="module")
def double_fort(docker_registry: LocalRegistry, docker_folder: Path, authority: Authority) -> Iterator[Fort]:
    need(components.lacking(["busybox-static"], root=False))
    fort = Fort(docker_registry, docker_folder, authority.sign("nomad"), authority)
    yield fort
    fort.double.close()


@pytest.fixture(scope="module")
def real_fort(
    docker_engine: LocalEngine, docker_registry: LocalRegistry, docker_folder: Path, authority: Authority
) -> Iterator[RealFort]:
    program = components.nomad()
    if program is None:
        pytest.skip(components.NO_NOMAD)
    with Guarded(program, docker_engine, docker_folder / "fort", authority) as agent:
        yield RealFort(agent, docker_engine, docker_registry, docker_folder)


@pytest.fixture(scope="module", params=["double", pytest.param("real", marks=pytest.mark.docker)])
def fort(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(f"{request.param}_fort")


@pytest.fixture
def bench(fort: Any) -> Bench:
    fort.allow(TEAM)
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
    assert not bench.harness.jobs()  # type: ignore[attr-defined]
    return error.value


def test_a_job_is_deployed_over_tls_into_a_namespace_and_a_region(bench: Bench, fort: Any):
    component = with_secrets(
        bench.component(bench.harness.image("1.0.0")), KEY=fort.safe.put("vault://kv/shop#key", "hush-4711")
    )
    token = fort.allow(TEAM)
    spec, executor, id = bench.spec(component), fort.executor(), f"suite-test-{bench.target}"
    executor.prepare(spec, nobeat)
    [sent] = executor.apply(spec, Claim(1, 1), nobeat)
    executor.write_sticker(bench.address, bench.sticker(spec, "1.1"), Claim(1, 1))
    [seen] = executor.observe(bench.address).components
    assert (seen.health, seen.digest) == (Health.HEALTHY, component.digest)
    assert eventually(lambda: "listening" in executor.logs(bench.address, "web", 10))
    assert executor.forecast(spec).lines[0] == f"job {id} stays as it is"
    assert fort.jobs() == {("team", "eu")}
    assert token not in sent.content
    executor.retire(spec, Claim(2, 1), nobeat)
    assert not fort.jobs()


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
def test_what_is_wrong_with_certificates_has_its_code(bench: Bench, fort: Any, tmp_path: Path, what: str, code: Code):
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


def test_a_nomad_whose_certificate_is_not_valid_now_is_not_believed(bench: Bench, fort: Any):
    old = fort.authority.sign("nomad-of-old", -timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(old.file, old.key)
    stale = NomadDouble(tls=context)
    try:
        error = refused(bench, bench.of("1.0.0").model_copy(update={"endpoint": stale.address}))
    finally:
        stale.close()
    assert (isinstance(error, Refused), error.code) == (True, Code.CERTIFICATE_EXPIRED)


def test_a_nomad_under_another_name_than_its_certificates_is_not_believed(bench: Bench, fort: Any):
    elsewhere = fort.address.replace("127.0.0.1", "localhost")
    assert refused(bench, bench.of("1.0.0").model_copy(update={"endpoint": elsewhere})).code == Code.CERTIFICATE_REFUSED


@pytest.mark.parametrize(
    "right",
    [None, Right(), Right(namespace="team", paths=("nomad/jobs/",)), Right(namespace="team", writes=False)],
    ids=["unknown", "another namespace", "not our variables", "may only read"],
)
def test_a_token_that_does_not_reach_there_is_refused_and_not_told(bench: Bench, fort: Any, right: Right | None):
    token = fort.allow(right)
    with pytest.raises(Refused) as refusal:
        fort.executor().apply(bench.of("1.0.0"), Claim(1, 1), nobeat)
    assert refusal.value.code == Code.TARGET_DENIED
    assert token not in f"{refusal.value.detail} {refusal.value!r}"
    assert not fort.jobs()


def test_a_region_that_nobody_knows_is_told_and_is_no_missing_leader(bench: Bench):
    error = refused(bench, changed(bench.of("1.0.0"), region="us"))
    assert (isinstance(error, Unavailable), error.code) == (True, Code.TARGET_UNREACHABLE)
    assert "it knows eu" in error.detail


def test_a_missing_leader_is_no_region_that_nobody_knows(double_fort: Fort):
    double_fort.allow(TEAM)
    double_fort.double.leaderless = True
    try:
        assert refused(Bench(double_fort), Bench(double_fort).of("1.0.0")).code == Code.NO_LEADER
    finally:
        double_fort.double.leaderless = False


def test_a_namespace_that_is_not_there_is_refused_before_any_change(bench: Bench, fort: Any):
    fort.allow(Right(namespace="crew", paths=TEAM.paths))
    with pytest.raises(Refused) as refusal:
        fort.executor().prepare(changed(bench.of("1.0.0"), namespace="crew"), nobeat)
    assert refusal.value.code == Code.JOB_INVALID
    assert "crew" in refusal.value.detail
