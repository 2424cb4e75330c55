/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Socket filters: classic BPF attached to a socket (SO_ATTACH_FILTER, socket(7)). */
#pragma once

#include <net/packet_buffer.h>
#include <net/socket.h>

/* `value` is a struct sock_fprog, whose program is in user memory. -EINVAL, -EFAULT, -ENOMEM, -EPERM (locked). */
[[nodiscard]] int socket_filter_attach(struct socket *socket, const void *value, size_t length);
/* -ENOENT: there is none; -EPERM: locked. */
[[nodiscard]] int socket_filter_detach(struct socket *socket);
/* For the end of a socket. */
void socket_filter_release(struct socket *socket);

/*
 * How many bytes of the packet the filter lets through; all without a filter. Offsets of the program count from packet->data,
 * which for packet sockets is the link header (SOCK_RAW) or what follows. Under RCU.
 */
u32 socket_filter_run(const struct socket *socket, const struct packet *packet);
