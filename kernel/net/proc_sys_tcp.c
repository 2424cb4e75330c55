/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/sys/net/ipv4: which algorithms of congestion control there are, who may choose them, and what new connections have (tcp(7)). */
#include <fs/proc/sysctl.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/tcp/tcp.h>

static int show_names(struct text_buffer *out, bool allowed_only)
{
	const char *gap = "";
	const struct tcp_congestion *c;

	for (unsigned i = 0; (c = tcp_congestion_at(i)); i++) {
		if (allowed_only && !tcp_congestion_allowed(c))
			continue;
		text_printf(out, "%s%s", gap, c->name);
		gap = " ";
	}
	text_printf(out, "\n");
	return 0;
}

static int available_show(const struct synthetic_node *node, struct text_buffer *out)
{
	return show_names(out, false);
}
const struct synthetic_type proc_sys_tcp_available = { .mode = S_IFREG | 0444,
						       .show = available_show };

static int allowed_show(const struct synthetic_node *node, struct text_buffer *out)
{
	return show_names(out, true);
}

static int allowed_store(const struct synthetic_node *node, char *text, size_t size)
{
	return tcp_congestion_allow_only(text);
}
const struct synthetic_type proc_sys_tcp_allowed = { .mode = S_IFREG | 0644,
						     .show = allowed_show,
						     .store = allowed_store };

static int congestion_show(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct tcp_congestion *c = READ_ONCE(current_network()->sysctl.tcp.congestion);

	text_printf(out, "%s\n", (c ? c : tcp_congestion_default)->name);
	return 0;
}

/* What is the default anybody may choose, as on Linux. */
static int congestion_store(const struct synthetic_node *node, char *text, size_t size)
{
	const struct tcp_congestion *wanted;
	char *end = strchr(text, '\n');

	if (end)
		*end = '\0';
	wanted = tcp_congestion_find(text);
	if (!wanted)
		return -ENOENT;
	tcp_congestion_allow(wanted);
	WRITE_ONCE(current_network()->sysctl.tcp.congestion, wanted);
	return 0;
}
const struct synthetic_type proc_sys_tcp_congestion = { .mode = S_IFREG | 0644,
							.show = congestion_show,
							.store = congestion_store };
