# Two namespaces and a pair
#
# Both ends of a link are made where they belong, under their names, and brought up.

# do
ip netns add red                                     # red:
ip netns add blue                                    # blue:
ip link add veth-red type veth peer name veth-blue   # [red:veth-red, blue:veth-blue]
ip link set veth-red netns red                       # (the end says it: `red:veth-red`)
ip link set veth-blue netns blue                     # (likewise)
ip -n red addr add 192.168.15.1/24 dev veth-red      # addresses: [192.168.15.1/24]
ip -n blue addr add 192.168.15.2/24 dev veth-blue    # addresses: [192.168.15.2/24]
ip -n red link set veth-red up                       # (nothing; `up: false` keeps one down)
ip -n blue link set veth-blue up                     # (nothing)
ip -n red link set lo up                             # (nothing)
ip -n blue link set lo up                            # (nothing)

# check
ip netns exec red ping -c1 -W2 192.168.15.2          # topod exec red -- ping -c1 192.168.15.2
ip netns exec blue ip neigh                          # topod exec blue -- ip neigh

# undo
ip netns delete red                                  # topod down FILE
ip netns delete blue                                 # (likewise)
