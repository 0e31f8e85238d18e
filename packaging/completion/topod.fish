# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of topod(8) for fish: verbs, options, topologies that run, namespaces, files.

function __topod_known
    set -q TOPOD_RUN_DIR; or set -l TOPOD_RUN_DIR /run/topod
    for path in $TOPOD_RUN_DIR/*/
        path basename -- (string trim -r -c / -- $path)
    end
end

function __topod_namespaces
    set -q TOPOD_NETNS_DIR; or set -l TOPOD_NETNS_DIR /run/netns
    for path in $TOPOD_NETNS_DIR/*
        path basename -- $path
    end
    echo host
end

function __topod_files
    set -q TOPOD_ETC_DIR; or set -l TOPOD_ETC_DIR /etc/topod
    for path in *.yaml *.yml $TOPOD_ETC_DIR/*.yaml
        echo $path
    end
    for path in */
        echo $path
    end
end

function __topod_templates
    topod init 2>/dev/null | tail -n +2 | string replace -r ' .*' ''
end

complete -c topod -f

complete -c topod -n __fish_use_subcommand -a run -d 'keep the topology as the file says, in the foreground'
complete -c topod -n __fish_use_subcommand -a check -d 'validate files; needs no privileges and changes nothing'
complete -c topod -n __fish_use_subcommand -a plan -d 'show what would be changed'
complete -c topod -n __fish_use_subcommand -a apply -d 'apply the file once, verify, exit'
complete -c topod -n __fish_use_subcommand -a down -d 'remove what the topology owns, and nothing else'
complete -c topod -n __fish_use_subcommand -a status -d 'what a running daemon reports'
complete -c topod -n __fish_use_subcommand -a reload -d 'have a daemon read its file again; wait for the result'
complete -c topod -n __fish_use_subcommand -a watch -d 'show what a daemon sees and does, as it happens'
complete -c topod -n __fish_use_subcommand -a pause -d 'have a daemon change nothing for a while (maintenance)'
complete -c topod -n __fish_use_subcommand -a resume -d 'end a daemon\'s pause, and wait until all is verified'
complete -c topod -n __fish_use_subcommand -a graph -d 'draw the topology'
complete -c topod -n __fish_use_subcommand -a export -d 'print what runs in namespaces as a file'
complete -c topod -n __fish_use_subcommand -a list -d 'the topologies on this machine'
complete -c topod -n __fish_use_subcommand -a show -d 'namespaces and interfaces of a topology, as they are now'
complete -c topod -n __fish_use_subcommand -a edit -d 'change a topology\'s file safely, and reload it'
complete -c topod -n __fish_use_subcommand -a doctor -d 'find problems on this machine, and how to solve them'
complete -c topod -n __fish_use_subcommand -a exec -d 'run a command, or a shell, in a namespace'
complete -c topod -n __fish_use_subcommand -a attach -d 'tell a daemon of a namespace that something else made'
complete -c topod -n __fish_use_subcommand -a detach -d 'have a daemon detach a namespace'
complete -c topod -n __fish_use_subcommand -a unit -d 'print the drop-in that puts a service into a namespace'
complete -c topod -n __fish_use_subcommand -a sandbox -d 'run a command, or a shell, in a network of its own'
complete -c topod -n __fish_use_subcommand -a init -d 'print a commented file to start from, or write it'
complete -c topod -n __fish_use_subcommand -a schema -d 'print the language as a JSON Schema, for editors'
complete -c topod -n __fish_use_subcommand -a version -d 'print the version'
complete -c topod -n __fish_use_subcommand -a help -d 'list the verbs, or explain one'

# Options.
complete -c topod -n '__fish_seen_subcommand_from run' -l periodic -x -d 'how often to scan objects without events (30s)'
complete -c topod -n '__fish_seen_subcommand_from run apply down' -l insecure-permissions -d 'accept files that others can write to'
complete -c topod -n '__fish_seen_subcommand_from run plan apply down' -l replace -d 'accept a topology that was made from another file'
complete -c topod -n '__fish_seen_subcommand_from run apply down' -s v -l verbose -d 'show requests to the kernel (-v)'
complete -c topod -n '__fish_seen_subcommand_from check plan apply down status reload watch pause resume graph export list show doctor' -l json -d 'the result as JSON'
complete -c topod -n '__fish_seen_subcommand_from check' -l strict -d 'warnings are errors'
complete -c topod -n '__fish_seen_subcommand_from check' -l kernel -d 'also ask this kernel for what the file needs'
complete -c topod -n '__fish_seen_subcommand_from plan' -l explain -d 'also why the rest is left as it is'
complete -c topod -n '__fish_seen_subcommand_from check' -l expand -d 'print the file with ranges and the like written out'
complete -c topod -n '__fish_seen_subcommand_from check plan apply down status reload pause resume doctor' -s q -l quiet -d 'print errors only (-q)'
complete -c topod -n '__fish_seen_subcommand_from down export' -l all -d 'all topologies; of export, the host too'
complete -c topod -n '__fish_seen_subcommand_from down' -l topology -x -a '(__topod_known)' -d 'remove the topology of that name, without a file'
complete -c topod -n '__fish_seen_subcommand_from status' -l prometheus -d 'the result as OpenMetrics, for Prometheus'
complete -c topod -n '__fish_seen_subcommand_from status' -l wait -a 'converged settled' -d 'wait until it is converged (default), or only settled'
complete -c topod -n '__fish_seen_subcommand_from status' -l timeout -x -d 'wait no longer than this'
complete -c topod -n '__fish_seen_subcommand_from pause' -l for -x -d 'how long, at most a day (10m)'
complete -c topod -n '__fish_seen_subcommand_from graph' -l format -x -a 'text dot mermaid svg' -d 'text (default), dot, mermaid or svg'
complete -c topod -n '__fish_seen_subcommand_from export' -l fresh -d 'for another machine, where nothing of it exists'
complete -c topod -n '__fish_seen_subcommand_from exec attach' -l pid -x -a '(__fish_complete_pids)' -d 'the network namespace of this process'
complete -c topod -n '__fish_seen_subcommand_from exec' -s u -l user -x -a '(__fish_complete_users)' -d 'the user who runs the command (-u USER)'
complete -c topod -n '__fish_seen_subcommand_from unit' -l install -d 'write the drop-in instead of printing it'
complete -c topod -n '__fish_seen_subcommand_from schema' -l markdown -d 'the reference page instead'
complete -c topod -n '__fish_seen_subcommand_from schema' -l man -d 'the manual page instead'
complete -c topod -l color -x -a 'auto always never' -d 'when to use colours'
complete -c topod -s h -l help -d 'show help'
complete -c topod -l version -d 'the version'

# Arguments.
complete -c topod -n '__fish_seen_subcommand_from run check plan apply down doctor edit sandbox graph' -a '(__topod_files)'
complete -c topod -n '__fish_seen_subcommand_from down status reload watch pause resume graph show' -a '(__topod_known)'
complete -c topod -n '__fish_seen_subcommand_from show exec attach detach' -a '(__topod_namespaces)'
complete -c topod -n '__fish_seen_subcommand_from init' -a '(__topod_templates)'
complete -c topod -n '__fish_seen_subcommand_from unit; and test (count (commandline -opc)) -ge 3' -a '(__topod_namespaces)'
complete -c topod -n '__fish_seen_subcommand_from unit; and test (count (commandline -opc)) -lt 3' -a '(systemctl list-unit-files --type=service --no-legend 2>/dev/null | string replace -r " .*" "")'
complete -c topod -n '__fish_seen_subcommand_from exec sandbox; and contains -- -- (commandline -opc)' -a '(__fish_complete_subcommand)'
