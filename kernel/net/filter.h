/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Socket filters: programs, classic (lib/bpf.h) or of bpf(2), attached to a socket (SO_ATTACH_FILTER, SO_ATTACH_BPF, socket(7)). */
#pragma once

#include <net/packet_buffer.h>
#include <net/socket.h>

/* A program of either kind; read under RCU. */
struct socket_program;

/*
 * Puts the program of a struct sock_fprog, whose instructions are in user memory, in the place of what is there. -EINVAL, -EFAULT, -ENOMEM.
 * May sleep.
 */
[[nodiscard]] int socket_program_attach(struct socket_program **place, const void *value,
					size_t length);
/* The same with the program of bpf(2) of a descriptor, an int. -EINVAL, -EBADF, -ENOMEM. May sleep. */
[[nodiscard]] int socket_program_attach_handle(struct socket_program **place, const void *value,
					       size_t length);
/* -ENOENT: there is none. */
int socket_program_detach(struct socket_program **place);
/* What the program says of the packet for a socket (null: none); offsets count from packet->data. Under RCU; there is a program. */
[[nodiscard]] u32 socket_program_run(const struct socket_program *program,
				     const struct packet *packet, struct socket *socket);
/* Leaves as many bytes of the packet as the program there, if there is one, says. False: none. Any context. */
[[nodiscard]] bool socket_program_cut(struct socket_program *const *place, struct packet *packet);
/*
 * A number of 1, 2 or 4 bytes of the packet: at an offset from packet->data, or from a header (SKF_LL_OFF, SKF_NET_OFF). False:
 * there are no such bytes.
 */
[[nodiscard]] bool socket_program_load(const struct packet *packet, u32 offset, unsigned size,
				       u32 *out);

/* SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_DETACH_FILTER. -EPERM: locked; else as above. */
[[nodiscard]] int socket_filter_attach(struct socket *socket, const void *value, size_t length);
[[nodiscard]] int socket_filter_attach_handle(struct socket *socket, const void *value,
					      size_t length);
[[nodiscard]] int socket_filter_detach(struct socket *socket);
/* For the end of a socket. */
void socket_filter_release(struct socket *socket);

/*
 * How many bytes of the packet the filter lets through; all without a filter. Offsets of the program count from packet->data,
 * which for packet sockets is the link header (SOCK_RAW) or what follows. Under RCU.
 */
u32 socket_filter_run(struct socket *socket, const struct packet *packet);
