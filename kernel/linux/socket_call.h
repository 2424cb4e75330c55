/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the system calls of sockets share: finding the socket, addresses to and from user space. */
#pragma once

#include <net/socket.h>
#include <obj/file.h>

/* The socket of a descriptor for the length of a call: -EBADF, -ENOTSOCK; file_release(borrow) on success. */
[[nodiscard]] int socket_borrow(int fd, struct file_borrow *borrow, struct socket **out);

/* Copies an address in. -EINVAL (length), -EFAULT. A length of 0 is an address without family. */
[[nodiscard]] int address_from_user(struct socket_address *out, const void __user *user,
				    int length);
/* Copies as much out as *user_length has room for, and the full length to *user_length. */
[[nodiscard]] int address_to_user(const struct socket_address *address, void __user *user,
				  int __user *user_length);
