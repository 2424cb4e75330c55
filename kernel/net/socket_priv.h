/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between socket.c and socket_options.c. */
#pragma once

#include <net/socket.h>

/* The options of a new socket; those that an accepted one has from its listener. */
void socket_options_init(struct socket *socket);
void socket_options_inherit(struct socket *socket, const struct socket *listener);
