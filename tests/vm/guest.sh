# SPDX-License-Identifier: GPL-2.0-or-later
# What in-uml and in-qemu share; they set $name, what tests call the machine, and source it. A directory $work is shared with
# the kernel inside and removed at the end. In it is `init`, which prepares the machine inside, runs the command, and leaves
# its output in `out` and its status in `status`. With TOPOD_COVERAGE=DIRECTORY, counts of what ran (tests/coverage) go to a
# directory below that.
[ $# -gt 0 ] || { echo "usage: ${0##*/} COMMAND [ARG...]" >&2; exit 64; }
work=$(mktemp -d)
machine=
clean_up() {
	[ ! -d "$work/coverage" ] || mv "$work/coverage" "$TOPOD_COVERAGE/$(basename "$work")"
	[ -z "$machine" ] || { kill "$machine" && wait "$machine"; } 2>/dev/null || true # it writes into $work
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# write_init PREPARE COMMAND [ARG...]: PREPARE is shell code that makes /lib/modules right.
write_init() {
	prepare=$1 quoted=
	shift
	for word; do quoted="$quoted '$(printf %s "$word" | sed "s/'/'\\\\''/g")'"; done
	cat >"$work/init" <<-INIT
		#!/bin/sh
		export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
		${TOPOD_COVERAGE:+export GCOV_PREFIX='$work/coverage'}
		export TOPOD='${TOPOD:-}' TOPOD_PLAIN='${TOPOD_PLAIN:-}' TOPOD_VM='$name'
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t tmpfs run /run
		$prepare
		modprobe -a ipv6 nf_tables # no request of topod loads these
		ip link set lo up
		cd '$PWD'
		$quoted >'$work/out' 2>&1
		echo \$? >'$work/status'
		sync
		poweroff -f
	INIT
	chmod +x "$work/init"
}

# boot PROGRAM [ARG...]: starts the machine and waits for its end; prints what the command printed and exits with its status.
# In the background, so that a signal ends both at once; it ends with this shell even if that is killed.
boot() {
	setpriv --pdeathsig KILL "$@" </dev/null >"$work/console" 2>&1 &
	machine=$!
	wait "$machine" || true
	machine=
	cat "$work/out" 2>/dev/null || true
	[ -s "$work/status" ] || {
		cat "$work/console" >&2
		echo "${0##*/}: the kernel ended before the command did" >&2
		exit 125
	}
	exit "$(cat "$work/status")"
}
