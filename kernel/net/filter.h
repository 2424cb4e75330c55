/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Socket filters: programs, classic (lib/bpf.h) or of bpf(2), attached to a socket (SO_ATTACH_FILTER, SO_ATTACH_BPF, socket(7)).
 * A family asks its filter about what comes in before it is queued; only streams of AF_UNIX have none run, as on Linux.
 */
#pragma once

#include <net/filter_view.h>
#include <net/socket.h>

/* A program of either kind, counted; read under RCU. */
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
/* The program there, if there is one, with a reference of its own. Any context. */
[[nodiscard]] struct socket_program *socket_program_get(struct socket_program *const *place);
/* What the program says of what it sees, for a socket (null: none). Under RCU; there is a program. */
[[nodiscard]] u32 socket_program_run(const struct socket_program *program,
				     const struct filter_view *view, struct socket *socket);
/* Leaves as many bytes of the packet as the program there, if there is one, says. False: none. Any context. */
[[nodiscard]] bool socket_program_cut(struct socket_program *const *place, struct packet *packet);

/* SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_DETACH_FILTER. -EPERM: locked; else as above. */
[[nodiscard]] int socket_filter_attach(struct socket *socket, const void *value, size_t length);
[[nodiscard]] int socket_filter_attach_handle(struct socket *socket, const void *value,
					      size_t length);
[[nodiscard]] int socket_filter_detach(struct socket *socket);
/*
 * SO_GET_FILTER: the classic program, in kernel memory with room for *count instructions (0: only their number is wanted), and
 * their number in *count; 0 without a filter. -EACCES: it is of bpf(2); -EINVAL: no room. May sleep.
 */
[[nodiscard]] int socket_filter_get(struct socket *socket, void *value, size_t *count);
/* For the end of a socket. */
void socket_filter_release(struct socket *socket);

/*
 * How many bytes of the packet the filter lets through; all without a filter. Offsets of the program count from packet->data,
 * which for packet sockets is the link header (SOCK_RAW) or what follows. Under RCU.
 */
u32 socket_filter_run(struct socket *socket, const struct packet *packet);
/* Cuts a message of *length bytes to what the filter, if there is one, lets through. False: it is dropped. Any context. */
[[nodiscard]] bool socket_filter_cut_message(struct socket *socket, const void *message,
					     u32 *length);
