# Three namespaces on a bridge
#
# The bridge is the host's. `networks` writes all of this in a few lines, with names and addresses that topod chooses.

# do
ip netns add red                                     # red:
ip netns add blue                                    # blue:
ip netns add green                                   # green:
ip link add v-net-0 type bridge                      # v-net-0:
ip link set v-net-0 up                               # (nothing)
ip link add veth-red type veth peer name red-br      # [red:veth-red, host:red-br]
ip link set veth-red netns red                       # (the end says it)
ip link set red-br master v-net-0                    # ports: [red-br, blue-br, green-br]
ip link add veth-blue type veth peer name blue-br    # [blue:veth-blue, host:blue-br]
ip link set veth-blue netns blue                     # (the end says it)
ip link set blue-br master v-net-0                   # (as above)
ip link add veth-green type veth peer name green-br  # [green:veth-green, host:green-br]
ip link set veth-green netns green                   # (the end says it)
ip link set green-br master v-net-0                  # (as above)
ip link set red-br up                                # (nothing, for all of them)
ip link set blue-br up                               # (nothing)
ip link set green-br up                              # (nothing)
ip -n red link set veth-red up                       # (nothing)
ip -n blue link set veth-blue up                     # (nothing)
ip -n green link set veth-green up                   # (nothing)
ip -n red link set lo up                             # (nothing)
ip -n blue link set lo up                            # (nothing)
ip -n green link set lo up                           # (nothing)
ip -n red addr add 192.168.15.1/24 dev veth-red      # addresses: [192.168.15.1/24]
ip -n blue addr add 192.168.15.2/24 dev veth-blue    # addresses: [192.168.15.2/24]
ip -n green addr add 192.168.15.3/24 dev veth-green  # addresses: [192.168.15.3/24]
ip addr add 192.168.15.5/24 dev v-net-0              # addresses: [192.168.15.5/24]

# check
ip netns exec red ping -c1 -W2 192.168.15.3          # topod exec red -- ping -c1 192.168.15.3
ping -c1 -W2 192.168.15.2                            # (the same)
bridge link                                          # topod graph FILE

# undo
ip link delete red-br                                # topod down FILE
ip link delete blue-br                               # (likewise)
ip link delete green-br                              # (likewise)
ip link delete v-net-0                               # (likewise)
ip netns delete red                                  # (likewise)
ip netns delete blue                                 # (likewise)
ip netns delete green                                # (likewise)
