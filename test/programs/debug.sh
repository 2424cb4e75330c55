#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debuggers: Debian's strace and gdb on a program of ours, and util-linux's name space tools.
. /programs/common.sh
target=/programs/debug_target
export target

# gdb_batch COMMANDS... -- PROGRAM ARGUMENTS...: only what the commands print, without addresses and numbers of threads.
gdb_batch()
{
	local words=()
	while [ "$1" != -- ]; do
		words+=(-ex "$1")
		shift
	done
	shift
	timeout 100 gdb -q -nx -batch -iex 'set debuginfod enabled off' -iex 'set auto-load no' -iex 'set startup-with-shell off' \
		-iex 'set print thread-events off' "${words[@]}" --args "$@" 2>&1 |
		grep -v -e '^warning:' -e '^\[Thread debugging' -e '^Using host' -e '^Download' -e '^$' -e 'No such file' -e '^\[New' \
			-e '^\[Switching' -e 'in ?? ()' | sed -e 's/0x[0-9a-f]*/ADDRESS/g' -e 's/(LWP [0-9]*)/(LWP N)/' \
			-e 's/process [0-9]*/process N/' -e 's/Thread ADDRESS/Thread/g'
}

export -f gdb_batch

section strace_calls 120 <<'END'
strace -e trace=write,exit_group $target calls 2>&1
END
section strace_follows_forks 120 <<'END'
strace -f -q -o /tmp/forks -e trace=exit_group,wait4,exit -e signal=none $target fork
grep -v unfinished /tmp/forks | sed -e 's/^[0-9]* *//' -e 's/<... wait4 resumed>/wait4(N, /' -e 's/[0-9]\{2,\}/N/g' | sort
END
section strace_follows_threads 120 <<'END'
strace -f -q -e trace=exit $target thread 2>&1 | sed -e 's/\[pid *[0-9]*\] *//' -e 's/0x[0-9a-f]*/ADDRESS/' | sort
END
section strace_signals 120 <<'END'
strace -e trace=rt_sigreturn $target signal 2>&1 | sed -e 's/si_pid=[0-9]*/si_pid=N/' -e 's/mask=\[[^]]*\]/mask/'
END
section strace_counts 120 <<'END'
strace -c -o /tmp/counts -e trace=write $target calls
sed -n 's/ *[0-9.]* *[0-9.]* *[0-9]* *\([0-9]*\) *write$/\1 writes/p' /tmp/counts
END
section strace_attaches 120 <<'END'
$target wait & pid=$!
sleep 0.3
(sleep 1; kill -USR1 $pid) &
strace -q -p $pid -e trace=exit_group -o /tmp/attached
wait
sed -e 's/si_pid=[0-9]*/si_pid=N/' /tmp/attached
END
section strace_injects 120 <<'END'
strace -e inject=write:error=EIO -e trace=write $target calls 2>&1 | sed 's/ADDRESS//'
END
section gdb_breaks 120 <<'END'
gdb_batch 'break inner' 'run' 'backtrace' 'info args' 'print counter' 'finish' 'continue' -- $target calls
END
section gdb_steps 120 <<'END'
gdb_batch 'break outer' 'run' 'step' 'next' 'next' 'stepi' 'print counter' 'print ratio' 'continue' -- $target calls
END
section gdb_watches 120 <<'END'
gdb_batch 'break main' 'run' 'watch counter' 'continue' 'backtrace' 'continue' 'continue' -- $target calls
END
section gdb_calls_functions 120 <<'END'
gdb_batch 'break main' 'run' 'print outer(10)' 'set var counter = 100' 'continue' -- $target calls
END
section gdb_threads 120 <<'END'
gdb_batch 'break inner' 'run' 'info threads' 'backtrace 2' 'continue' -- $target thread | sed 's/"[^"]*"/NAME/' |
	grep -v '^  1 ' # where the other thread is then, is a race
END
section gdb_follows_fork 120 <<'END'
gdb_batch 'set follow-fork-mode child' 'set detach-on-fork on' 'break inner' 'run' 'backtrace' 'continue' -- $target fork | grep -v '^fork'
END
section gdb_attaches 120 <<'END'
$target wait & pid=$!
sleep 0.3
gdb_batch "attach $pid" 'set var counter = 9' 'print counter' 'detach' -- $target > /tmp/attach
wait
grep '^.1' /tmp/attach
END
section gdb_sees_signals 120 <<'END'
gdb_batch 'run' 'print $_siginfo.si_signo' 'continue' -- $target signal
END
section gdb_sees_crash 120 <<'END'
gdb_batch 'run' 'backtrace' 'kill' -- $target crash
END
finish
