"""Proofs hold for every tree, and for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.evidence.checkpoint import read_checkpoint, sign_checkpoint
from fairlead.evidence.ledger import EMPTY_ROOT, Tree, extends, includes, leaf_hash, node_hash
from tests.evidence import world as w

SIZES = range(1, 70)
HASHES = [leaf_hash(bytes([number])) for number in range(130)]


def _defined(leaves):
    """The definition of RFC 6962, section 2.1, word by word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(_defined(leaves[:split]), _defined(leaves[split:]))


@pytest.mark.parametrize("size", [0, *SIZES])
def test_a_root_is_as_defined(size):
    assert Tree(HASHES[:size]).root() == _defined(HASHES[:size])


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proved_and_at_no_other_place(size):
    tree = Tree(HASHES[:size])
    for index in range(size):
        proof = tree.inclusion(index)
        places = [at for at in range(size + 2) if includes(tree.root(), size, at, HASHES[index], proof)]
        assert places == [index]


@pytest.mark.parametrize("size", SIZES)
def test_every_older_tree_is_proved_to_be_the_beginning(size):
    tree = Tree(HASHES[:size])
    for old in range(size + 1):
        assert extends(tree.root(old), old, tree.root(), size, tree.consistency(old))


sizes = st.integers(min_value=1, max_value=130)


@given(st.data(), sizes)
def test_a_proof_with_one_bit_changed_proves_nothing(data, size):
    tree = Tree(HASHES[:size])
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion(index)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        assert not includes(tree.root(), size, index, HASHES[index], proof)


@given(st.data(), sizes)
def test_inclusion_proofs_of_another_length_prove_nothing(data, size):
    tree = Tree(HASHES[:size])
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion(index)
    assert not includes(tree.root(), size, index, HASHES[index], [*proof, HASHES[0]])
    if proof:
        assert not includes(tree.root(), size, index, HASHES[index], proof[:-1])


@given(st.data(), st.integers(min_value=2, max_value=130))
def test_a_rewritten_beginning_is_not_continued(data, size):
    old = data.draw(st.integers(1, size - 1))
    at = data.draw(st.integers(0, old - 1))
    tree = Tree(HASHES[:size])
    rewritten = Tree([*HASHES[:at], leaf_hash(b"another"), *HASHES[at + 1 : old]])
    assert not extends(rewritten.root(), old, tree.root(), size, tree.consistency(old))
    assert not extends(tree.root(old), old, tree.root(), size, [*tree.consistency(old), HASHES[0]])


@given(st.data(), st.integers(min_value=2, max_value=130))
def test_a_consistency_proof_with_one_bit_changed_proves_nothing(data, size):
    old = data.draw(st.integers(1, size - 1))
    tree = Tree(HASHES[:size])
    proof = tree.consistency(old)
    at = data.draw(st.integers(0, len(proof) - 1))
    proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    assert not extends(tree.root(old), old, tree.root(), size, proof)


def test_a_tree_never_shrinks_nor_changes_at_the_same_size():
    tree = Tree(HASHES[:9])
    assert not extends(tree.root(), 9, tree.root(5), 5, tree.consistency(5))
    assert not extends(tree.root(), 9, Tree(HASHES[1:10]).root(), 9, [])
    assert not extends(tree.root(), 9, tree.root(), 9, [HASHES[0]])


def test_an_inner_node_is_no_leaf():
    tree = Tree(HASHES[:4])
    inner = node_hash(HASHES[0], HASHES[1])
    assert not includes(tree.root(), 4, 0, leaf_hash(HASHES[0] + HASHES[1]), [tree.inclusion(0)[1]])
    assert not includes(tree.root(), 4, 0, inner, [tree.inclusion(0)[1]])


def test_nothing_is_in_an_empty_tree():
    assert not includes(EMPTY_ROOT, 0, 0, HASHES[0], [])


@given(st.integers(0, 2**40), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_as_it_was_signed(size, root):
    read = read_checkpoint(sign_checkpoint(w.signer("ledger"), "shop", size, root))
    assert (read.origin, read.size, read.root, len(read.signatures)) == ("fairlead/shop", size, root, 1)


def test_a_checkpoint_reads_like_a_signed_note():
    note = sign_checkpoint(w.signer("ledger"), "shop", 3, HASHES[0])
    body, _, line = note.partition("\n\n")
    assert body.splitlines()[:2] == ["fairlead/shop", "3"]
    assert line.startswith("\u2014 fairlead/shop ")
    assert note.endswith("\n")


def test_lines_after_the_root_are_signed_with_the_rest():
    note = sign_checkpoint(w.signer("ledger"), "shop", 3, HASHES[0])
    body, _, line = note.partition("\n\n")
    assert read_checkpoint(f"{body}\nextension\n\n{line}").signed == f"{body}\nextension\n".encode()
