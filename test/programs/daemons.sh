#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of the user land "daemons": network programs beside those of network.sh and of test/servers. Servers of the name space
# `far` (192.0.2.2, 2001:db8::2) are asked from that of this script (192.0.2.1, 2001:db8::1) over a pair of veth.
. /programs/common.sh
[ -e /proc/cairn ] || for module in dummy veth tun inet_diag tcp_diag udp_diag raw_diag unix_diag; do insmod /modules/$module.ko $([ $module = dummy ] && echo numdummies=0); done
ln -sf mawk /usr/bin/awk
ln -sfn /proc/self/fd /dev/fd
mkdir -p /var/run /var/log /var/lib /var/tmp /var/cache /var/empty /run/lock /etc
printf '127.0.0.1 localhost\n192.0.2.1 near.test\n192.0.2.2 far.test\n' > /etc/hosts
export FAR="ip netns exec far"
ip link set lo up
ip netns add far
ip link add v0 address 02:00:00:00:01:00 type veth peer name v1 address 02:00:00:00:01:01 netns far
sysctl -q -w net.ipv6.conf.v0.accept_dad=0; $FAR sysctl -q -w net.ipv6.conf.v1.accept_dad=0
ip addr add 192.0.2.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad; ip link set v0 up
ip -n far link set lo up; ip -n far addr add 192.0.2.2/24 dev v1; ip -n far addr add 2001:db8::2/64 dev v1 nodad; ip -n far link set v1 up

# await COMMAND...: until it succeeds, at most 20 s.
cat > /tmp/await <<'END'
#!/bin/bash
for i in $(seq 100); do "$@" > /dev/null 2>&1 && exit 0; sleep 0.2; done
echo "await: $*"; exit 1
END
# listening PORT: until something does, over TCP, in `far`
cat > /tmp/listening <<'END'
#!/bin/bash
for i in $(seq 100); do [ "$($FAR ss -Htln "sport = :$1")" ] && exit 0; sleep 0.2; done
echo "nobody listens on $1"; exit 1
END
chmod 755 /tmp/await /tmp/listening; mkdir -p /usr/local/bin; mv /tmp/await /tmp/listening /usr/local/bin/
ln -s traceroute.db /usr/bin/traceroute
for directory in /usr/lib/*-linux-gnu/blas /usr/lib/*-linux-gnu/lapack; do export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$directory; done
echo '_lldpd:x:107:107::/run/lldpd:/bin/false' >> /etc/passwd; echo '_lldpd:x:107:' >> /etc/group; mkdir -p /run/lldpd

section socat 60 <<'END'
$FAR socat TCP-LISTEN:7001,reuseaddr,fork EXEC:'tr a-z A-Z' & listening 7001; echo over tcp | socat -t 5 - TCP:192.0.2.2:7001; echo over tcp6 | socat -t 5 - TCP:192.0.2.2:7001,nodelay,keepalive
$FAR socat UDP-LISTEN:7002,fork SYSTEM:'read x; echo got $x' & sleep 1; echo datagram | socat -t 3 - UDP:192.0.2.2:7002
socat UNIX-LISTEN:s,fork EXEC:cat & await test -S s; echo unix | socat -t 3 - UNIX-CONNECT:s; socat ABSTRACT-LISTEN:name,fork PIPE & sleep 1; echo abstract | socat -t 3 - ABSTRACT-CONNECT:name
$FAR socat TCP6-LISTEN:7003,ipv6only,fork PIPE & listening 7003; echo six | socat -t 3 - 'TCP6:[2001:db8::2]:7003'; socat - TCP:192.0.2.2:7999 2>&1 | sed 's/.*E //'
socat -u UDP4-RECVFROM:7004,ip-add-membership=239.1.2.3:v0 - & sleep 1; echo multicast | $FAR socat - UDP4-DATAGRAM:239.1.2.3:7004,ip-multicast-if=192.0.2.2; wait %6
socat PTY,link=p,raw,echo=0 EXEC:cat & await test -e p; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section traceroute 60 <<'END'
traceroute -n -q 1 -m 3 192.0.2.2 | sed 's/[0-9.]* ms/T/g'; traceroute -n -q 1 -m 3 -I 192.0.2.2 | sed 's/[0-9.]* ms/T/g'; traceroute -n -q 1 -m 3 -T -p 9 192.0.2.2 | sed 's/[0-9.]* ms/T/g'; traceroute -6 -n -q 1 -m 3 2001:db8::2 | sed 's/[0-9.]* ms/T/g'
tracepath -n -m 3 192.0.2.2 | sed 's/[0-9.]*ms/T/g'; tracepath -6 -n -m 3 2001:db8::2 | sed 's/[0-9.]*ms/T/g'; mtr -n -r -c 2 192.0.2.2 | awk 'NR > 1 {print $1, $2, $3, $4}'; mtr -n -r -c 2 -u 192.0.2.2 | awk 'NR > 1 {print $1, $2, $3, $4}'; mtr -n -r -c 2 -T -P 9 192.0.2.2 | awk 'NR > 1 {print $1, $2, $3, $4}'
arping -c 2 -I v0 192.0.2.2 | sed 's/[0-9.]*ms/T/'; arping -D -c 1 -I v0 192.0.2.2 | sed 's/[0-9.]*ms/T/'; fping 192.0.2.2 192.0.2.1 127.0.0.1; fping -q -c 3 -p 100 192.0.2.2 2>&1 | sed 's/min.*//'; fping -6 -r 0 -t 300 2001:db8::2 2001:db8::7
hping3 -c 2 -q -S -p 9 192.0.2.2 2>&1 | grep -o -e '[0-9]* packets [a-z]*' ; hping3 -c 2 -q -1 192.0.2.2 2>&1 | grep -o -e '[0-9]* packets [a-z]*'; hping3 -c 2 -q -2 -p 9 192.0.2.2 2>&1 | grep -o -e '[0-9]* packets [a-z]*'
END
section nmap 120 <<'END'
$FAR socat TCP-LISTEN:22,fork PIPE & $FAR socat TCP-LISTEN:8080,fork PIPE & listening 22; listening 8080
nmap -n -sT -p 20-25,8080 192.0.2.2 | grep -e /tcp -e MAC; nmap -n -sS -p 20-25,8080 192.0.2.2 | grep -e /tcp -e MAC; nmap -n -sU -p 53,123 --max-retries 2 192.0.2.2 | grep -e /udp; nmap -n -sn 192.0.2.0/30 | grep report; nmap -n -6 -sS -p 20-25 2001:db8::2 | grep /tcp; nmap -n -sF -p 21,22 192.0.2.2 | grep /tcp; nmap -n -sA -p 21,22 192.0.2.2 | grep -e /tcp -e unfiltered; nmap -n -sO -p 1,6,17,200 192.0.2.2 | grep -e open -e closed; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
$FAR ncat -l 7010 --keep-open --exec /bin/cat & listening 7010; echo through ncat | ncat -i 2 192.0.2.2 7010 2> /dev/null; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section dns 60 <<'END'
cat > conf <<X
no-resolv
no-hosts
user=root
pid-file=
port=53
address=/host.test/192.0.2.77
address=/host.test/2001:db8::77
txt-record=text.test,"a text"
mx-host=test,mail.test,10
dhcp-range=192.0.2.100,192.0.2.110,255.255.255.0,10m
dhcp-leasefile=$PWD/leases
log-facility=$PWD/log
enable-tftp
tftp-root=$PWD
X
echo file by tftp > file; $FAR dnsmasq -k -C conf & sleep 2
dig @192.0.2.2 +short host.test A; dig @192.0.2.2 +short host.test AAAA; dig @192.0.2.2 +short +tcp text.test TXT; dig @2001:db8::2 +short test MX; dig @192.0.2.2 +short -x 192.0.2.77; dig @192.0.2.2 none.example | grep -o 'status: [A-Z]*'; dig @192.0.2.9 +time=1 +tries=1 host.test | grep -c -e timed -e reach; host host.test 192.0.2.2; nslookup host.test 192.0.2.2 | tail -n 5
curl -s tftp://192.0.2.2/file; busybox udhcpc -n -q -f -t 3 -i v0 -s /bin/true 2>&1 | grep -o 'lease of [0-9.]*'; awk '{print $2, $3}' leases; kill %1; wait 2> /dev/null
END
section web 120 <<'END'
mkdir root; head -c 1000000 /dev/zero | tr '\0' x > root/big; echo hello > root/index.html; chmod -R a+rX .
cat > lighttpd.conf <<X
server.document-root = "$PWD/root"
server.port = 8001
server.bind = "192.0.2.2"
server.errorlog = "$PWD/lighttpd.log"
index-file.names = ("index.html")
X
$FAR lighttpd -D -f lighttpd.conf & listening 8001
cat > haproxy.cfg <<X
global
  maxconn 100
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend f
  bind 192.0.2.2:8002
  bind :::8003 v6only
  default_backend b
backend b
  balance roundrobin
  server one 192.0.2.2:8001
X
$FAR haproxy -db -f haproxy.cfg & listening 8002
cat > apache.conf <<X
ServerName far.test
ServerRoot $PWD
PidFile $PWD/apache.pid
Listen 192.0.2.2:8004
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
TypesConfig /dev/null
DocumentRoot $PWD/root
ErrorLog $PWD/apache.log
DirectoryIndex index.html
X
$FAR apache2 -f $PWD/apache.conf -DFOREGROUND & listening 8004
for port in 8001 8002 8004; do curl -s http://192.0.2.2:$port/; curl -s http://192.0.2.2:$port/big | wc -c; curl -s -r 5-9 http://192.0.2.2:$port/big; echo; curl -s -o /dev/null -w '%{http_code}\n' http://192.0.2.2:$port/none; done; curl -s 'http://[2001:db8::2]:8003/'
cat > tiny.conf <<X
Port 8005
Listen 192.0.2.2
Timeout 30
MaxClients 20
X
$FAR tinyproxy -d -c tiny.conf > /dev/null 2>&1 & listening 8005; curl -s -x http://192.0.2.2:8005 http://192.0.2.2:8001/
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=far.test -keyout key -out cert -days 2 2> /dev/null; printf 'foreground = yes\npid =\nsyslog = no\noutput = %s/stunnel.log\n[s]\naccept = 192.0.2.2:8006\nconnect = 192.0.2.2:8001\ncert = %s/cert\nkey = %s/key\n' $PWD $PWD $PWD > stunnel.conf
$FAR stunnel4 stunnel.conf > /dev/null 2>&1 & listening 8006; curl -s --cacert cert --resolve far.test:8006:192.0.2.2 https://far.test:8006/; ab -q -n 200 -c 20 http://192.0.2.2:8001/ | grep -e Complete -e Failed
ab -q -n 200 -c 20 -k http://192.0.2.2:8004/ | grep -e Complete -e Failed; ab -q -n 200 -c 20 http://192.0.2.2:8002/ | grep -e Complete -e Failed; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section files 90 <<'END'
head -c 3000000 /dev/urandom > big; mkdir module; cp big module; printf '[m]\npath = %s/module\nread only = no\nuse chroot = no\nuid = root\ngid = root\n' $PWD > rsyncd.conf
$FAR rsync --daemon --no-detach --config=rsyncd.conf --port 873 --address 192.0.2.2 & listening 873; rsync -a rsync://192.0.2.2/m/ copy; cmp big copy/big && echo same; echo more >> big; rsync -a big rsync://192.0.2.2/m/; cmp big module/big && echo same; rsync rsync://192.0.2.2/ | awk '{print $1}'
kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section queues 60 <<'END'
$FAR memcached -u root -l 192.0.2.2 -p 11211 -U 11211 -t 4 & listening 11211; printf 'set a 0 0 5\r\nhello\r\nget a\r\nincr none 1\r\nquit\r\n' | nc.openbsd -q 2 192.0.2.2 11211
printf 'listener 1883 192.0.2.2\nallow_anonymous true\n' > mosquitto.conf; $FAR mosquitto -c mosquitto.conf > /dev/null 2>&1 & listening 1883; mosquitto_sub -h 192.0.2.2 -t topic -C 3 & sleep 1; for i in 1 2 3; do mosquitto_pub -h 192.0.2.2 -t topic -m message$i -q 1; done; wait %3; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section shell 60 <<'END'
mkdir -p /etc/dropbear /root/.ssh; chmod 700 /root/.ssh; sed -i 's,^root:[^:]*:,root:x:,; ' /etc/passwd; echo 'root:*:19000:0:99999:7:::' > /etc/shadow; printf '/bin/bash\n/bin/sh\n' > /etc/shells; dropbearkey -t ed25519 -f hostkey > /dev/null; dropbearkey -t ed25519 -f key 2> /dev/null | grep ^ssh- > /root/.ssh/authorized_keys; chmod 600 /root/.ssh/authorized_keys; chmod 700 /root
$FAR dropbear -F -r hostkey -p 192.0.2.2:2222 2> dropbear.log & listening 2222; dbclient -y -i key -p 2222 root@192.0.2.2 'echo $SSH_CONNECTION | cut -d" " -f3,4; tty; hostname' 2> /dev/null; head -c 500000 /dev/zero | dbclient -y -i key -p 2222 root@192.0.2.2 'cat | wc -c' 2> /dev/null; dbclient -y -i key -p 2222 -t root@192.0.2.2 'stty size; test -t 0 && echo terminal' 2> /dev/null < /dev/null | tr -d '\r'
dbclient -y -i key -p 2222 -N -L 9001:192.0.2.2:9002 root@192.0.2.2 2> /dev/null & $FAR socat TCP-LISTEN:9002,fork PIPE & listening 9002; sleep 2; echo forwarded | socat -t 3 - TCP:127.0.0.1:9001; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section routers 120 <<'END'
cat > bird.conf <<X
log "$PWD/near.log" all;
router id 192.0.2.1;
protocol device { }
protocol direct { ipv4; ipv6; interface "d*"; }
protocol kernel { ipv4 { export all; import all; }; }
protocol kernel { ipv6 { export all; import all; }; }
protocol static { ipv4; route 198.51.100.0/24 via 192.0.2.2; route 198.51.101.0/24 blackhole; }
protocol static { ipv6; route 2001:db8:1::/48 via 2001:db8::2; }
protocol ospf v2 { ipv4 { export all; }; area 0 { interface "v0" { hello 1; dead 4; wait 2; }; }; }
protocol bgp { local 192.0.2.1 as 65001; neighbor 192.0.2.2 as 65002; ipv4 { import all; export all; }; connect delay time 1; error wait time 1, 2; }
X
sed 's/near.log/far.log/; s/198.51.10/203.0.11/g; s/192.0.2.2/X/g; s/192.0.2.1/192.0.2.2/g; s/X/192.0.2.1/g; s/65001/Y/; s/65002/65001/; s/Y/65002/; s/"v0"/"v1"/; s/db8:1::/db8:2::/; s/db8::2/db8::1/' bird.conf > far.conf
ip link add d0 type dummy; ip addr add 10.1.0.1/24 dev d0; ip link set d0 up; bird -f -c bird.conf -s bird.ctl > log 2>&1 & $FAR bird -f -c far.conf -s far.ctl > farlog 2>&1 &
for i in $(seq 150); do birdc -s bird.ctl show protocols 2> /dev/null | grep -q Running && birdc -s bird.ctl show protocols | grep -q Established && $FAR ip route | grep -q "192.0.2.0/24 dev v1 proto bird" && ip route | grep -q "192.0.2.0/24 dev v0 proto bird" && $FAR ip route | grep -q 198.51.101 && $FAR ip route | grep -q 10.1.0.0/24 && ip route | grep -q 203.0.111 && break; sleep 0.3; done; birdc -s bird.ctl show protocols | awk 'NR > 2 {print $1, $2, $4, $6}'; ip route | sort; ip -6 route | grep -v fe80 | sort | sed 's/pref.*//'; $FAR ip route | sort; birdc -s bird.ctl down > /dev/null; wait %1; ip route | sort; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null; ip link del d0
END
section advertise 60 <<'END'
printf 'interface v1 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; prefix 2001:db8:77::/64 { AdvOnLink on; AdvAutonomous on; }; RDNSS 2001:db8::53 { }; };\n' > radvd.conf; $FAR sysctl -q -w net.ipv6.conf.all.forwarding=1; $FAR radvd -n -C radvd.conf -p radvd.pid -m stderr -u root 2> log & for i in $(seq 60); do ip -6 addr show v0 | grep -q db8:77 && break; sleep 0.2; done; ip -6 addr show v0 | grep -o 'inet6 2001:db8:77.*/64 scope [a-z]*'; ip -6 route show default | sed 's/expires.*//; s/pref.*//'; rdisc6 -1 v0 | grep -e Prefix -e DNS | sed 's/ *:/:/'; ndisc6 -1 -n 2001:db8::2 v0 | tail -n 2; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null; $FAR sysctl -q -w net.ipv6.conf.all.forwarding=0; ip -6 addr flush dev v0 scope global; ip addr add 2001:db8::1/64 dev v0 nodad
END
section virtual 60 <<'END'
cat > k.conf <<X
global_defs {
  router_id near
  vrrp_version 3
}
vrrp_instance one {
  state MASTER
  interface v0
  virtual_router_id 51
  priority 100
  advert_int 1
  virtual_ipaddress {
    192.0.2.200/24
  }
}
X
keepalived -n -f k.conf -p k.pid -r v.pid > log 2>&1 & for i in $(seq 100); do ip addr show v0 | grep -q 192.0.2.200 && break; sleep 0.2; done; ip -4 addr show v0 | grep -o 192.0.2.200/24; $FAR ping -c 1 -q 192.0.2.200 | grep -o '. received'; kill %1; wait; ip -4 addr show v0 | grep -c 192.0.2.200
END
section vpn 90 <<'END'
openvpn --genkey secret key > /dev/null 2>&1; $FAR openvpn --dev tun --ifconfig 10.8.0.1 10.8.0.2 --secret key --proto udp --local 192.0.2.2 --port 1194 --cipher AES-256-CBC --auth SHA256 > far.log 2>&1 & openvpn --dev tun --ifconfig 10.8.0.2 10.8.0.1 --secret key --proto udp --remote 192.0.2.2 1194 --cipher AES-256-CBC --auth SHA256 > near.log 2>&1 & for i in $(seq 100); do grep -q 'Initialization Sequence Completed' near.log && break; sleep 0.2; done; ping -c 2 -q 10.8.0.1 | grep -o '. received'; ip -br addr show tun0 | awk '{print $1, $3, $4, $5}'; $FAR socat TCP-LISTEN:7020,bind=10.8.0.1 EXEC:'wc -c' & listening 7020; head -c 300000 /dev/zero | socat -t 10 - TCP:10.8.0.1:7020; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section time 60 <<'END'
printf 'local stratum 5\nallow 192.0.2.0/24\nbindaddress 192.0.2.2\nport 123\ncmdport 0\npidfile %s/far.pid\n' $PWD > far.conf; $FAR chronyd -x -d -u root -f far.conf > far.log 2>&1 & sleep 1; printf 'server 192.0.2.2 iburst minpoll 0 maxpoll 0\npidfile %s/near.pid\nbindcmdaddress /\ncmdport 323\nbindcmdaddress 127.0.0.1\n' $PWD > near.conf; chronyd -x -d -u root -f near.conf > near.log 2>&1 & for i in $(seq 60); do chronyc -n -h 127.0.0.1 sources 2> /dev/null | grep -q '\^\*' && break; sleep 0.3; done; chronyc -n -h 127.0.0.1 sources | awk '/192/ {print $1, $2, $3}'; chronyc -n -h 127.0.0.1 ntpdata | grep -e 'Leap' -e '^Remote' -e 'Stratum' -e 'Mode' -e stamping; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
printf '[global]\ntime_stamping software\nnetwork_transport L2\n' > ptp.conf; $FAR ptp4l -f ptp.conf -i v1 -m --serverOnly 1 > far.log 2>&1 & ptp4l -f ptp.conf -i v0 -s -m --free_running 1 > near.log 2>&1 & for i in $(seq 100); do grep -q 'UNCALIBRATED to SLAVE\|rms' near.log && break; sleep 0.3; done; grep -o -e 'LISTENING to UNCALIBRATED' -e 'UNCALIBRATED to SLAVE' near.log; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section speed~ 90 <<'END'
$FAR iperf -s -D > /dev/null 2>&1; listening 5001; iperf -c 192.0.2.2 -t 1 -f k | grep -c Kbits; iperf -c 192.0.2.2 -t 1 -P 4 -f k | grep -c SUM; $FAR pkill iperf
$FAR sockperf server --tcp -i 192.0.2.2 -p 5005 > /dev/null 2>&1 & listening 5005; sockperf ping-pong --tcp -i 192.0.2.2 -p 5005 -t 1 2>&1 | grep -c -e 'Summary: Latency' ; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section watch 90 <<'END'
timeout 40 ngrep -d v0 -n 2 -q -W byline hello udp port 7030 > out 2>&1 & sleep 3; $FAR socat -u UDP-RECV:7030 /dev/null & sleep 1; for i in 1 2 3; do echo hello$i > /dev/udp/192.0.2.2/7030; sleep 0.3; done; wait %1; grep -c hello out; kill %2
arp-scan -I v0 192.0.2.2 2> /dev/null | grep -c 02:00:00:00:01:01; lldpd -d -I v0 -u l0 > log 2>&1 & sleep 1; $FAR lldpd -d -I v1 -u l1 > farlog 2>&1 & for i in $(seq 100); do lldpcli -u l0 show neighbors 2> /dev/null | grep -q SysName && break; sleep 0.3; done; lldpcli -u l0 show neighbors | grep -e PortID -e SysName -e ChassisID; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
timeout 30 tcpdump -Z root -i v0 -n -c 3 -w t.pcap icmp 2> /dev/null & sleep 2; ping -c 2 -q 192.0.2.2 > /dev/null; wait; tcpreplay -q -i v0 t.pcap 2>&1 | grep -o -e 'Successful packets: *[0-9]*' -e 'Failed packets: *[0-9]*'; snmpd -V > /dev/null 2>&1
printf 'rocommunity public\nagentaddress udp:192.0.2.2:161\n' > snmpd.conf; $FAR snmpd -f -C -c snmpd.conf -Lf log3 -I -vacm_context > log4 2>&1 & sleep 2; snmpget -v 2c -c public -Ov 192.0.2.2 1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.2.1.0; snmpwalk -v 2c -c public -Ov 192.0.2.2 1.3.6.1.2.1.2.2.1.2; snmpwalk -v 2c -c public -On 192.0.2.2 1.3.6.1.2.1.4.20.1.1;  snmpwalk -v 2c -c public -On 192.0.2.2 1.3.6.1.2.1.6.13.1.1 | grep 199; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
section user 60 <<'END'
slirp4netns --version | head -n 1 | cut -d' ' -f1; unshare -n sleep 30 & sleep 1; slirp4netns -c -r 3 $! tap0 3> ready > log 2>&1 & for i in $(seq 50); do [ -s ready ] && break; sleep 0.2; done; nsenter -n -t $(pgrep -x sleep | tail -n 1) ip -br addr show tap0 | awk '{print $1, $3}'; socat TCP-LISTEN:7040,bind=127.0.0.1,reuseaddr PIPE & sleep 1; echo through slirp | nsenter -n -t $(pgrep -x sleep | tail -n 1) socat -t 3 - TCP:10.0.2.2:7040; kill $(jobs -p) 2> /dev/null; wait 2> /dev/null
END
finish
