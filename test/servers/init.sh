#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of the user land "servers": Debian's network set-up, servers, and clients that talk to the host. Prints "ok NAME" or
# "not ok NAME" for each step; then the host drives the servers until it connects to port 7.
. /programs/common.sh
for word in $(cat /proc/cmdline); do
	case $word in http=*) http=${word#http=} ;; ssh=*) ssh=${word#ssh=} ;; esac
done
host=http://10.0.2.2:$http
[ -e /proc/cairn ] || for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover net_failover virtio_net; do insmod /modules/$module.ko; done
mkdir -p /run/sshd /run/network /var/log/nginx /var/lib/nginx /var/www/html /var/lib/dhcp /var/lib/dpkg /var/cache/apt/archives/partial \
	/var/lib/apt/lists/partial /var/log/apt /etc/apt/apt.conf.d /etc/apt/preferences.d /root/.ssh /var/lib/dpkg/updates /var/lib/dpkg/info
ln -sfn /proc/self/fd /dev/fd
touch /etc/fstab /var/lib/dpkg/status /etc/resolv.conf
chmod 700 /root/.ssh; chmod 600 /root/.ssh/*

# step NAME: the commands on standard input, each of which must succeed.
step() {
	cat > /tmp/step.sh
	if timeout -k 5 "${2:-60}" bash -e /tmp/step.sh < /dev/null > /tmp/step.out 2>&1; then
		echo "ok $1"
	else
		echo "status $?"; tail -n 30 /tmp/step.out; echo "not ok $1"
	fi
}
export host http ssh

# The network, as Debian sets it up.
step ifup_dhclient 90 <<'END'
ifup -a
ip -4 addr show dev eth0 | grep -w 10.0.2.15/24
ip route | grep '^default via 10.0.2.2 dev eth0'
grep -w nameserver /etc/resolv.conf
ip link show lo | grep -w UP
END
step ping_the_host <<'END'
ping -c 2 -W 5 10.0.2.2
END

# Names by the C library.
python3 /programs/names.py &
step names_by_the_c_library <<'END'
echo 'nameserver 127.0.0.1' > /etc/resolv.conf
for i in 1 2 3 4 5 6 7 8 9 10; do getent ahostsv4 host.test && break; sleep 1; done
getent ahostsv4 host.test | grep -w 10.0.2.2
! getent hosts other.test
END

# Clients.
step curl <<'END'
curl -sS -o big $host/big; sha256sum big | cut -d' ' -f1 | cmp - <(curl -sS http://host.test:$http/big.sha256)
test "$(curl -s -o /dev/null -w '%{http_code}' $host/none)" = 404
curl -sS --data-binary @big $host/post | grep -w "$(stat -c %s big) bytes"
curl -sS -Z --parallel-max 8 $(for i in 1 2 3 4 5 6 7 8; do echo -o o$i $host/big; done); for i in 1 2 3 4 5 6 7 8; do cmp big o$i; done
! curl -sS --max-time 5 http://10.0.2.2:1/
END
step wget <<'END'
wget -nv -O big.wget $host/big; cmp big.wget <(curl -sS $host/big)
END
step git_clone 120 <<'END'
git clone -q $host/repository.git clone; cd clone; git fsck; test "$(git log --oneline | wc -l)" = 3; cat file
END
step apt_get 180 <<'END'
echo "deb [trusted=yes] $host/debian ./" > /etc/apt/sources.list
apt-get -o APT::Sandbox::User=root -o Acquire::Languages=none update
apt-get -o APT::Sandbox::User=root install -y greeting
test "$(greeting)" = "Hello from a package"
END

# Servers.
step nginx <<'END'
cp /etc/nginx/cairn.conf /etc/nginx/nginx.conf
echo '<h1>It works</h1>' > /var/www/html/index.html
head -c 1048576 /dev/urandom > /var/www/html/1m; sha256sum /var/www/html/1m | cut -d' ' -f1 > /var/www/html/1m.sha256
nginx -t; nginx; curl -sS http://127.0.0.1/ | grep works; curl -sS 'http://[::1]/' | grep works
END
step redis <<'END'
redis-server --bind 0.0.0.0 --protected-mode no --save '' --daemonize yes --dir /tmp
for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli ping && break; sleep 1; done
redis-cli set key value; test "$(redis-cli get key)" = value
redis-benchmark -q -n 200 -c 5 -t set,get
END
step sshd 120 <<'END'
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
echo 'Subsystem sftp /usr/lib/openssh/sftp-server' > /etc/ssh/sshd_config
/usr/sbin/sshd -E /tmp/sshd.log
ssh -o StrictHostKeyChecking=no -i /root/.ssh/id 127.0.0.1 'echo "$SSH_CLIENT" there' | grep there
END
# Out of the guest and in again, through the host's loopback.
step ssh_through_the_host 120 <<'END'
ssh -o StrictHostKeyChecking=no -i /root/.ssh/id -p $ssh 10.0.2.2 'cat; echo done' < /etc/passwd | cmp - <(cat /etc/passwd; echo done)
END
# A cluster from nothing; psql over TCP, and pgbench with several clients.
step postgresql 200 <<'END'
export PATH=/usr/lib/postgresql/15/bin:$PATH PGHOST=127.0.0.1 PGUSER=postgres
mkdir -m 777 /tmp/sql
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
as_postgres initdb --no-sync --auth trust -D /tmp/sql/data > /dev/null
echo 'host all all 0.0.0.0/0 trust' >> /tmp/sql/data/pg_hba.conf
as_postgres pg_ctl -w -t 120 -D /tmp/sql/data -l /tmp/sql/log -o '-c listen_addresses=0.0.0.0 -c unix_socket_directories=/tmp/sql -c jit=off -c fsync=off' start > /dev/null
psql -q -v ON_ERROR_STOP=1 -c "CREATE TABLE item(id INT PRIMARY KEY, name TEXT); INSERT INTO item SELECT g, 'item ' || g FROM generate_series(1, 500) g"
test "$(psql -At -c 'SELECT count(*), sum(id), max(name) FROM item')" = '500|125250|item 99'
psql -q -c "COPY item TO STDOUT" | wc -l | grep -w 500
! psql -q -c 'INSERT INTO item VALUES (1)'
pgbench -q -i -s 1 postgres
pgbench -c 4 -t 25 postgres | grep -w 'actually processed: 100/100'
test "$(psql -At -c 'SELECT count(*) FROM pgbench_history')" = 100
END
(cd /var/www/html && exec python3 -m http.server 8000 > /tmp/http.log 2>&1) &
step sockets_seen_by_ss <<'END'
for i in 1 2 3 4 5 6 7 8 9 10; do curl -s -o /dev/null http://127.0.0.1:8000/ && break; sleep 1; done
ss -ltn | grep -w 0.0.0.0:80; ss -ltnp | grep -w nginx; ss -ltn | grep -w 0.0.0.0:22; ss -ltn | grep -w 0.0.0.0:6379; ss -s | grep -w TCP
END

echo "servers are ready"
nc.openbsd -l 7 > /dev/null
tail -n 5 /tmp/sshd.log
finish
