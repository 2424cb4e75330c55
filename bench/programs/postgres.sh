#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of "postgres": a cluster made on tmpfs, and pgbench against it.
. /bench/common.sh
export PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/tmp/data PGHOST=/tmp

chmod 777 /bench /tmp
as_user() {
	setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/tmp "$@"
}
as_user initdb --no-sync --auth trust --username bench > /run/out 2>&1 || sed 's/^/failed: initdb: /' /run/out
as_user pg_ctl -w -t 600 -l /tmp/log -o '-c listen_addresses= -c unix_socket_directories=/tmp -c autovacuum=off -c jit=off' start > /run/out 2>&1 ||
	sed 's/^/failed: start: /' /run/out /tmp/log
psql -q -U bench postgres > /run/out 2>&1 <<'END'
CREATE TABLE account(id INT PRIMARY KEY, balance INT);
INSERT INTO account SELECT g, 0 FROM generate_series(1, 1000) g;
END
cat > select.sql <<'END'
\set id random(1, 1000)
SELECT balance FROM account WHERE id = :id;
END
cat > update.sql <<'END'
\set id random(1, 1000)
BEGIN;
UPDATE account SET balance = balance + 1 WHERE id = :id;
SELECT balance FROM account WHERE id = :id;
END;
END
captured pgbench_select 'latency average = ([0-9.]+) ms' 'v * 1e6' 'pgbench -n -U bench -f select.sql -t 500 -c 2 postgres'
captured pgbench_update 'latency average = ([0-9.]+) ms' 'v * 1e6' 'pgbench -n -U bench -f update.sql -t 150 -c 2 postgres'
as_user pg_ctl -m immediate stop > /dev/null 2>&1
finish
