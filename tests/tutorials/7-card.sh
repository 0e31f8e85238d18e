# A network card moves in, and out again
#
# `down` gives it back to the host, with the name and the settings that it had.

# given: a card
ip link add eth1 type veth peer name cable
ip link set cable up

# do
ip netns add red                                     # red:
ip link set eth1 netns red                           # eth1: {kind: physical, source: eth1, addresses: [10.0.0.7/24]}
ip -n red addr add 10.0.0.7/24 dev eth1              # (as above)
ip -n red link set eth1 up                           # (nothing)
ip -n red link set lo up                             # (nothing)

# check
ip netns exec red ping -c1 -W2 10.0.0.7              # topod exec red -- ping -c1 10.0.0.7

# undo
ip -n red link set eth1 down                         # topod down FILE
ip -n red link set eth1 netns 1                      # (likewise)
ip netns delete red                                  # (likewise)
