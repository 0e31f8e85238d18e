# eth0 inside
#
# Two namespaces may each have an `eth0`. An interface needs no other name on its way there.

# do
ip netns add web                                     # web:
ip link add veth0 type veth peer name veth1          # [host:veth0, web:eth0]
ip link set veth1 netns web                          # (the end says it)
ip -n web link set veth1 name eth0                   # (likewise: `web:eth0`)
ip -n web link set eth0 mtu 1400                     # mtu: 1400
ip -n web link set eth0 address 02:00:00:00:00:11    # mac-address: "02:00:00:00:00:11"
ip -n web addr add 10.0.0.2/24 dev eth0              # addresses: [10.0.0.2/24, "fd00::2/64"]
ip -n web addr add fd00::2/64 dev eth0               # (as above)
ip -n web link set eth0 up                           # (nothing)
ip -n web link set lo up                             # (nothing)
ip addr add 10.0.0.1/24 dev veth0                    # addresses: [10.0.0.1/24]
ip link set veth0 up                                 # (nothing)

# check
ip netns exec web ping -c1 -W2 10.0.0.1              # topod exec web -- ping -c1 10.0.0.1
ip -n web addr show eth0                             # topod show web

# undo
ip link delete veth0                                 # topod down FILE
ip netns delete web                                  # (likewise)
