"""The ledger's mathematics: the Merkle tree of RFC 6962 (section 2), its proofs, and how a verifier checks them (RFC 9162, section 2.1)."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.evidence.limits import to_canonical

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_data(envelope: Mapping[str, Any]) -> bytes:
    """What a leaf is over: the envelope's RFC 8785 bytes."""
    return to_canonical(dict(envelope))


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree over leaf hashes. Complete subtrees are hashed once, so that each of many proofs costs few hashes."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            pairs = zip(below[::2], below[1::2], strict=False)
            self._levels.append([node_hash(left, right) for left, right in pairs])

    @property
    def size(self) -> int:
        return len(self._levels[0])

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves (all of them by default)."""
        upto = self.size if size is None else size
        return self._subtree(0, upto) if upto else EMPTY_ROOT

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of a leaf, from the leaf upwards."""
        return self._path(index, 0, self.size)

    def consistency(self, old: int) -> list[bytes]:
        """The proof that the first `old` leaves are the tree of that size; empty for no leaves or all of them."""
        return self._extend(old, 0, self.size, known=True) if 0 < old < self.size else []

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._subtree(middle, end)]
        return [*self._path(index, middle, end), self._subtree(start, middle)]

    def _extend(self, old: int, start: int, end: int, *, known: bool) -> list[bytes]:
        if old == end:
            return [] if known else [self._subtree(start, end)]
        middle = start + _split(end - start)
        if old <= middle:
            return [*self._extend(old, start, middle, known=known), self._subtree(middle, end)]
        return [*self._extend(old, middle, end, known=False), self._subtree(start, middle)]

    def _subtree(self, start: int, end: int) -> bytes:
        width = end - start
        if width & (width - 1) == 0:
            # a start is always a multiple of a complete subtree's width
            return self._levels[width.bit_length() - 1][start // width]
        middle = start + _split(width)
        return node_hash(self._subtree(start, middle), self._subtree(middle, end))


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree with this root and size holds the leaf at this index."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def extends(old_root: bytes, old_size: int, root: bytes, size: int, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the newer tree begins with all leaves of the older one."""
    if old_size == size:
        return old_root == root and not proof
    if old_size == 0:
        return old_root == EMPTY_ROOT and not proof
    if not 0 < old_size < size or not proof:
        return False
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    return _replay(old_root, old_size, root, size, path)


def _replay(old_root: bytes, old_size: int, root: bytes, size: int, path: Sequence[bytes]) -> bool:
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and older == old_root and newer == root


def _split(width: int) -> int:
    """The largest power of two that is smaller than `width`."""
    return int(1 << ((width - 1).bit_length() - 1))
