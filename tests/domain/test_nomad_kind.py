"""What the catalogue may say of Nomad jobs."""

import pytest

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.errors import Flaw
from fairlead.domain.target_kinds import nomad_job

OPTIONS = {
    "namespace": "shop",
    "region": "eu",
    "job": "web_1.x",
    "token": "vault://kv/nomad#token",
    "ca": "/etc/ca.pem",
    "certificate": "/etc/c.pem",
    "key": "/etc/k.pem",
    "datacenters": ["dc1"],
    "count": 2,
    "canaries": 1,
    "max_parallel": 2,
    "min_healthy_time": "1500ms",
}


def read(reader, said):
    flaws: list[Flaw] = []
    return reader(Block(said, "", flaws)), flaws


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        (nomad_job.options, OPTIONS),
        (nomad_job.section, {"file": "jobs/web.hcl", "task": "front", "ports": "dynamic", "cpu": 100}),
    ],
)
def test_the_normal_form_reads_back_as_itself(reader, said):
    normal, flaws = read(reader, said)
    assert not flaws
    assert read(reader, normal) == (normal, [])


@pytest.mark.parametrize("reader", [nomad_job.options, nomad_job.section])
def test_nothing_said_is_nothing_kept(reader):
    assert read(reader, {}) == ({}, [])


@pytest.mark.parametrize(
    ("said", "at", "code"),
    [
        ({"job": "a/versions"}, "/job", Code.BAD_VALUE),
        ({"job": "a b"}, "/job", Code.BAD_VALUE),
        ({"token": "s3cr3t"}, "/token", Code.BAD_VALUE),
        ({"ca": "ca.pem"}, "/ca", Code.BAD_VALUE),
        ({"certificate": "/c.pem"}, "/certificate", Code.MISSING_FIELD),
        ({"count": 0}, "/count", Code.BAD_VALUE),
        ({"min_healthy_time": "soon"}, "/min_healthy_time", Code.BAD_DURATION),
        ({"auto_revert": True}, "/auto_revert", Code.UNKNOWN_FIELD),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(said, at, code):
    _, flaws = read(nomad_job.options, said)
    assert [(flaw.pointer, flaw.code) for flaw in flaws] == [(at, code)]


def test_a_token_that_stands_there_itself_is_not_repeated():
    _, flaws = read(nomad_job.options, {"token": "s3cr3t"})
    assert "s3cr3t" not in flaws[0].detail


@pytest.mark.parametrize(
    ("endpoint", "good"),
    [
        ("http://127.0.0.1:4646", True),
        ("https://nomad.example.com", True),
        ("https://[::1]:4646", True),
        ("nomad.example.com:4646", False),
        ("https://user:secret@nomad.example.com", False),
        ("https://nomad.example.com/v1", False),
    ],
)
def test_an_endpoint_is_an_address_and_holds_no_secret(endpoint, good):
    assert bool(nomad_job.KIND.endpoint.fullmatch(endpoint)) is good


@pytest.mark.parametrize(
    ("endpoint", "said", "codes"),
    [
        ("https://nomad.example:4646", {"token": "vault://kv/nomad#token", "ca": "/etc/ca.pem"}, []),
        ("http://nomad.example:4646", {}, []),
        ("http://nomad.example:4646", {"token": "vault://kv/nomad#token"}, [Code.PLAINTEXT_REFUSED]),
        ("http://127.0.0.1:4646", {"token": "vault://kv/nomad#token"}, []),
        ("http://[::1]:4646", {"token": "vault://kv/nomad#token"}, []),
        ("http://127.0.0.1:4646", {"ca": "/etc/ca.pem"}, [Code.BAD_VALUE]),
    ],
)
def test_a_token_goes_over_no_network_in_the_clear(endpoint, said, codes):
    flaws: list[Flaw] = []
    nomad_job.check(Block({}, "", flaws), endpoint, said)
    assert [flaw.code for flaw in flaws] == codes
