#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of the user land "network": what ip, ss and their elders say of the network, and /proc and /sys beside them.
. /programs/common.sh
[ -e /proc/cairn ] || for module in dummy veth tun inet_diag tcp_diag udp_diag raw_diag unix_diag; do insmod /modules/$module.ko $([ $module = dummy ] && echo numdummies=0); done
ln -sf mawk /usr/bin/awk
ln -sfn /proc/self/fd /dev/fd

section loopback~ <<'END'
ip link; ip link set lo up; ip addr; ip -d link show lo; ip -s link show lo; ip -br addr; ip -o -4 addr; ip maddr show dev lo; ip -j addr show lo | head -c 200; ifconfig lo; ifconfig -a | head -n 1
END
section routes <<'END'
ip route show table all | sort; ip -6 route show | sort; ip rule; ip -6 rule; ip route get 127.0.0.1 | head -n 1; ip route get 203.0.113.1; ip -6 route get ::1 | head -n 1 | sed 's/from :: //'; route -n; ip neigh; arp -an; ip -s neigh; ip route flush cache; netstat -rn
END
section dummy <<'END'
ip link add d0 address 02:00:00:00:00:01 type dummy; ip addr add 192.0.2.1/24 dev d0; ip addr add 192.0.2.2/24 dev d0 label d0:1; ip addr add 2001:db8::1/64 dev d0 nodad; ip link set d0 up
ip addr show d0 | sed 's/valid_lft.*//; s/state UNKNOWN.*//; s/qdisc [a-z_]*//'; ip route | sort; ip route add 198.51.100.0/24 via 192.0.2.254; ip route add 198.51.101.0/24 dev d0 metric 50 mtu 1300; ip route add blackhole 198.51.102.0/24; ip route add unreachable 198.51.103.0/24
ip route | sort; ip route get 198.51.100.7 | head -n 1; ip route get 198.51.102.1; ip route get 198.51.103.1; ip route replace 198.51.100.0/24 via 192.0.2.253; ip route show 198.51.100.0/24; ip route add 198.51.100.0/24 via 192.0.2.252; ip route del 198.51.104.0/24; route -n | sort; netstat -rn | sort
ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev d0; ip neigh show dev d0; arp -an; ip neigh del 192.0.2.9 dev d0; ip neigh; ip link set d0 mtu 1400; ip link set d0 name e0; ifconfig d0 | grep -v -e packets -e errors -e inet6; ip link set d0 txqueuelen 77
ifconfig d0:1 | head -n 2; ifconfig d0 192.0.2.33 netmask 255.255.255.128; ip -4 addr show d0 | sed 's/valid_lft.*//; s/state UNKNOWN.*//; s/qdisc [a-z_]*//'; cat /sys/class/net/d0/{mtu,address,type,operstate,tx_queue_len,addr_len}; ls /sys/class/net; readlink /sys/class/net/d0; ip addr del 192.0.2.77/24 dev d0; ip addr flush dev d0; ip addr show d0 | sed 's/ qdisc.*//'; ip link set d0 down; ip link del d0; ip link show d0; ip link add d0 type none; ip link del lo; ip addr add 1.2.3.4/33 dev lo
END
section names <<'END'
unshare -n sleep 60 & pid=$!; sleep 0.3; ip link set lo up; ip link add v0 address 02:00:00:00:01:00 type veth peer name v1 address 02:00:00:00:01:01; ip -br link show type veth | awk '{print $1, $2, $3}'; ip link set v1 netns $pid; ip link show v1
ip link set v0 up; ip -br link show v0 | sed 's/if[0-9]*/ifN/'; nsenter -t $pid -n ip link set v1 up; ip addr add 192.0.2.1/24 dev v0; nsenter -t $pid -n ip addr add 192.0.2.2/24 dev v1; nsenter -t $pid -n ip -4 addr show v1 | sed 's/^[0-9]*//; s/if[0-9]*/ifN/; s/qdisc [a-z_]*//; s/valid_lft.*//'
ping -c 2 -q 192.0.2.2 | grep -o '. received'; nsenter -t $pid -n ip route; nsenter -t $pid -n ip link show lo | sed 's/ qdisc.*//'; nsenter -t $pid -n ping -c 1 -q 127.0.0.1; ip neigh show 192.0.2.2 | sed 's/REACHABLE\|DELAY/KNOWN/'; nsenter -t $pid -n cat /proc/net/dev | awk '{print $1}'
nsenter -t $pid -n nc.openbsd -l 7777 > got & sleep 0.3; nsenter -t $pid -n ss -tln; ss -tln; echo through the pair | nc.openbsd -N 192.0.2.2 7777; wait %2; cat got; nsenter -t $pid -n ip link set lo up; nsenter -t $pid -n ping -c 1 -q 127.0.0.1 | grep -o '. received'
readlink /proc/self/ns/net | sed 's/[0-9]*//g'; [ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/$pid/ns/net)" ] && echo differ; nsenter -t $pid -n sysctl -q -w net.ipv4.ip_default_ttl=33; sysctl net.ipv4.ip_default_ttl; nsenter -t $pid -n ping -c 1 127.0.0.1 | grep -o ttl=33
ip link del v0; nsenter -t $pid -n ip link show v1; ip link add v2 type veth peer name v3 netns $pid; ip -br link show v2 | awk '{print $2}'; kill $pid; wait $pid 2> /dev/null; sleep 1; ip link show v2
END
section netns <<'END'
ip netns add blue; ip netns add red; ip netns list | sort; ip netns add blue; findmnt -rn -o TARGET,FSTYPE,PROPAGATION /run/netns; findmnt -rn -o TARGET,FSTYPE,PROPAGATION /run/netns/blue; ip netns exec blue ip -br link | awk '{print $1, $2}'; ip netns exec blue ip link set lo up; ip netns exec blue ping -c 1 -q 127.0.0.1 | grep -o '. received'; ip netns exec red ping -c 1 -q 127.0.0.1
ip link add v0 type veth peer name v1 netns blue; ip -n blue -br link show v1 | awk '{print $2}'; ip netns exec blue ls /sys/class/net | sort; ls /sys/class/net | grep -c v0; ip netns identify $$; ip netns exec blue bash -c 'ip netns identify $$; findmnt -rn -o FSTYPE,PROPAGATION /sys; grep -c nsfs /proc/self/mountinfo'; ip netns pids red; ip -all netns exec ip -br link show lo | awk '{print $1}'; ip netns del blue; ip netns del red; ip netns list; ls /run/netns; sleep 1; ip link show v0; umount /run/netns; ip netns exec none true
END
section sockets <<'END'
ip link set lo up; nc.openbsd -l 127.0.0.1 5001 & nc.openbsd -lu 127.0.0.1 5002 & nc.openbsd -6 -l ::1 5003 & nc.openbsd -lU sock & sleep 0.5
ss -tln; ss -uan; ss -tlnp | sed 's/pid=[0-9]*/pid=N/'; ss -tlne 2> /dev/null | sed 's/ino:[0-9]*/ino:N/; s/sk:[0-9a-f]*/sk:N/; s/cgroup.*<->/<->/; s/cgroup.*$//; s/v6only:[01] //; s/ *$//'; ss -xl | awk '{print $1, $2, $3, $4, $5}'; netstat -tln; netstat -uan; ss -tln 'sport = :5001'; ss -tln 'sport > :5001 and src 127.0.0.0/8'; ss -tln not sport = :5003
(sleep 3; echo x) | nc.openbsd 127.0.0.1 5001 & sleep 0.5; ss -tn | awk '{print $1, $2, $3}' | sort; ss -tin state established | grep -o -e cubic | sort | uniq -c; netstat -tn | awk '{print $1, $2, $3, $6}' | sort; grep -c . /proc/net/tcp; awk '{print $4}' /proc/net/tcp | sort; ss -tan state listening | wc -l; ss -4 -tan | wc -l; ss -0 | wc -l; ss -w; kill %1 %2 %3 %4 2> /dev/null; wait 2> /dev/null
head -n 1 /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 /proc/net/raw /proc/net/unix /proc/net/packet /proc/net/netlink /proc/net/route /proc/net/arp /proc/net/dev /proc/net/igmp
END
section statistics~ <<'END'
ip link set lo up; ping -c 1 -q 127.0.0.1 > /dev/null; ping -c 1 -q ::1 > /dev/null; cat /proc/net/snmp /proc/net/sockstat /proc/net/sockstat6; nstat -az | grep -e IpInReceives -e IcmpInEchos -e TcpActiveOpens; cat /proc/net/if_inet6 /proc/net/igmp; head -n 2 /proc/net/dev
END
section settings <<'END'
sysctl net.ipv4.ip_forward net.ipv4.ip_default_ttl net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.tcp_sack net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_time net.core.somaxconn net.ipv4.tcp_ecn net.ipv4.tcp_window_scaling net.ipv4.ping_group_range net.ipv4.ip_unprivileged_port_start net.ipv4.icmp_echo_ignore_all
sysctl -w net.ipv4.ip_local_port_range='40000 50001' net.ipv4.tcp_fin_timeout=30; sysctl net.ipv4.ip_local_port_range; sysctl -w net.ipv4.ip_local_port_range='5000 4000'; sysctl -w net.ipv4.ip_default_ttl=0; sysctl -w net.ipv4.ip_default_ttl=77; ip link set lo up; ping -c 1 127.0.0.1 | grep -o 'ttl=[0-9]*'; sysctl -q -w net.ipv4.icmp_echo_ignore_all=1; ping -c 1 -W 1 -q 127.0.0.1 | grep -o '. received'; sysctl -q -w net.ipv4.icmp_echo_ignore_all=0 net.ipv4.ip_default_ttl=64; sysctl net.core.rmem_max net.core.wmem_default net.ipv4.tcp_congestion_control net.ipv4.tcp_available_congestion_control net.unix.max_dgram_qlen; sysctl -w net.ipv4.tcp_congestion_control=reno; sysctl -q -w net.ipv4.tcp_congestion_control=cubic
END
section ethtool <<'END'
ip link add v0 type veth peer name v1; ethtool -i v0 | head -n 1; ethtool lo | tail -n 1; ethtool v0 | tail -n 1; ip link del v0
END
section tcpdump 90 <<'END'
ip link set lo up; timeout 30 tcpdump -Z root -i lo -n -c 4 -q icmp 2> log > dump & sleep 2; ping -c 2 -q 127.0.0.1 > /dev/null; wait; sed 's/^[0-9:.]* //; s/id [0-9]*/id N/' dump; grep -e listening -e captured log
timeout 30 tcpdump -Z root -i lo -n -c 2 -w file udp port 5999 2> /dev/null & sleep 2; echo one > /dev/udp/127.0.0.1/5999; echo two > /dev/udp/127.0.0.1/5999; wait; tcpdump -n -r file 2> /dev/null | sed 's/^[0-9:.]* //; s/127.0.0.1.[0-9]* >/127.0.0.1.N >/'; tcpdump -D | head -n 1 | cut -c1-4; tcpdump -i none 2>&1 | tail -n 1
END
section tun 60 <<'END'
ip tuntap add dev t0 mode tun; ip tuntap add dev t1 mode tap user 1000; ip tuntap; ip -d link show t0 | tail -n 1 | awk '{print $1, $2, $3}'; ip link set t0 up; ip -br link show t0 | awk '{print $1, $2}'; ip tuntap del dev t0 mode tun; ip link del t1; ip tuntap; ls -l /dev/net/tun | awk '{print $1, $5, $6}'
END
section generic <<'END'
genl ctrl list | grep -A 1 nlctrl; genl ctrl get name nlctrl | head -n 4; genl ctrl get name none
END
finish
