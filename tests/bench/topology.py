#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the benchmark's topologies as files: for topod (YAML), and for `ip -batch`.

The topologies are the same as shape.c's, name for name and address for address; if you change one, change the other.
`floor check` of a topology that topod made from such a file shows whether they still agree.

    topology.py star 100 > star.yaml
    topology.py chain 1000 --queues 1 > chain.yaml
    topology.py campus 100 > campus.yaml
    topology.py star 1000 --ranges > star.yaml  # the same in a few lines
    topology.py star 100 --ip-batch DIRECTORY      # batch files and the script `build` that runs them
"""
import argparse
import os

HOSTS_PER_BRIDGE = 1000  # a bridge takes 1023 ports
MTU = 1500  # written, so that topod manages it
LEFT_END, RIGHT_END = "10.255.0.1", "10.255.0.2"


def bridges(n):
    return range((n + HOSTS_PER_BRIDGE - 1) // HOSTS_PER_BRIDGE)


def bridge_of(host):
    return (host - 1) // HOSTS_PER_BRIDGE


def host_address(host):
    place = (host - 1) % HOSTS_PER_BRIDGE
    return f"10.{bridge_of(host)}.{1 + place // 250}.{1 + place % 250}"


def link_address(link, side):
    """Link i is the one between router i and router i + 1; side 1 is the left router's, 2 the right one's."""
    offset = 4 * (link - 1) + side
    return f"10.{offset >> 16}.{offset >> 8 & 255}.{offset & 255}"


def lo_address(router, n):
    return LEFT_END if router == 1 else RIGHT_END if router == n else None


def routes_of(router, n):
    """(to, via) pairs, towards the left end and the right one."""
    left = [(LEFT_END, link_address(router - 1, 1))] if router > 1 else []
    right = [(RIGHT_END, link_address(router, 2))] if router < n else []
    return left + right


def ends_of(router, n):
    left = [("left", link_address(router - 1, 2))] if router > 1 else []
    right = [("right", link_address(router, 1))] if router < n else []
    return left + right


def star_yaml(n):
    yield "  bench-hub:"
    yield "    forwarding: ipv4"
    yield "    interfaces:"
    for k in bridges(n):
        yield f"      br{k}:"
        yield "        kind: bridge"
        yield f"        addresses: [10.{k}.0.1/16]"
        yield "        ports:"
        for host in range(k * HOSTS_PER_BRIDGE + 1, min(n, (k + 1) * HOSTS_PER_BRIDGE) + 1):
            yield f"          - p{host}"
    yield "    nat:"
    for k in bridges(n):
        yield f"      - {{action: masquerade, source: 10.{k}.0.0/16, out: not br{k}}}"
    for host in range(1, n + 1):
        yield f"  bench-h{host}:"
        yield "    interfaces:"
        yield f"      eth0: {{addresses: [{host_address(host)}/16], mtu: {MTU}}}"
        yield "    routes:"
        yield f"      - {{to: default, via: 10.{bridge_of(host)}.0.1}}"
    yield "links:"
    for host in range(1, n + 1):
        yield f"  - [bench-h{host}:eth0, bench-hub:p{host}]"


def chain_yaml(n):
    for router in range(1, n + 1):
        yield f"  bench-r{router}:"
        yield "    forwarding: ipv4"
        yield "    interfaces:"
        if lo_address(router, n):
            yield f"      lo: {{addresses: [{lo_address(router, n)}/32]}}"
        for name, address in ends_of(router, n):
            yield f"      {name}: {{addresses: [{address}/30], mtu: {MTU}}}"
        yield "    routes:"
        for to, via in routes_of(router, n):
            yield f"      - {{to: {to}/32, via: {via}}}"
    yield "links:"
    for router in range(1, n):
        yield f"  - [bench-r{router}:right, bench-r{router + 1}:left]"


FILTER_RULES = 10


def campus_host(host, link, shaping, route):
    """What each host of both campuses has."""
    gateway = f"10.{bridge_of(host)}.0.1"
    yield f"  bench-h{host}:"
    yield "    interfaces:"
    yield f"      eth0: {{{link}addresses: [{host_address(host)}/16], mtu: {MTU}, {shaping}}}"
    if route:
        yield "    routes:"
        yield f"      - {{to: default, via: {gateway}}}"
    else:
        yield "      red: {kind: vrf, table: 10, ports: [eth0]}"
    yield "    nexthops:"
    yield f"      - {{id: 1, via: {gateway}, dev: eth0}}"
    yield "    rules:"
    yield "      - {priority: 100, from: 10.200.0.0/16, table: 100}"
    yield "      - {priority: 101, fwmark: 7, family: ipv4, table: 101}"
    yield "    neighbors:"
    yield f'      - {{address: {gateway}, mac-address: "02:00:00:00:00:01", dev: eth0}}'
    if not route:
        return
    yield "    filter:"
    yield "      input:"
    yield "        rules:"
    for number in range(FILTER_RULES):
        yield f"          - {{protocol: tcp, port: {1001 + number}, action: accept}}"


def campus_yaml(n):
    yield "  bench-hub:"
    yield "    interfaces:"
    yield f"      up0: {{mtu: {MTU}}}"
    yield f"      up1: {{mtu: {MTU}, addresses: [{', '.join(f'10.{k}.0.1/16' for k in bridges(n))}]}}"
    for host in range(1, n + 1):
        yield from campus_host(host, "kind: macvlan, link: 'bench-hub:up0', mode: private, ",
                               "qdisc: {kind: tbf, rate: 100mbit, burst: 32k, limit: 64k}", True)
    yield "links:"
    yield "  - [bench-hub:up0, bench-hub:up1]"


def vlans_yaml(n):
    yield "  bench-hub:"
    yield "    interfaces:"
    for k in bridges(n):
        yield f"      br{k}:"
        yield "        kind: bridge"
        yield "        vlan-filtering: true"
        yield f"        addresses: [10.{k}.0.1/16]"
        yield "        ports:"
        for host in range(k * HOSTS_PER_BRIDGE + 1, min(n, (k + 1) * HOSTS_PER_BRIDGE) + 1):
            yield f"          - {{name: p{host}, pvid: {2 + host % 4000}}}"
    for host in range(1, n + 1):
        yield from campus_host(host, "", "impair: {delay: 10ms}", False)
    yield "links:"
    for host in range(1, n + 1):
        yield f"  - [bench-h{host}:eth0, bench-hub:p{host}]"


def star_ranges(n):
    yield "  bench-hub:"
    yield "    forwarding: ipv4"
    yield "    interfaces:"
    yield f'      br[0-{bridges(n)[-1]}]: {{kind: bridge, addresses: "10.{{n}}.0.1/16"}}'
    for k in bridges(n):
        yield f"      br{k}: {{ports: \"p[{k * HOSTS_PER_BRIDGE + 1}-{min(n, (k + 1) * HOSTS_PER_BRIDGE)}]\"}}"
    yield "    nat:"
    for k in bridges(n):
        yield f"      - {{action: masquerade, source: 10.{k}.0.0/16, out: not br{k}}}"
    yield f"  bench-h[1-{n}]:"
    yield "    interfaces:"
    yield ("      eth0: {addresses: [\"10.{(n-1)/%d}.{1+(n-1)%%%d/250}.{1+(n-1)%%250}/16\"], mtu: %d}"
           % (HOSTS_PER_BRIDGE, HOSTS_PER_BRIDGE, MTU))
    yield "    routes:"
    yield f'      - {{to: default, via: "10.{{(n-1)/{HOSTS_PER_BRIDGE}}}.0.1"}}'
    yield "links:"
    yield f'  - ["bench-h[1-{n}]:eth0", "bench-hub:p[1-{n}]"]'


def link_range(offset):
    """Like link_address(n, …), with n from the range; the offset is 4 * (link - 1) + side."""
    return f"10.{{({offset})/65536}}.{{({offset})/256%256}}.{{({offset})%256}}"


def chain_ranges(n):
    yield f"  bench-r[1-{n}]: {{forwarding: ipv4}}"
    yield f"  bench-r1: {{interfaces: {{lo: {{addresses: [{LEFT_END}/32]}}}}}}"
    yield f"  bench-r{n}: {{interfaces: {{lo: {{addresses: [{RIGHT_END}/32]}}}}}}"
    yield f"  bench-r[2-{n}]:"
    yield f'    interfaces: {{left: {{addresses: ["{link_range("4*n-6")}/30"], mtu: {MTU}}}}}'
    yield f'    routes: [{{to: {LEFT_END}/32, via: "{link_range("4*n-7")}"}}]'
    yield f"  bench-r[1-{n - 1}]:"
    yield f'    interfaces: {{right: {{addresses: ["{link_range("4*n-3")}/30"], mtu: {MTU}}}}}'
    yield f'    routes: [{{to: {RIGHT_END}/32, via: "{link_range("4*n-2")}"}}]'
    yield "links:"
    yield f'  - ["bench-r[1-{n - 1}]:right", "bench-r[2-{n}]:left"]'


WRITERS = {("star", False): star_yaml, ("chain", False): chain_yaml, ("star", True): star_ranges, ("chain", True): chain_ranges,
           ("campus", False): campus_yaml, ("vlans", False): vlans_yaml}


def yaml(shape, n, queues=0, ranges=False):
    """The whole file, as text; with ranges the same topology in a few lines."""
    lines = ["version: 1", f"topology: bench-{shape}"]
    if queues:
        lines += ["defaults:", f"  link: {{queues: {queues}}}"]
    lines += ["namespaces:", *WRITERS[shape, ranges](n)]
    return "\n".join(lines) + "\n"


# What follows is the fastest way to the same with iproute2: one process for all namespaces, one for the hub's
# links (a name given as master is looked up in the process's own namespace), then one per namespace.


def veth(queues):
    return f"numtxqueues {queues} numrxqueues {queues} " if queues else ""


def star_batches(n, queues):
    q = veth(queues)
    yield "bench-hub", ["link set lo up"] + [
        line for k in bridges(n) for line in (f"link add br{k} type bridge",
                                              f"address add 10.{k}.0.1/16 dev br{k}")
    ] + [
        f"link add p{host} up mtu {MTU} master br{bridge_of(host)} {q}type veth "
        f"peer name eth0 mtu {MTU} netns bench-h{host} {q}" for host in range(1, n + 1)
    ] + [f"link set br{k} up" for k in bridges(n)]
    for host in range(1, n + 1):
        yield f"bench-h{host}", [
            "link set lo up", "link set eth0 up", f"address add {host_address(host)}/16 dev eth0",
            f"route add default via 10.{bridge_of(host)}.0.1"]


def chain_batches(n, queues):
    q = veth(queues)
    for router in range(1, n + 1):
        lo = lo_address(router, n)
        right = [f"link add right up mtu {MTU} {q}type veth peer name left mtu {MTU} netns bench-r{router + 1} {q}"]
        yield f"bench-r{router}", [
            "link set lo up", *([f"address add {lo}/32 dev lo"] if lo else []),
            *(["link set left up"] if router > 1 else []), *(right if router < n else []),
            *[f"address add {address}/30 dev {name}" for name, address in ends_of(router, n)],
            *[f"route add {to} via {via}" for to, via in routes_of(router, n)]]


def nat_ruleset(n):
    rules = "; ".join(f"ip saddr 10.{k}.0.0/16 oifname != br{k} masquerade" for k in bridges(n))
    return f"table ip bench {{ chain postrouting {{ type nat hook postrouting priority srcnat; {rules}; }}; }}\n"


# ip(8) cannot set a sysctl: this way it takes no additional process.
FORWARDING_BATCH = ("nsenter --net=/run/netns/{0} sh -c "
                    "'echo 1 > /proc/sys/net/ipv4/ip_forward && exec ip -batch {0}'")


def write(directory, name, lines):
    with open(os.path.join(directory, name), "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")


def write_ip_batch(directory, shape, n, queues=0):
    """Fills the directory; returns the path of the script that builds the topology."""
    names = []
    for name, lines in (star_batches if shape == "star" else chain_batches)(n, queues):
        write(directory, name, lines)
        names.append(name)
    write(directory, "namespaces", [f"netns add {name}" for name in names])
    forwarding = set(names[:1] if shape == "star" else names)
    script = ["set -e", f"cd {directory}", "ip -batch namespaces"]
    script += [FORWARDING_BATCH.format(name) if name in forwarding else f"ip -n {name} -batch {name}"
               for name in names]
    if shape == "star":
        write(directory, "nat", [nat_ruleset(n)])
        script += ["nsenter --net=/run/netns/bench-hub nft -f nat"]
    write(directory, "build", script)
    return os.path.join(directory, "build")


def main():
    parser = argparse.ArgumentParser(description="Writes the benchmark's topologies.")
    parser.add_argument("shape", choices=["star", "chain", "campus", "vlans"])
    parser.add_argument("n", type=int)
    parser.add_argument("--queues", type=int, default=0, help="of each end of a veth; left out: the kernel's choice")
    parser.add_argument("--ranges", action="store_true", help="with names that stand for many")
    parser.add_argument("--ip-batch", metavar="DIRECTORY", help="write batch files for ip(8) there")
    args = parser.parse_args()
    if args.ip_batch:
        print(write_ip_batch(args.ip_batch, args.shape, args.n, args.queues))
    else:
        print(yaml(args.shape, args.n, args.queues, args.ranges), end="")


if __name__ == "__main__":
    main()
