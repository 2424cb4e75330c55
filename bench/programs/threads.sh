#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of "threads": many threads that wait for each other, on as many CPUs as there are: rt-tests, perf bench, stress-ng --metrics.
. /bench/common.sh

# stressor NAME: operations per second of four workers of stress-ng in real time.
stressor() {
	rated "stress_$1" " $1 +[0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +([0-9.]+)" \
		"stress-ng --no-rand-seed --temp-path /tmp --timeout 2 --metrics --$1 4 2>&1"
}

timed hackbench 20000 'hackbench -g 2 -f 10 -l 100'
timed hackbench_pipe 20000 'hackbench -p -g 2 -f 10 -l 100'
timed hackbench_threads 20000 'hackbench -T -g 2 -f 10 -l 100'
captured perf_sched_pipe '([0-9.]+) usecs/op' 'v * 1000' 'perf bench sched pipe -l 10000'
rated perf_futex_hash 'Averaged ([0-9]+) operations/sec' 'perf bench futex hash -s -t 4 -r 2'
stressor context
stressor fault
stressor fork
stressor futex
stressor mmap
stressor msg
stressor mutex
stressor pipe
stressor poll
stressor sem
stressor sigq
stressor switch
stressor vm
stressor yield
finish
