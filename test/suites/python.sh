#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of the user land for Python's own test suite: modules=A,B of the kernel command line, one after the other.
. /programs/common.sh
for word in $(cat /proc/cmdline); do
	case $word in modules=*) modules=${word#modules=} ;; seconds=*) seconds=${word#seconds=} ;; esac
done
printf "127.0.0.1 localhost\n::1 localhost ip6-localhost\n" > /etc/hosts
ip link set lo up 2> /dev/null || ifconfig lo up 2> /dev/null
python3 /programs/python_tests.py "${seconds:-200}" ${modules//,/ }
finish
