# Interfaces with the names of namespaces
#
# An end is always `namespace:interface`, so equal names are not taken for one another.

# do
ip netns add blue                                    # blue:
ip netns add orange                                  # orange:
ip link add blue type veth peer name orange          # [blue:blue, orange:orange]
ip link set blue netns blue                          # (the end says it)
ip link set orange netns orange                      # (likewise)
ip netns exec blue ip addr add 10.0.0.1/24 dev blue  # blue: {addresses: [10.0.0.1/24]}
ip netns exec orange ip addr add 10.0.0.2/24 dev orange  # orange: {addresses: [10.0.0.2/24]}
ip netns exec blue ip link set blue up               # (nothing)
ip netns exec orange ip link set orange up           # (nothing)
ip netns exec blue ip link set lo up                 # (nothing)
ip netns exec orange ip link set lo up               # (nothing)

# check
ip netns exec blue ping -c1 -W2 10.0.0.2             # topod exec blue -- ping -c1 10.0.0.2

# undo
ip netns delete blue                                 # topod down FILE
ip netns delete orange                               # (likewise)
