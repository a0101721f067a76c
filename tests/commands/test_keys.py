"""Bearer keys and ids."""

import re

import pytest

from fairlead.commands.ids import new_id, new_secret
from fairlead.commands.keys import ADMIN, MEMBER, authenticate, bootstrap_key, create_key, secret_hash
from fairlead.contracts.names import project_subject
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound, Refused, Unauthenticated
from fairlead.store import history, keys
from tests.commands.world import NOW, World, at


def test_ids_and_secrets_have_their_form_and_differ() -> None:
    ids, secrets = {new_id() for _ in range(100)}, {new_secret() for _ in range(100)}
    assert (len(ids), len(secrets)) == (100, 100)
    assert all(re.fullmatch("[a-z2-7]{12}", id) for id in ids)
    assert all(re.fullmatch("flk_[a-z2-7]{52}", secret) for secret in secrets)


def test_a_key_is_known_by_its_secret_alone(world: World) -> None:
    made = create_key(world.db, project="shop", subject="ana", scope=MEMBER, now=NOW)
    with world.db.session() as s:
        assert authenticate(s, made.secret, NOW) == made.record
        assert keys.by_hash(s, made.secret) is None
        assert keys.by_hash(s, secret_hash(made.secret)) == made.record


def test_making_a_key_is_an_event_without_the_secret(world: World) -> None:
    made = create_key(world.db, project="shop", subject="ana", scope=ADMIN, now=NOW, actor="integration:dev")
    with world.db.session() as s:
        event = history.events(s, project_subject("shop"))[-1]
    assert (event.type, event.actor, event.data["subject"]) == ("key_created", "integration:dev", "ana")
    assert made.secret not in str(event)


@pytest.mark.parametrize("secret", ["", "flk_", "flk_" + "a" * 52, "\ud800", "x" * 100_000])
def test_an_unknown_key_is_nobody(world: World, secret: str) -> None:
    with world.db.session() as s, pytest.raises(Unauthenticated):
        authenticate(s, secret, NOW)


def test_an_expired_or_revoked_key_is_nobody(world: World) -> None:
    expiring = create_key(world.db, project="shop", subject="ana", scope=MEMBER, now=NOW, expires_at=at(60))
    revoked = create_key(world.db, project="shop", subject="ana", scope=MEMBER, now=NOW)
    with world.db.session() as s:
        keys.revoke(s, revoked.record.id, NOW)
        assert authenticate(s, expiring.secret, at(59)) == expiring.record
        for secret, now in ((expiring.secret, at(60)), (revoked.secret, at(1))):
            with pytest.raises(Unauthenticated):
                authenticate(s, secret, now)


@pytest.mark.parametrize(
    ("project", "subject", "scope", "kind", "code"),
    [
        ("shop", "anna", MEMBER, NotFound, Code.SUBJECT_NOT_FOUND),
        ("shpo", "ana", MEMBER, NotFound, Code.PROJECT_NOT_FOUND),
        ("shop", "ana", "root", BadInput, Code.BAD_VALUE),
        ("shop", "integration:", MEMBER, BadInput, Code.BAD_NAME),
        ("shop", "integration:C I", MEMBER, BadInput, Code.BAD_NAME),
        (None, "ana", ADMIN, NotFound, Code.SUBJECT_NOT_FOUND),
    ],
)
def test_a_key_belongs_to_a_person_or_an_integration(
    world: World, project: str | None, subject: str, scope: str, kind: type[Refused], code: Code
) -> None:
    with pytest.raises(kind) as refused:
        create_key(world.db, project=project, subject=subject, scope=scope, now=NOW)
    assert refused.value.code is code


def test_a_key_that_would_have_expired_is_refused(world: World) -> None:
    with pytest.raises(BadInput):
        create_key(world.db, project="shop", subject="ana", scope=MEMBER, now=NOW, expires_at=NOW)


def test_the_first_key_is_made_once_per_secret(world: World) -> None:
    secret = new_secret()
    first, again = (bootstrap_key(world.db, now=NOW, secret=secret) for _ in range(2))
    assert first == again
    assert (first.record.subject, first.record.scope, first.record.project) == ("integration:dev", ADMIN, None)
    assert bootstrap_key(world.db, now=NOW).secret != secret
