/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of level IPPROTO_TCP (tcp(7)), and those of SOL_SOCKET that concern a connection. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/tcp/tcp.h>
#include <obj/credentials.h>

#include <asm/socket.h>
#include <linux/tcp.h>

/* Options that are a field of the connection, within limits. */
struct option_field {
	int option;
	u16 offset;
	u8 size; /* 1, 4 */
	int minimum, maximum;
};
#define FIELD(option_, field, minimum_, maximum_)                                                  \
	{ (option_), offsetof(struct tcp, field), sizeof(((struct tcp *)0)->field), (minimum_),    \
	  (maximum_) }
static const struct option_field option_fields[] = {
	FIELD(TCP_SYNCNT, syn_retries, 1, 127),
	FIELD(TCP_THIN_LINEAR_TIMEOUTS, thin_linear, 0, 1),
	FIELD(TCP_INQ, tell_unread, 0, 1),
	FIELD(TCP_SAVE_SYN, save_syn, 0, 2),
	FIELD(TCP_TX_DELAY, send_delay_us, INT32_MIN, INT32_MAX),
};

static const struct option_field *field_of(int option)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_fields); i++)
		if (option_fields[i].option == option)
			return &option_fields[i];
	return nullptr;
}

static int set_field(struct tcp *t, const struct option_field *f, int value)
{
	void *at = (u8 *)t + f->offset;

	if (value < f->minimum || value > f->maximum)
		return -EINVAL;
	if (f->size == 1)
		WRITE_ONCE(*(u8 *)at, (u8)value);
	else
		WRITE_ONCE(*(s32 *)at, value);
	return 0;
}

static int get_field(const struct tcp *t, const struct option_field *f)
{
	const void *at = (const u8 *)t + f->offset;

	return f->size == 1 ? *(const u8 *)at : *(const s32 *)at;
}

static void set_flag(struct tcp *t, bool *flag, bool on)
{
	tcp_lock(t);
	*flag = on;
	/* What was held back may go now. */
	if (&t->no_delay == flag ? on : !on)
		tcp_push(t, true);
	tcp_unlock(t);
}

static int set_congestion(struct tcp *t, const char *value, size_t length)
{
	char name[16] = {};
	const struct tcp_congestion *congestion;

	memcpy(name, value, MIN(length, sizeof(name) - 1));
	congestion = tcp_congestion_find(name);
	if (!congestion)
		return -ENOENT;
	if (congestion == t->congestion)
		return 0;
	if (!tcp_congestion_allowed(congestion) && !capable(CAP_NET_ADMIN))
		return -EPERM;
	tcp_lock(t);
	t->congestion = congestion;
	congestion->init(t);
	tcp_unlock(t);
	return 0;
}

static void set_quick_ack(struct tcp *t, bool on)
{
	tcp_lock(t);
	t->quick_ack_option = on;
	if (on && t->ack_at) {
		tcp_send_ack(t);
		t->ack_at = 0;
	}
	tcp_unlock(t);
}

static int set_keepalive(struct tcp *t, int option, int value)
{
	switch (option) {
	case TCP_KEEPIDLE:
		if (value < 1 || value > 32767)
			return -EINVAL;
		t->keep_idle_ns = (u64)value * NSEC_PER_SEC;
		break;
	case TCP_KEEPINTVL:
		if (value < 1 || value > 32767)
			return -EINVAL;
		t->keep_interval_ns = (u64)value * NSEC_PER_SEC;
		break;
	default:
		if (value < 1 || value > 127)
			return -EINVAL;
		t->keep_probes = (u8)value;
	}
	tcp_lock(t);
	tcp_reset_keepalive(t);
	tcp_unlock(t);
	return 0;
}

static int set_fast_open(struct tcp *t, int option, int value)
{
	bool idle = t->state == TCP_CLOSED, unconnected = idle || t->state == TCP_LISTEN;

	switch (option) {
	case TCP_FASTOPEN:
		if (value < 0 || !unconnected)
			return -EINVAL;
		tcp_fast_open_listen(t, (u32)value);
		return 0;
	case TCP_FASTOPEN_NO_COOKIE:
		if (value < 0 || value > 1 || !unconnected)
			return -EINVAL;
		t->fast_open.no_cookie = value;
		return 0;
	default:
		if (value < 0 || value > 1)
			return -EINVAL;
		if (!(tcp_settings(t)->fast_open & FAST_OPEN_CLIENT))
			return -EOPNOTSUPP;
		if (!idle)
			return -EINVAL;
		t->fast_open.by_connect = value;
		return 0;
	}
}

static int set_switch(struct tcp *t, int option, int value, const void *at, size_t length)
{
	switch (option) {
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_NO_COOKIE:
	case TCP_FASTOPEN_CONNECT:
		return set_fast_open(t, option, value);
	case TCP_THIN_DUPACK: /* as on Linux, where RACK took its place */
		return value < 0 || value > 1 ? -EINVAL : 0;
	default:
		return tcp_repair_set(t, option, at, length);
	}
}

static void set_window_clamp(struct tcp *t, int value)
{
	if (value <= 0)
		return;
	t->memory_limit = MAX((u32)value, 4096u);
	t->memory_fixed = true;
}

static void set_unsent_low(struct tcp *t, int value)
{
	u32 setting = tcp_settings(t)->notsent_lowat;

	t->unsent_option = (u32)value;
	if (value < 0 || (!value && setting == UINT32_MAX))
		WRITE_ONCE(t->unsent_low, 0);
	else
		WRITE_ONCE(t->unsent_low, value ? (u32)value : setting);
}

static int set_number(struct tcp *t, int option, int value, const void *at, size_t length)
{
	switch (option) {
	case TCP_NODELAY:
		set_flag(t, &t->no_delay, value);
		return 0;
	case TCP_CORK:
		set_flag(t, &t->corked, value);
		return 0;
	case TCP_QUICKACK:
		set_quick_ack(t, value);
		return 0;
	case TCP_MAXSEG:
		if (value && (value < 88 || value > 32767))
			return -EINVAL;
		t->mss_user = (u32)value;
		return 0;
	case TCP_KEEPIDLE:
	case TCP_KEEPINTVL:
	case TCP_KEEPCNT:
		return set_keepalive(t, option, value);
	case TCP_LINGER2:
		t->linger2 = value;
		return 0;
	case TCP_DEFER_ACCEPT:
		t->defer_accept = value > 0 ? (u32)value : 0;
		return 0;
	case TCP_WINDOW_CLAMP:
		set_window_clamp(t, value);
		return 0;
	case TCP_USER_TIMEOUT:
		if (value < 0)
			return -EINVAL;
		t->user_timeout_ns = (u64)value * NSEC_PER_MSEC;
		return 0;
	case TCP_NOTSENT_LOWAT:
		set_unsent_low(t, value);
		return 0;
	default:
		return set_switch(t, option, value, at, length);
	}
}

int tcp_set_option(struct socket *socket, int level, int option, const void *value, size_t length)
{
	struct tcp *t = tcp_of(socket);
	const struct option_field *field;
	int number;

	if (level != SOL_TCP)
		return inet_set_option(&t->inet, level, option, value, length);
	switch (option) {
	case TCP_CONGESTION:
		return length < 1 ? -EINVAL : set_congestion(t, value, length);
	case TCP_ULP:
		return -ENOENT;
	case TCP_FASTOPEN_KEY:
		return tcp_fast_open_set_keys(t, value, length);
	case TCP_MD5SIG:
	case TCP_MD5SIG_EXT:
		return tcp_md5_set(t, option, value, length);
	}
	if (length < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	field = field_of(option);
	return field ? set_field(t, field, number) : set_number(t, option, number, value, length);
}

static int get_congestion(const struct tcp *t, void *value, size_t *length)
{
	char name[16] = {};

	string_copy(name, t->congestion->name, sizeof(name));
	*length = MIN(*length, sizeof(name));
	memcpy(value, name, *length);
	return 0;
}

static int get_fast_open_keys(struct tcp *t, void *value, size_t *length)
{
	struct fast_open_keys keys;

	tcp_fast_open_get_keys(t, &keys);
	*length = MIN(*length, keys.count * sizeof(keys.key[0]));
	memcpy(value, keys.key, *length);
	return 0;
}

/* Once: then the memory is free. */
static int take_saved_syn(struct tcp *t, void *value, size_t *length)
{
	struct tcp_saved_syn *syn;
	int error = 0;

	tcp_lock(t);
	syn = t->saved_syn;
	if (syn && *length < syn->length) {
		syn = nullptr;
		error = -EINVAL;
	} else {
		t->saved_syn = nullptr;
	}
	tcp_unlock(t);
	if (error)
		return error;
	*length = syn ? syn->length : 0;
	if (syn)
		memcpy(value, syn->bytes, *length);
	kfree(syn);
	return 0;
}

static int get_switch(const struct tcp *t, int option, int *out)
{
	switch (option) {
	case TCP_FASTOPEN:
		*out = (int)t->fast_open.queue_maximum;
		return 0;
	case TCP_FASTOPEN_CONNECT:
		*out = t->fast_open.by_connect;
		return 0;
	case TCP_FASTOPEN_NO_COOKIE:
		*out = t->fast_open.no_cookie;
		return 0;
	case TCP_NOTSENT_LOWAT:
		*out = (int)t->unsent_option;
		return 0;
	case TCP_THIN_DUPACK:
		*out = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_number(const struct tcp *t, int option, int *out)
{
	switch (option) {
	case TCP_NODELAY:
		*out = t->no_delay;
		return 0;
	case TCP_CORK:
		*out = t->corked;
		return 0;
	case TCP_QUICKACK:
		*out = t->quick_ack_option || t->quick_acks > 0;
		return 0;
	case TCP_MAXSEG:
		*out = (int)(t->state == TCP_CLOSED || t->state == TCP_LISTEN
				     ? (t->mss_user ? t->mss_user : 536)
				     : t->mss);
		return 0;
	case TCP_KEEPIDLE:
		*out = (int)(t->keep_idle_ns / NSEC_PER_SEC);
		return 0;
	case TCP_KEEPINTVL:
		*out = (int)(t->keep_interval_ns / NSEC_PER_SEC);
		return 0;
	case TCP_KEEPCNT:
		*out = t->keep_probes;
		return 0;
	case TCP_LINGER2:
		*out = t->linger2 ? t->linger2 : tcp_settings(t)->fin_timeout;
		return 0;
	case TCP_DEFER_ACCEPT:
		*out = (int)t->defer_accept;
		return 0;
	case TCP_WINDOW_CLAMP:
		*out = t->memory_fixed ? (int)t->memory_limit : 0;
		return 0;
	case TCP_USER_TIMEOUT:
		*out = (int)(t->user_timeout_ns / NSEC_PER_MSEC);
		return 0;
	default:
		return get_switch(t, option, out);
	}
}

int tcp_get_option(struct socket *socket, int level, int option, void *value, size_t *length)
{
	struct tcp *t = tcp_of(socket);
	const struct option_field *field;
	int number, error;

	if (level != SOL_TCP)
		return inet_get_option(&t->inet, level, option, value, length);
	switch (option) {
	case TCP_INFO:
		tcp_get_info(t, value, length);
		return 0;
	case TCP_CONGESTION:
		return get_congestion(t, value, length);
	case TCP_FASTOPEN_KEY:
		return get_fast_open_keys(t, value, length);
	case TCP_SAVED_SYN:
		return take_saved_syn(t, value, length);
	case TCP_CC_INFO: /* what is there has nothing to tell */
	case TCP_ULP:
		*length = 0;
		return 0;
	}
	field = field_of(option);
	error = field ? 0 : get_number(t, option, &number);
	if (error == -ENOPROTOOPT)
		return tcp_repair_get(t, option, value, length);
	if (error)
		return error;
	if (field)
		number = get_field(t, field);
	*length = MIN(*length, sizeof(number));
	memcpy(value, &number, *length);
	return 0;
}

void tcp_option_changed(struct socket *socket, int option)
{
	struct tcp *t = tcp_of(socket);

	tcp_lock(t);
	switch (option) {
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		t->memory_limit = MAX(socket->receive_buffer, 4096u);
		t->memory_fixed = true;
		if (t->state == TCP_CLOSED)
			tcp_update_window_scale(t);
		break;
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		t->send_fixed = true;
		break;
	case SO_KEEPALIVE:
		tcp_reset_keepalive(t);
		break;
	case SO_MAX_PACING_RATE:
		t->pacing_rate =
			socket->pacing_rate == UINT64_MAX ? 0 : MAX(socket->pacing_rate, 1ull);
		break;
	}
	tcp_unlock(t);
}
