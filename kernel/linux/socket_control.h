/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control messages of sendmsg(2) and recvmsg(2), cmsg(3). */
#pragma once

#include <net/socket.h>

/*
 * Decodes what a program sends along. The handles of SCM_RIGHTS are collected, credentials checked (unix(7)); messages of other
 * levels are kept in control->raw for the family. On failure too, socket_control_release must follow.
 * -EINVAL, -EBADF, -EPERM, -ENOBUFS, -EFAULT, -ENOMEM.
 */
[[nodiscard]] int control_from_user(const struct socket *socket, const void __user *user,
				    size_t size, struct socket_control *control);

struct control_writer {
	char __user *at; /* null: none wanted */
	size_t room;	 /* left */
	int flags;	 /* gets MSG_CTRUNC */
};
/* Tells what came along, handles becoming descriptors. What does not fit is dropped: MSG_CTRUNC. */
void control_to_user(const struct socket *socket, struct socket_control *control, bool cloexec,
		     struct control_writer *writer);
