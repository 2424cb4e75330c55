/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink messages: parsing requests, building answers, acknowledgements. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/netlink/netlink_priv.h>
#include <obj/credentials.h>

/* --- Parsing --- */

static int parse(const char *at, size_t left, const struct nlattr **table, unsigned maximum)
{
	memset(table, 0, (maximum + 1) * sizeof(*table));
	while (left >= NLA_HDRLEN) {
		const struct nlattr *a = (const struct nlattr *)at;
		unsigned type = a->nla_type & NLA_TYPE_MASK;
		size_t step;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > left)
			return -EINVAL;
		if (type <= maximum)
			table[type] = a;
		step = MIN((size_t)NLA_ALIGN(a->nla_len), left);
		at += step;
		left -= step;
	}
	return 0;
}

int netlink_parse(const struct nlmsghdr *header, size_t size, const struct nlattr **table,
		  unsigned maximum)
{
	size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN(size);

	if (header->nlmsg_len < NLMSG_HDRLEN + size)
		return -EINVAL;
	return parse((const char *)header + offset,
		     header->nlmsg_len > offset ? header->nlmsg_len - offset : 0, table, maximum);
}

int netlink_parse_nested(const struct nlattr *nest, const struct nlattr **table, unsigned maximum)
{
	return parse(netlink_data(nest), netlink_length(nest), table, maximum);
}

int netlink_parse_behind(const struct nlattr *nest, size_t size, const struct nlattr **table,
			 unsigned maximum)
{
	size_t offset = NLMSG_ALIGN(size), length = netlink_length(nest);

	if (length < size)
		return -EINVAL;
	return parse((const char *)netlink_data(nest) + offset,
		     length > offset ? length - offset : 0, table, maximum);
}

u32 netlink_get_u32(const struct nlattr *a)
{
	u32 value = 0;

	if (netlink_length(a) >= sizeof(value))
		memcpy(&value, netlink_data(a), sizeof(value));
	return value;
}

u8 netlink_get_u8(const struct nlattr *a)
{
	return netlink_length(a) ? *(const u8 *)netlink_data(a) : 0;
}

int netlink_get_string(const struct nlattr *a, char *out, size_t size)
{
	size_t length = strnlen(netlink_data(a), netlink_length(a));

	if (length >= size)
		return -EINVAL;
	memcpy(out, netlink_data(a), length);
	out[length] = '\0';
	return 0;
}

/* --- Building --- */

/* Room for `size` bytes at the end, zeroed. */
static void *extend(struct netlink_writer *w, size_t size)
{
	void *at;

	if (w->error)
		return nullptr;
	if (w->used + size > w->size) {
		size_t wanted = MAX(w->size * 2, (size_t)4096);
		u8 *data;

		while (wanted < w->used + size)
			wanted *= 2;
		data = krealloc(w->data, wanted, 0);
		if (!data) {
			w->error = -ENOMEM;
			return nullptr;
		}
		w->data = data;
		w->size = wanted;
	}
	at = w->data + w->used;
	memset(at, 0, size);
	w->used += size;
	return at;
}

void *netlink_begin(struct netlink_writer *w, u16 type, size_t size)
{
	struct nlmsghdr *header;

	w->message = w->used;
	header = extend(w, NLMSG_HDRLEN + NLMSG_ALIGN(size));
	if (!header)
		return nullptr;
	header->nlmsg_type = type;
	header->nlmsg_flags = w->flags;
	header->nlmsg_seq = w->sequence;
	header->nlmsg_pid = w->port;
	return (char *)header + NLMSG_HDRLEN;
}

void netlink_put(struct netlink_writer *w, u16 type, const void *data, size_t size)
{
	struct nlattr *a = extend(w, NLA_ALIGN(NLA_HDRLEN + size));

	if (!a)
		return;
	a->nla_type = type;
	a->nla_len = (u16)(NLA_HDRLEN + size);
	memcpy((char *)a + NLA_HDRLEN, data, size);
}

void netlink_put_string(struct netlink_writer *w, u16 type, const char *text)
{
	netlink_put(w, type, text, strlen(text) + 1);
}

size_t netlink_nest(struct netlink_writer *w, u16 type)
{
	size_t at = w->used;
	struct nlattr *a = extend(w, NLA_HDRLEN);

	if (a)
		a->nla_type = type;
	return at;
}

void netlink_nest_end(struct netlink_writer *w, size_t nest)
{
	if (!w->error)
		((struct nlattr *)(w->data + nest))->nla_len = (u16)(w->used - nest);
}

void netlink_flush(struct netlink_writer *w)
{
	size_t complete = w->message, rest = w->used - complete;

	if (!w->to || !complete || w->error)
		return;
	if (netlink_unicast(w->to, w->data, complete))
		w->error = -ENOMEM;
	memmove(w->data, w->data + complete, rest);
	w->used = rest;
	w->message = 0;
}

void netlink_end(struct netlink_writer *w)
{
	struct nlmsghdr *header;

	if (w->error)
		return;
	header = (struct nlmsghdr *)(w->data + w->message);
	header->nlmsg_len = (u32)(w->used - w->message);
	/* A datagram ends before the message that it has no room for. */
	if (w->used > NETLINK_DATAGRAM_MAX)
		netlink_flush(w);
	w->message = w->used;
}

void netlink_cancel(struct netlink_writer *w)
{
	w->used = w->message;
}

/* --- Requests --- */

void netlink_acknowledge(struct netlink_request *request, int error, bool capped, bool extended)
{
	const struct nlmsghdr *about = request->header;
	bool whole = error && !capped;
	size_t size = whole ? about->nlmsg_len : NLMSG_HDRLEN;
	const char *text = extended ? request->error_text : nullptr;
	struct netlink_writer *w = request->reply;
	struct nlmsgerr *message;

	w->flags = (u16)((whole ? 0 : NLM_F_CAPPED) | (text ? NLM_F_ACK_TLVS : 0));
	message = netlink_begin(w, NLMSG_ERROR, sizeof(int) + size);
	if (message) {
		message->error = error;
		memcpy(&message->msg, about, size);
	}
	if (text)
		netlink_put_string(w, NLMSGERR_ATTR_MSG, text);
	netlink_end(w);
}

static void end_of_dump(struct netlink_writer *w, int error)
{
	int *result = netlink_begin(w, NLMSG_DONE, sizeof(int));

	if (result)
		*result = error;
	netlink_end(w);
}

static void handle(struct netlink_request *request, const struct netlink_protocol *protocol)
{
	const struct nlmsghdr *header = request->header;
	u32 options = netlink_options(request->from);
	struct netlink_writer w = { .to = request->from,
				    .port = netlink_port(request->from),
				    .sequence = header->nlmsg_seq };
	int error = 0;

	request->reply = &w;
	request->strict = options & BIT(NETLINK_GET_STRICT_CHK);
	if ((header->nlmsg_flags & NLM_F_REQUEST) && header->nlmsg_type >= NLMSG_MIN_TYPE)
		error = protocol->request(request);
	if (request->dumping && !error) {
		end_of_dump(&w, 0);
	} else if (error || (header->nlmsg_flags & NLM_F_ACK)) {
		w.message = w.used;
		netlink_acknowledge(request, error, options & BIT(NETLINK_CAP_ACK),
				    options & BIT(NETLINK_EXT_ACK));
	}
	w.message = w.used;
	netlink_flush(&w);
	kfree(w.data);
}

void netlink_dispatch(struct netlink_socket *from, struct network_namespace *network,
		      const struct netlink_protocol *protocol, const void *data, size_t size)
{
	bool may_configure = capable(CAP_NET_ADMIN);

	while (size >= NLMSG_HDRLEN) {
		struct netlink_request request = { .from = from,
						   .network = network,
						   .header = data,
						   .may_configure = may_configure };
		size_t length = request.header->nlmsg_len;

		if (length < NLMSG_HDRLEN || length > size)
			return;
		handle(&request, protocol);
		length = MIN((size_t)NLMSG_ALIGN(length), size);
		data = (const char *)data + length;
		size -= length;
	}
}
