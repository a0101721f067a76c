"""Ports are given to one at a time, and to whoever names them."""

import socket

from workers.ports import choose_port, listens


def test_a_port_that_was_asked_for_is_taken_as_it_is_else_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert listens(port)
        assert choose_port(port, 1, []) == port
        assert choose_port(None, port, []) not in {0, port}
    assert choose_port(None, port, []) == port
    assert choose_port(0, port, []) != 0


def test_a_port_that_is_held_is_given_to_nobody_but_who_names_it() -> None:
    held: list[socket.socket] = []
    ports = [choose_port(0, 1, held) for _ in range(500)]
    assert len(set(ports)) == len(ports)
    with socket.create_server(("127.0.0.1", ports[0])):
        assert listens(ports[0])
    for each in held:
        each.close()
