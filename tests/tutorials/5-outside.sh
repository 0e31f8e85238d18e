# A way out
#
# Forwarding, masquerading, a default route and name servers. `topod init nat` prints a file like this one to start from.

# given: the machine's uplink
ip link add wan type veth peer name provider
ip addr add 203.0.113.2/24 dev wan
ip link set wan up
ip link set provider up

# do
ip netns add red                                     # red:
ip link add veth-red type veth peer name veth-host   # [red:veth-red, host:veth-host]
ip link set veth-red netns red                       # (the end says it)
ip addr add 192.168.15.5/24 dev veth-host            # addresses: [192.168.15.5/24]
ip link set veth-host up                             # (nothing)
ip -n red addr add 192.168.15.1/24 dev veth-red      # addresses: [192.168.15.1/24]
ip -n red link set veth-red up                       # (nothing)
ip -n red link set lo up                             # (nothing)
ip -n red route add default via 192.168.15.5         # {to: default, via: 192.168.15.5}
sysctl -w net.ipv4.ip_forward=1                      # forwarding: ipv4
nft add table ip nat                                 # nat:
nft add chain ip nat post '{ type nat hook postrouting priority srcnat; }'  # (`masquerade` is always there)
nft add rule ip nat post ip saddr 192.168.15.0/24 oifname wan masquerade  # {action: masquerade, source: 192.168.15.0/24, out: wan}
mkdir -p /etc/netns/red                              # dns:
sh -c 'echo nameserver 192.0.2.53 >/etc/netns/red/resolv.conf'  # {servers: [192.0.2.53]}

# check
ip netns exec red ping -c1 -W2 203.0.113.2           # topod exec red -- ping -c1 203.0.113.2
ip netns exec red grep 192.0.2.53 /etc/resolv.conf   # topod exec red -- cat /etc/resolv.conf

# undo
nft delete table ip nat                              # topod down FILE
sysctl -w net.ipv4.ip_forward=0                      # (likewise: the value from before)
rm -r /etc/netns/red                                 # (likewise)
ip link delete veth-host                             # (likewise)
ip netns delete red                                  # (likewise)
