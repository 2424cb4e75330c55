/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections over a wire, for tests: see wire.h. */
#include "wire.h"

#include <core/panic.h>
#include <lib/errno.h>

static u8 buffer[65536];

/* A byte of the stream of a connection, by its sequence number: both ends know it. */
static u8 byte_at(u32 seq)
{
	return (u8)(seq * 131 + (seq >> 8) * 17 + (seq >> 16));
}

ssize_t wire_write(struct socket *socket, size_t bytes)
{
	struct tcp *t = tcp_of(socket);
	struct iter data;
	struct socket_message m = { .data = &data };
	size_t n = MIN(bytes, sizeof(buffer));

	for (size_t i = 0; i < n; i++)
		buffer[i] = byte_at(t->write_seq + (u32)i);
	iter_init_kernel(&data, buffer, n);
	return socket->ops->send(socket, &m);
}

ssize_t wire_read(struct socket *socket, size_t bytes)
{
	struct tcp *t = tcp_of(socket);
	struct iter data;
	struct socket_message m = { .data = &data };
	u32 seq = t->copied_seq;
	ssize_t n;

	iter_init_kernel(&data, buffer, MIN(bytes, sizeof(buffer)));
	n = socket->ops->receive(socket, &m);
	for (ssize_t i = 0; i < n; i++)
		if (buffer[i] != byte_at(seq + (u32)i))
			return -EBADMSG;
	return n;
}

bool wire_transfer(struct socket *from, struct socket *to, size_t bytes, u64 limit_ns)
{
	u64 end = host_clock_ns + limit_ns;
	size_t sent = 0, got = 0;

	while (got < bytes) {
		ssize_t wrote = sent < bytes ? wire_write(from, bytes - sent) : -EAGAIN;
		ssize_t read = wire_read(to, bytes - got);

		if (wrote > 0)
			sent += (size_t)wrote;
		if (read > 0)
			got += (size_t)read;
		if (read == 0 || (read < 0 && read != -EAGAIN) || (wrote < 0 && wrote != -EAGAIN))
			return false;
		if (wrote < 0 && read < 0 && !wire_step(end))
			return false;
	}
	return true;
}

void wire_run(u64 ns)
{
	u64 end = host_clock_ns + ns;

	while (wire_step(end))
		;
}

void wire_connect(u16 port, struct socket **client, struct socket **server)
{
	struct socket_address to = host_net_address(2, port);
	struct socket *listener = host_net_socket();
	int error;

	listener->options |= SOCKET_REUSE_ADDRESS;
	error = listener->ops->bind(listener, &to);
	error = error ? error : listener->ops->listen(listener, 5);
	ASSERT(!error);
	*client = host_net_socket();
	error = (*client)->ops->connect(*client, &to);
	while ((error == -EINPROGRESS || error == -EALREADY) && wire_step(UINT64_MAX))
		error = (*client)->ops->connect(*client, &to);
	ASSERT(!error);
	while ((error = listener->ops->accept(listener, server)) == -EAGAIN &&
	       wire_step(UINT64_MAX))
		;
	ASSERT(!error);
	host_net_socket_free(listener);
}

void wire_close(struct socket *one, struct socket *two)
{
	host_net_socket_free(one);
	if (two)
		host_net_socket_free(two);
	while (wire_step(UINT64_MAX))
		;
}
