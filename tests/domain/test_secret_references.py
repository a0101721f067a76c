"""How a secret may be named."""

import pytest

from fairlead.domain.secret_references import SecretReference, parse

ARN = "arn:aws:secretsmanager:eu-west-1:1:secret:shop-Ab12"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("env://DB_URL", SecretReference("env", "DB_URL")),
        ("file:///run/secrets/db.url", SecretReference("file", "/run/secrets/db.url")),
        ("vault://kv/shop#db_url", SecretReference("vault", "kv/shop", "db_url")),
        ("vault://kv/a/b/c#key_with-dots.and/slash", SecretReference("vault", "kv/a/b/c", "key_with-dots.and/slash")),
        ("aws-sm://shop/db", SecretReference("aws-sm", "shop/db")),
        (f"aws-sm://{ARN}#url", SecretReference("aws-sm", ARN, "url")),
        ("aws-ssm:///shop/prod/db", SecretReference("aws-ssm", "/shop/prod/db")),
    ],
)
def test_references_are_read(text: str, reference: SecretReference) -> None:
    assert parse(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "env:NAME",
        "env://",
        "env://A B",
        "env://1A",
        "file://relative",
        "file:///",
        "file:///a/../b",
        "file:///a/./b",
        "file:///a//b",
        "file:///a\0b",
        "file:///a\n",
        "vault://kv#key",
        "vault://kv/shop",
        "vault://kv/shop#",
        "vault://kv/../sys#key",
        "vault://kv/shop#a#b",
        "vault://kv/shop?version=1#a",
        "aws-sm://",
        "aws-ssm://name",
        "aws-ssm:///a//b",
        "gopher://kv/shop#a",
        "ENV://NAME",
        "env://" + "A" * 500,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not "):
        parse(text)
