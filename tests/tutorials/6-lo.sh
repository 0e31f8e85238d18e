# lo is down at first
#
# A new namespace cannot reach itself until somebody brings `lo` up. topod does, in each namespace that it makes.

# do
ip netns add red                                     # red: {}
ip -n red link set lo up                             # (nothing; `lo: {up: false}` keeps it down)

# check
ip netns exec red ping -c1 -W2 127.0.0.1             # topod exec red -- ping -c1 127.0.0.1

# undo
ip netns delete red                                  # topod down FILE
