"""Creating releases: tags become digests once and for all."""

from dataclasses import dataclass, field
from threading import Barrier
from typing import Any

import pytest

from fairlead.commands.releases import Wanted, activate, create_release, deprecate
from fairlead.contracts.canonical import Digest, digest_of
from fairlead.contracts.names import project_subject
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, NotFound, Refused
from fairlead.domain.states import ReleaseState
from fairlead.evidence.envelope import read_envelope
from fairlead.store import documents, history, ledger, releases
from tests.commands.world import NOW, MemoryImages, World, at, digest


@dataclass
class TogetherImages(MemoryImages):
    """Answers once all that belong together have asked."""

    together: Barrier = field(default_factory=lambda: Barrier(1))

    def resolve(self, repository: str, tag: str) -> Digest:
        self.together.wait()
        return super().resolve(repository, tag)


def create(world: World, components: dict[str, Wanted], version: str = "1.0.0", **options: Any) -> Any:
    settings = {"actor": "ana", "now": NOW, **options}
    return create_release(world.db, world.images, world.signer, "shop", version, components, **settings)


def test_tags_become_digests_and_moving_them_changes_nothing(world: World) -> None:
    made = world.release("1.0.0")
    world.images.push(world.document, "1.0.0", "something else")
    with world.db.session() as s:
        kept = releases.get(s, "shop", "1.0.0")
    assert kept is not None
    assert kept.manifest.components["web"].digest == digest("web 1.0.0")
    assert (kept.digest, digest_of(kept.manifest)) == (made.digest, made.digest)


def test_fifty_components_are_asked_for_at_once(world: World) -> None:
    names = [f"worker{number}" for number in range(50)]
    world.document["components"] |= {name: {"repository": f"registry.example.com/shop/{name}"} for name in names}
    world.apply()
    world.images = TogetherImages(together=Barrier(50, timeout=120))
    assert set(world.release("1.0.0", tuple(names)).manifest.components) == set(names)


def test_an_index_keeps_its_platforms(world: World) -> None:
    world.images.indexes[digest("web 1.0.0")] = {"linux/amd64": digest("amd"), "linux/arm64": digest("arm")}
    components = world.release("1.0.0").manifest.components
    assert components["web"].platforms == {"linux/amd64": digest("amd"), "linux/arm64": digest("arm")}
    assert components["api"].platforms is None


def test_templates_are_frozen(world: World) -> None:
    made = world.release("1.0.0")
    with world.db.session() as s:
        template = documents.artifact(s, made.manifest.templates["web"])
    assert template is not None
    assert (template["env"], "repository" in template) == ({"GREETING": "hello", "WORKERS": "2"}, False)


def test_the_release_statement_is_in_the_ledger(world: World) -> None:
    made = world.release("1.0.0", source={"commit": "abc"})
    with world.db.session() as s:
        sealed = ledger.by_key(s, "shop", "release/1.0.0")
    assert sealed is not None
    assert made.statement == sealed.statement == read_envelope(sealed.envelope).digest


def test_the_same_again_is_the_same_release(world: World) -> None:
    first = world.release("1.0.0")
    wanted = {"api": Wanted(digest=digest("api 1.0.0")), "web": Wanted(tag="1.0.0")}
    again = create(world, wanted, actor="ben", now=at(60))
    assert (again.created, again.release) == (False, first)


def test_another_content_under_the_same_version_names_what_differs(world: World) -> None:
    world.release("1.0.0")
    world.images.push(world.document, "2", "2")
    wanted = {"api": Wanted(tag="1.0.0"), "web": Wanted(tag="2")}
    with pytest.raises(Conflict, match="/components/web/digest") as refused:
        create(world, wanted, source={"commit": "abc"})
    assert refused.value.code is Code.RELEASE_EXISTS
    assert refused.value.fields["differs"] == ["/components/web/digest", "/source"]


def test_a_changed_template_is_another_release(world: World) -> None:
    world.release("1.0.0")
    world.document["components"]["web"]["env"]["GREETING"] = "hi"
    world.apply()
    with pytest.raises(Conflict, match="/templates/web"):
        world.release("1.0.0")


ONE = Wanted(tag="1.0.0")


@pytest.mark.parametrize(
    ("components", "code", "says"),
    [
        ({}, Code.MISSING_FIELD, "at least one"),
        ({"wbe": ONE}, Code.COMPONENT_NOT_FOUND, "did you mean web?"),
        ({"web": ONE}, Code.MISSING_FIELD, "depends on api"),
        ({"api": Wanted()}, Code.BAD_REFERENCE, "a tag or a digest"),
        ({"api": Wanted(tag="1", digest=digest("x"))}, Code.BAD_REFERENCE, "a tag or a digest"),
        ({"api": Wanted(tag="../1")}, Code.BAD_REFERENCE, "not a tag"),
        ({"api": Wanted(digest="sha256:abc")}, Code.BAD_REFERENCE, "64 hex"),
        ({"api": Wanted(tag="unheard-of")}, Code.TAG_NOT_FOUND, "no tag"),
    ],
)
def test_what_cannot_be_a_release_is_refused_and_nothing_is_kept(
    world: World, components: dict[str, Wanted], code: Code, says: str
) -> None:
    world.images.push(world.document, "1.0.0", "1.0.0")
    with pytest.raises(Refused, match=says) as refused:
        create(world, components)
    assert refused.value.code is code
    with world.db.session() as s:
        assert releases.list_releases(s, "shop") == []
        assert ledger.size(s, "shop") == 0


@pytest.mark.parametrize("version", ["", "-1", "1 0", "a/b", "x" * 65, "1.0\n"])
def test_a_version_is_one_short_word(world: World, version: str) -> None:
    with pytest.raises(BadInput, match="a version has"):
        create(world, {"api": ONE}, version)


@pytest.mark.parametrize("source", [{"x": "y" * 20_000}, {"n": 2**60}, {"n": float("nan")}])
def test_a_source_is_small_json(world: World, source: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="source"):
        create(world, {"api": ONE}, source=source)


def test_a_release_of_no_project_is_refused(world: World) -> None:
    with pytest.raises(NotFound) as refused:
        create_release(world.db, world.images, world.signer, "shpo", "1", {"api": ONE}, actor="ana", now=NOW)
    assert refused.value.code is Code.PROJECT_NOT_FOUND


def test_a_release_is_deprecated_and_activated_once_each(world: World) -> None:
    world.release("1.0.0")
    for _ in range(2):
        assert deprecate(world.db, "shop", "1.0.0", actor="ana", now=NOW).state is ReleaseState.DEPRECATED
    for _ in range(2):
        assert activate(world.db, "shop", "1.0.0", actor="ana", now=NOW).state is ReleaseState.ACTIVE
    with world.db.session() as s:
        types = [event.type for event in history.events(s, project_subject("shop"))]
    assert types == ["catalogue_applied", "release_created", "release_deprecated", "release_active"]


def test_a_release_that_is_not_there_is_not_found(world: World) -> None:
    world.release("1.0.0")
    with pytest.raises(NotFound, match=r"did you mean 1\.0\.0"):
        deprecate(world.db, "shop", "1.0.00", actor="ana", now=NOW)
