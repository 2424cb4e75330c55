#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of "servers": server and client in the same machine, over its loopback interface.
. /bench/common.sh

# up HOST PORT: waits until somebody listens.
up() {
	for ((i = 0; i < 100; i++)); do
		(: > "/dev/tcp/$1/$2") 2> /dev/null && return
		sleep 0.1
	done
	echo "failed: nobody listens on port $2"
}

redis() {
	wanted redis_set || wanted redis_get || wanted redis_pipelined || return
	redis-server --port 6379 --save '' --appendonly no --daemonize yes > /run/out 2>&1
	up 127.0.0.1 6379
	rated redis_set 'SET: ([0-9.]+) requests' 'redis-benchmark -t set -n 4000 -c 10 -q'
	rated redis_get 'GET: ([0-9.]+) requests' 'redis-benchmark -t get -n 4000 -c 10 -q'
	rated redis_pipelined 'GET: ([0-9.]+) requests' 'redis-benchmark -t get -n 20000 -c 10 -P 16 -q'
	redis-cli shutdown nosave > /dev/null 2>&1
}

nginx_wrk() {
	mkdir -p /tmp/www /var/log/nginx /var/lib/nginx
	head -c 1024 /dev/zero > /tmp/www/1k
	head -c 65536 /dev/zero > /tmp/www/64k
	nginx -c /bench/nginx.conf > /run/out 2>&1
	up 127.0.0.1 8080
	rated nginx_1k 'Requests/sec: +([0-9.]+)' 'wrk -t1 -c8 -d1s http://127.0.0.1:8080/1k'
	rated nginx_64k 'Requests/sec: +([0-9.]+)' 'wrk -t1 -c8 -d1s http://127.0.0.1:8080/64k'
	rated nginx_1k_new 'Requests/sec: +([0-9.]+)' 'wrk -t1 -c8 -d1s -H "Connection: close" http://127.0.0.1:8080/1k'
	nginx -c /bench/nginx.conf -s stop > /dev/null 2>&1
}

redis
nginx_wrk
finish
