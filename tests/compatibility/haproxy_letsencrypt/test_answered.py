# SPDX-License-Identifier: Apache-2.0
"""Where the challenge arrives: at the node that asks, at another one, at one after the other, and at all of them at once."""

from __future__ import annotations

from lab import OLDEST, VIP, serial
from network import wait_until
from servers import OVERRIDES

SECRET = "c2VjcmV0LXRoYXQtbm9ib2R5LXNlZXM"


def listens(node):
    """Whether the node answers challenges now."""
    return ":8888" in node.run("ss", "-Hltn", f"src {node.address}").stdout


def test_one_node_behind_what_openstack_ansible_generates(make):
    """The first run in check mode asks nobody; the real one does once; the next changes nothing and asks nobody."""
    lab = make(nodes=1)
    [node] = lab.nodes
    lab.start_all()
    private = serial(lab.pem(node))
    foreseen = lab.play(node, "--check", "--diff", "-vvv", acme={"eab": {"kid": "kid-1", "hmac_key": SECRET}})
    assert "EXEC" in foreseen.text and SECRET not in foreseen.text
    assert foreseen.changed > 0 and lab.pebble.orders() == 0 and serial(lab.pem(node)) == private
    worker = lab.haproxies["node1"].worker()
    lab.play(node)
    assert lab.pebble.orders() == 1 and not listens(node)
    assert lab.served(node) == serial(lab.pem(node)) != private and lab.trusted(node)
    assert lab.haproxies["node1"].worker() == worker, "HAProxy took it over its socket, without a new process"
    stat = lab.pem(node).stat()
    assert f"{stat.st_mode & 0o7777:04o}" == "0640" and lab.pem(node).owner() == lab.pem(node).group() == "haproxy"
    lab.pebble.stop()
    lab.core = OLDEST
    again = lab.play(node)
    assert again.changed == 0, again.text


def test_the_challenge_arrives_at_the_other_node(make):
    """HAProxy of the node with the address hands it to the node that asks; when the address moves, that one serves its own."""
    lab = make()
    first, second = lab.nodes
    lab.start_all()
    lab.network.move(VIP, second)
    lab.play(first)
    assert lab.haproxies["node2"].handed_on() > 0 == lab.haproxies["node1"].handed_on() and not listens(first)
    assert lab.trusted(first) is False, "node2 has not asked yet"
    lab.network.move(VIP, first)
    assert lab.trusted(first) and lab.served(first) == serial(lab.pem(first))


def test_the_address_moves_while_the_order_is_under_way(make):
    """HAProxy of the node that asks does not find it, as after its network broke; the other one does, once it has the address."""
    lab = make()
    first, second = lab.nodes
    lab.start_all()
    lab.haproxies["node1"].ask("set server letsencrypt-back/node1 state maint")
    begun = lab.begin(first)
    wait_until(lambda: listens(first), "node1 does not ask", 60)
    lab.network.move(VIP, second)
    lab.finish(first, begun)
    assert lab.pebble.orders() == 1 and lab.haproxies["node2"].handed_on() > 0
    lab.network.move(VIP, first)
    assert lab.trusted(first)


def test_two_of_three_nodes_ask_at_once(make):
    """The third has the address. With what the guide says for haproxy_letsencrypt_service_overrides, who does not know a challenge is followed by the
    next node."""
    lab = make(nodes=3)
    lab.start_all(**OVERRIDES)
    first, second, third = lab.nodes
    lab.network.move(VIP, third)
    begun = [(node, lab.begin(node)) for node in (first, second)]
    for node, run in begun:
        lab.finish(node, run)
    assert lab.pebble.orders() == 2 and lab.haproxies["node3"].handed_on() > 0
    serials = set()
    for node in (first, second):
        lab.network.move(VIP, node)
        assert lab.trusted(node)
        serials.add(lab.served(node))
    assert len(serials) == 2, "each node has a certificate, and a key, of its own"
