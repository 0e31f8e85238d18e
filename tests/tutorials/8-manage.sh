# Looking, and the namespaces of others
#
# The namespaces are those of `ip netns`, whose commands go on working. A namespace that something else made, here one that a
# link in /run/netns leads to, is adopted.

# given: a namespace that somebody else made
touch /run/somebody
unshare --net=/run/somebody ip link set lo up
mkdir -p /run/netns
ln -s /run/somebody /run/netns/other

# do
ip netns add red                                     # red: {}
ip -n other addr add 10.4.4.4/32 dev lo              # other: {adopt: true, interfaces: {lo: {addresses: [10.4.4.4/32]}}}
ip -n red link set lo up                             # (nothing)

# check
ip netns list                                        # topod show (`topod list` shows the topologies)
ip netns identify                                    # (the same command)
ip netns pids red                                    # topod show red
ip netns exec red true                               # topod exec red -- true
ip netns list-id                                     # (not needed: topod numbers them itself; `ip netns set red 7` stays as it is)

# shown
ip netns monitor                                     # topod watch
ip netns attach web PID                              # topod attach web --pid PID (and `attach: {}` in the file)
ip -all netns exec ip link                           # topod show

# undo
ip netns delete red                                  # topod down FILE
ip -n other addr delete 10.4.4.4/32 dev lo           # (likewise: what others made stays)
