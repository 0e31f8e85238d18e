# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of topod(8) for bash: verbs, options, topologies that run, files.

_topod() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb='' word i begin
	local verbs='run check plan apply down status reload watch pause resume graph export list show edit doctor exec attach detach unit sandbox init version schema help'
	COMPREPLY=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--topology | --periodic | --for | --timeout | --color | --format | --pid | --user | -u) ((i++)) ;;
		-*) ;;
		*) verb=$word && break ;;
		esac
	done
	if [[ $verb == exec || $verb == sandbox ]] && _topod_begin $((i + 1)); then
		_topod_command
		return
	fi

	# bash cuts words at '=' as well.
	[[ $cur == = ]] && cur=
	[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
	case $prev in
	--topology)
		_topod_known
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'text dot mermaid svg' -- "$cur")
		return
		;;
	--user | -u)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	--periodic | --for | --timeout | --pid) return ;;
	--wait)
		mapfile -t COMPREPLY < <(compgen -W 'converged settled' -- "$cur")
		return
		;;
	esac

	if [[ $cur == -* ]]; then
		local options='--color --help --version'
		case $verb in
		run) options+=' --periodic --insecure-permissions --replace --verbose' ;;
		check) options+=' --json --strict --kernel --expand --quiet' ;;
		status) options+=' --json --prometheus --wait --timeout --quiet' ;;
		reload | resume | doctor) options+=' --json --quiet' ;;
		watch | list | show) options+=' --json' ;;
		plan) options+=' --json --explain --replace --quiet' ;;
		apply) options+=' --json --insecure-permissions --replace --quiet --verbose' ;;
		down) options+=' --json --insecure-permissions --replace --topology --all --quiet --verbose' ;;
		pause) options+=' --json --for --quiet' ;;
		graph) options+=' --json --format' ;;
		export) options+=' --json --all --fresh' ;;
		exec) options+=' --pid --user' ;;
		attach) options+=' --pid' ;;
		unit) options+=' --install' ;;
		schema) options+=' --markdown --man' ;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return
	fi

	case $verb in
	'' | help) mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
	run | check | plan | apply | doctor | edit | sandbox) _topod_files ;;
	down | graph) _topod_known && _topod_files ;;
	status | reload | watch | pause | resume) _topod_known ;;
	init) [[ $prev == init ]] && mapfile -t COMPREPLY < <(compgen -W "$(topod init 2>/dev/null | sed '1d; s/ .*//')" -- "$cur") ;;
	show) _topod_known && _topod_namespaces ;;
	exec | export | attach | detach) _topod_namespaces ;;
	unit) [[ $prev == unit ]] || _topod_namespaces ;;
	esac
}

# Topologies that a topod manages or managed. Tests replace the directories.
_topod_known() {
	local path name
	for path in "${TOPOD_RUN_DIR:-/run/topod}"/*/; do
		name=${path%/}
		name=${name##*/}
		[[ -d $path && $name == "$cur"* ]] && COMPREPLY+=("$name")
	done
	return 0
}

_topod_namespaces() {
	local path name
	for path in "${TOPOD_NETNS_DIR:-/run/netns}"/* host; do
		name=${path##*/}
		[[ ( -e $path || $path == host ) && $name == "$cur"* ]] && COMPREPLY+=("$name")
	done
	return 0
}

# Sets begin to the word at which the command of exec or sandbox begins; the verb's own words begin at $1. False:
# not known yet.
_topod_begin() {
	local i own=1
	for ((i = $1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--pid | --user | -u | --color)
			[[ ${COMP_WORDS[i]} != --pid ]] || own=0 # it stands for the namespace
			[[ ${COMP_WORDS[i + 1]} != = ]] || ((i++))
			((i++))
			;;
		--)
			begin=$((i + 1))
			return 0
			;;
		-*) ;;
		*) if ((own-- == 0)); then
			begin=$i
			return 0
		fi ;;
		esac
	done
	begin=$COMP_CWORD
	((own == 0 && i == COMP_CWORD)) && [[ $cur != -* ]]
}

# Completes the command with bash-completion, or, without that, only its first word.
_topod_command() {
	if declare -F _command_offset >/dev/null; then
		_command_offset "$begin"
	elif ((COMP_CWORD == begin)); then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	else
		compopt -o default 2>/dev/null
	fi
	return 0
}

# Files and directories here, and those of /etc/topod if nothing was typed yet.
_topod_files() {
	local path
	for path in "$cur"*.yaml "$cur"*.yml; do
		[[ -f $path ]] && COMPREPLY+=("$path")
	done
	for path in "$cur"*/; do
		[[ -d $path ]] && COMPREPLY+=("$path") && compopt -o nospace 2>/dev/null
	done
	if [[ -z $cur ]]; then
		for path in "${TOPOD_ETC_DIR:-/etc/topod}"/*.yaml; do
			[[ -f $path ]] && COMPREPLY+=("$path")
		done
	fi
	return 0
}

complete -o filenames -F _topod topod
