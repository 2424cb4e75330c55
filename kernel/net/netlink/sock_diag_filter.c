/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter programs of inet_diag (<linux/inet_diag.h>): conditions, each of which says how far to jump if it holds (`yes`) and
 * if not (`no`), in bytes. All jumps go forward, so that every program ends; a socket passes that arrives exactly at the end.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink/sock_diag_priv.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>

/* Bytes of an operation with what belongs to it; 0: no such operation, or cut. */
static size_t operation_size(const struct inet_diag_bc_op *op, size_t left)
{
	const struct inet_diag_hostcond *condition = (const void *)(op + 1);
	size_t size = sizeof(*op);

	switch (op->code) {
	case INET_DIAG_BC_NOP:
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_AUTO:
		break;
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_D_EQ:
		size += sizeof(*op);
		break;
	case INET_DIAG_BC_DEV_COND:
		size += sizeof(u32);
		break;
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		size += sizeof(*condition);
		if (left < size)
			return 0;
		if (condition->family == AF_INET)
			size += 4;
		else if (condition->family == AF_INET6)
			size += 16;
		else if (condition->family != AF_UNSPEC)
			return 0;
		if (condition->prefix_len > (size - sizeof(*op) - sizeof(*condition)) * 8)
			return 0;
		break;
	default:
		return 0;
	}
	return size <= left ? size : 0;
}

int sock_diag_filter_check(const void *program, size_t length)
{
	size_t at = 0;

	while (at < length) {
		const struct inet_diag_bc_op *op = (const void *)((const char *)program + at);
		size_t left = length - at, size;

		if (left < sizeof(*op))
			return -EINVAL;
		size = operation_size(op, left);
		/* One step beyond the end means "does not pass". */
		if (!size || (op->no & 3) || op->no > left + 4 || op->no < sizeof(*op) ||
		    (op->yes & 3) || op->yes < size || op->yes > left)
			return -EINVAL;
		at += op->yes;
	}
	return 0;
}

static bool matches_host(const struct inet_diag_hostcond *c, const struct inet_node *n,
			 const struct inet_address *address, u16 port)
{
	struct inet_address wanted;
	unsigned bits = c->prefix_len;

	if (c->port != -1 && c->port != port)
		return false;
	if (!bits)
		return c->family == AF_UNSPEC || c->family == n->family;
	if (c->family == AF_INET6) {
		memcpy(wanted.bytes, c->addr, 16);
		return n->family == AF_INET6 && inet_prefix_matches(address, &wanted, bits);
	}
	wanted = inet_from_v4(c->addr[0]);
	return c->family == AF_INET && inet_prefix_matches(address, &wanted, INET_V4_PREFIX + bits);
}

static bool holds(const struct inet_diag_bc_op *op, const struct inet_description *d)
{
	const struct inet_node *n = d->node;
	u16 number = op[1].no;

	switch (op->code) {
	case INET_DIAG_BC_JMP:
		return false;
	case INET_DIAG_BC_S_EQ:
		return d->local_port == number;
	case INET_DIAG_BC_S_GE:
		return d->local_port >= number;
	case INET_DIAG_BC_S_LE:
		return d->local_port <= number;
	case INET_DIAG_BC_D_EQ:
		return n->remote_port == number;
	case INET_DIAG_BC_D_GE:
		return n->remote_port >= number;
	case INET_DIAG_BC_D_LE:
		return n->remote_port <= number;
	case INET_DIAG_BC_AUTO:
		return !n->explicit_port;
	case INET_DIAG_BC_DEV_COND:
		return n->bound_device == *(const int *)(op + 1);
	case INET_DIAG_BC_S_COND:
		return matches_host((const void *)(op + 1), n, &n->local, d->local_port);
	case INET_DIAG_BC_D_COND:
		return matches_host((const void *)(op + 1), n, &n->remote, n->remote_port);
	default:
		return true;
	}
}

bool sock_diag_filter_run(const void *program, size_t length, const struct inet_description *d)
{
	size_t at = 0;

	while (at < length) {
		const struct inet_diag_bc_op *op = (const void *)((const char *)program + at);
		size_t left = length - at, size = left < sizeof(*op) ? 0 : operation_size(op, left);

		/* A `no` may lead into the middle of an operation, which the check did not see. */
		if (!size || op->yes < size || op->no < sizeof(*op))
			return false;
		at += holds(op, d) ? op->yes : op->no;
	}
	return at == length;
}
