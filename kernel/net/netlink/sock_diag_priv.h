/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of NETLINK_SOCK_DIAG. */
#pragma once

#include <net/inet_list.h>
#include <net/netlink/netlink.h>

/* Answers a struct inet_diag_req_v2: all sockets that match for a dump, else the one that is named. */
int sock_diag_show_inet(struct netlink_request *r);

/* Checks the filter program of a request, INET_DIAG_REQ_BYTECODE. -EINVAL. */
[[nodiscard]] int sock_diag_filter_check(const void *program, size_t length);
/* Does a socket pass a checked program? */
bool sock_diag_filter_run(const void *program, size_t length, const struct inet_description *d);
