#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of "load": benchmarks that are packages themselves.
. /bench/common.sh

timed hackbench 4000 'hackbench -g 1 -f 10 -l 40'
timed hackbench_pipe 4000 'hackbench -p -g 1 -f 10 -l 40'
timed hackbench_threads 4000 'hackbench -T -g 1 -f 10 -l 40'
timed perf_sched_messaging 8000 'perf bench sched messaging -g 1 -l 20'
captured perf_sched_pipe '([0-9.]+) usecs/op' 'v * 1000' 'perf bench sched pipe -l 4000'
rated perf_futex_hash 'Averaged ([0-9]+) operations/sec' 'perf bench futex hash -s -t 1 -r 1'
captured perf_futex_wake 'in ([0-9.]+) ms' 'v * 1e6 / 32' 'perf bench futex wake -s -t 32'
captured perf_syscall ' ([0-9.]+) usecs/op' 'v * 1000' 'perf bench syscall basic -l 50000'
captured perf_memcpy_mb '([0-9.]+)' '1e15 / v' 'perf bench -f simple mem memcpy -s 8MB -l 4 -f default'
rated perf_epoll_wait 'Averaged ([0-9]+) operations/sec' 'perf bench epoll wait -t 1 -r 1'
rated perf_epoll_ctl 'Averaged ([0-9]+) ADD' 'perf bench epoll ctl -t 1 -r 1'
timed sysbench_cpu 20 'sysbench cpu --cpu-max-prime=5000 --events=20 --time=0 run'
timed sysbench_memory 65536 'sysbench memory --memory-total-size=64M --memory-block-size=1K --time=0 run'
timed sysbench_threads 100 'sysbench threads --threads=4 --thread-yields=200 --events=100 --time=0 run'
timed sysbench_mutex 4 'sysbench mutex --threads=4 --mutex-num=16 --mutex-locks=2000 --mutex-loops=20 run'
mkdir -p /tmp/fileio
cd /tmp/fileio
wanted sysbench_fileio && sysbench fileio --file-total-size=8M --file-num=8 prepare > /dev/null 2>&1
timed sysbench_fileio 5000 'sysbench fileio --file-total-size=8M --file-num=8 --file-test-mode=rndrw --events=5000 --time=0 run'
cd /tmp
timed fio 16384 'fio --name=x --directory=/tmp --size=64M --bs=4k --rw=randrw --ioengine=psync --thread'
wanted iperf3 && iperf3 -s -1 -D && sleep 0.2
timed iperf3 512 'iperf3 -c 127.0.0.1 -n 64M'
finish
