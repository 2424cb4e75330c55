/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of level SOL_SOCKET that are the same for all families (socket(7)). */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/device.h>
#include <net/filter.h>
#include <net/socket_priv.h>
#include <obj/credentials.h>
#include <obj/inode.h>

#include <asm/socket.h>
#include <linux/in.h>
#include <linux/net_tstamp.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <sys/socket.h>

/* /proc/sys/net/core: {r,w}mem_{default,max}. */
/* socket(7): the least that SO_SNDBUF and SO_RCVBUF can be set to. */
#define SEND_BUFFER_MIN 4608u
#define RECEIVE_BUFFER_MIN 2304u

struct socket_sysctl socket_sysctl = {
	.receive_default = 212992,
	.receive_maximum = 212992,
	.send_default = 212992,
	.send_maximum = 212992,
	.option_memory_maximum = 20480,
};
static u64 last_cookie;

void socket_options_init(struct socket *socket)
{
	socket->send_buffer = socket_sysctl.send_default;
	socket->receive_buffer = socket_sysctl.receive_default;
	socket->receive_low_water = 1;
	socket->pacing_rate = UINT64_MAX;
	socket->send_timeout_ns = socket->receive_timeout_ns = NO_DEADLINE;
	socket->linger_seconds = socket->incoming_cpu = socket->peek_offset = -1;
}

void socket_options_inherit(struct socket *socket, const struct socket *listener)
{
	socket->options = listener->options & ~SOCKET_LISTENING;
	socket->priority = listener->priority;
	socket->mark = listener->mark;
	socket->send_buffer = listener->send_buffer;
	socket->receive_buffer = listener->receive_buffer;
	socket->receive_low_water = listener->receive_low_water;
	socket->pacing_rate = listener->pacing_rate;
	socket->send_timeout_ns = listener->send_timeout_ns;
	socket->receive_timeout_ns = listener->receive_timeout_ns;
	socket->linger_seconds = listener->linger_seconds;
	socket->bound_device = listener->bound_device;
	socket->timestamping = listener->timestamping;
	socket->txtime_clock = listener->txtime_clock;
	socket->txtime_flags = listener->txtime_flags;
	socket->network = listener->network;
}

/* --- Flags: an int that is a bit of socket->options --- */

struct option_flag {
	int option;
	u32 flag;
};
static const struct option_flag option_flags[] = {
	{ SO_REUSEADDR, SOCKET_REUSE_ADDRESS },
	{ SO_REUSEPORT, SOCKET_REUSE_PORT },
	{ SO_KEEPALIVE, SOCKET_KEEP_ALIVE },
	{ SO_BROADCAST, SOCKET_BROADCAST },
	{ SO_DONTROUTE, SOCKET_DO_NOT_ROUTE },
	{ SO_OOBINLINE, SOCKET_OOB_INLINE },
	{ SO_PASSCRED, SOCKET_PASS_CREDENTIALS },
	{ SO_PASSSEC, SOCKET_PASS_SECURITY },
	{ SO_TIMESTAMP_OLD, SOCKET_TIMESTAMP },
	{ SO_TIMESTAMP_NEW, SOCKET_TIMESTAMP },
	{ SO_TIMESTAMPNS_OLD, SOCKET_TIMESTAMP_NS },
	{ SO_TIMESTAMPNS_NEW, SOCKET_TIMESTAMP_NS },
	{ SO_ZEROCOPY, SOCKET_ZERO_COPY },
	{ SO_RXQ_OVFL, SOCKET_RECEIVE_OVERFLOWS },
	{ SO_DEBUG, SOCKET_DEBUG },
	{ SO_NO_CHECK, SOCKET_NO_CHECKSUM },
	{ SO_WIFI_STATUS, SOCKET_WIFI_STATUS },
	{ SO_NOFCS, SOCKET_NO_FCS },
	{ SO_SELECT_ERR_QUEUE, SOCKET_SELECT_ERROR_QUEUE },
	{ SO_LOCK_FILTER, SOCKET_LOCK_FILTER },
};

static u32 flag_of(int option)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_flags); i++)
		if (option_flags[i].option == option)
			return option_flags[i].flag;
	return 0;
}

static int check_flag(const struct socket *socket, int option, int value)
{
	switch (option) {
	case SO_DEBUG:
		return value && !capable(CAP_NET_ADMIN) ? -EACCES : 0;
	case SO_ZEROCOPY:
		if ((socket->family != AF_INET && socket->family != AF_INET6) ||
		    (socket->type != SOCK_STREAM && socket->type != SOCK_DGRAM) ||
		    (socket->type == SOCK_DGRAM && socket->protocol &&
		     socket->protocol != IPPROTO_UDP))
			return -EOPNOTSUPP;
		return value < 0 || value > 1 ? -EINVAL : 0;
	case SO_LOCK_FILTER: /* for good */
		return !value && (socket->options & SOCKET_LOCK_FILTER) ? -EPERM : 0;
	default:
		return 0;
	}
}

static void set_flag(struct socket *socket, u32 flag, bool on)
{
	if (on)
		__atomic_fetch_or(&socket->options, flag, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&socket->options, ~flag, __ATOMIC_RELAXED);
	/* A time stamp is in one of two units. */
	if (on && flag == SOCKET_TIMESTAMP)
		__atomic_fetch_and(&socket->options, ~(u32)SOCKET_TIMESTAMP_NS, __ATOMIC_RELAXED);
	if (on && flag == SOCKET_TIMESTAMP_NS)
		__atomic_fetch_and(&socket->options, ~(u32)SOCKET_TIMESTAMP, __ATOMIC_RELAXED);
}

/* --- Buffers, times, linger --- */

static u32 buffer_size(int value, u32 minimum, u32 maximum, bool force)
{
	u32 wanted = force ? MIN((u32)MAX(value, 0), (u32)INT32_MAX / 2) : MIN((u32)value, maximum);

	return MAX(wanted * 2, minimum);
}

/* SO_RCVTIMEO, SO_SNDTIMEO: 0 is for ever, a negative time is none at all. */
static int set_timeout(u64 *timeout_ns, const void *value, size_t length)
{
	struct __kernel_sock_timeval time; /* as the old one on 64-bit machines */

	static_assert(sizeof(time) == sizeof(struct __kernel_old_timeval));
	if (length < sizeof(time))
		return -EINVAL;
	memcpy(&time, value, sizeof(time));
	if (time.tv_usec < 0 || time.tv_usec >= 1000000)
		return -EDOM;
	if (time.tv_sec < 0)
		*timeout_ns = 0;
	else if ((time.tv_sec == 0 && time.tv_usec == 0) || time.tv_sec > INT32_MAX)
		*timeout_ns = NO_DEADLINE;
	else
		*timeout_ns = (u64)time.tv_sec * NSEC_PER_SEC + (u64)time.tv_usec * NSEC_PER_USEC;
	return 0;
}

struct linger_option {
	int on, seconds;
};

static int set_linger(struct socket *socket, const void *value, size_t length)
{
	struct linger_option linger;

	if (length < sizeof(linger))
		return -EINVAL;
	memcpy(&linger, value, sizeof(linger));
	socket->linger_seconds = linger.on ? linger.seconds & INT32_MAX : -1;
	return 0;
}

static int set_priority(struct socket *socket, int value)
{
	if ((value < 0 || value > 6) && !capable(CAP_NET_RAW) && !capable(CAP_NET_ADMIN))
		return -EPERM;
	socket->priority = value;
	return 0;
}

static int set_mark(struct socket *socket, int value)
{
	if (!capable(CAP_NET_RAW) && !capable(CAP_NET_ADMIN))
		return -EPERM;
	/* Where rules may look at it routes in use are looked up anew. */
	if (socket->mark != value && READ_ONCE(socket->network->rules))
		__atomic_add_fetch(&socket->network->generation, 1, __ATOMIC_RELEASE);
	socket->mark = value;
	return 0;
}

/* Times of sending are told for datagrams only. */
static int set_timestamping(struct socket *socket, int value)
{
	const u32 transmit = SOF_TIMESTAMPING_TX_RECORD_MASK & ~SOF_TIMESTAMPING_TX_HARDWARE;
	u32 flags = (u32)value;

	if (flags & ~SOF_TIMESTAMPING_MASK)
		return -EINVAL;
	if (socket->type == SOCK_STREAM && (flags & transmit))
		return -EOPNOTSUPP;
	WRITE_ONCE(socket->timestamping, flags);
	set_flag(socket, SOCKET_STAMP, flags & SOF_TIMESTAMPING_RX_SOFTWARE);
	return 0;
}

/*
 * SO_TXTIME: a packet may say when it goes. Only a queueing discipline that there is not would look, so each goes at once and
 * nobody misses his time, as on Linux without etf and fq.
 */
static int set_txtime(struct socket *socket, const void *value, size_t length)
{
	struct sock_txtime given;

	if (length != sizeof(given))
		return -EINVAL;
	memcpy(&given, value, sizeof(given));
	if (given.flags & ~(u32)SOF_TXTIME_FLAGS_MASK)
		return -EINVAL;
	if (given.clockid != CLOCK_MONOTONIC && !capable(CAP_NET_ADMIN))
		return -EPERM;
	WRITE_ONCE(socket->txtime_clock, given.clockid);
	WRITE_ONCE(socket->txtime_flags, given.flags);
	set_flag(socket, SOCKET_TXTIME, true);
	return 0;
}

static int set_number(struct socket *socket, int option, int value)
{
	bool force = option == SO_SNDBUFFORCE || option == SO_RCVBUFFORCE;

	if (force && !capable(CAP_NET_ADMIN))
		return -EPERM;
	switch (option) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		socket->send_buffer =
			buffer_size(value, SEND_BUFFER_MIN, socket_sysctl.send_maximum, force);
		return 0;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		socket->receive_buffer = buffer_size(value, RECEIVE_BUFFER_MIN,
						     socket_sysctl.receive_maximum, force);
		return 0;
	case SO_RCVLOWAT:
		socket->receive_low_water = value < 0 ? INT32_MAX : MAX(value, 1);
		return 0;
	case SO_PRIORITY:
		return set_priority(socket, value);
	case SO_MARK:
		return set_mark(socket, value);
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		return set_timestamping(socket, value);
	case SO_INCOMING_CPU:
		WRITE_ONCE(socket->incoming_cpu, value);
		return 0;
	case SO_PEEK_OFF:
		if (!socket->ops->peek_ready)
			return -EOPNOTSUPP;
		WRITE_ONCE(socket->peek_offset, value);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* SO_MAX_PACING_RATE, in 4 bytes or in 8; all ones are none in either. */
static int set_pacing_rate(struct socket *socket, const void *value, size_t length)
{
	u64 rate = 0;

	if (length < sizeof(u32))
		return -EINVAL;
	memcpy(&rate, value, length >= sizeof(u64) ? sizeof(u64) : sizeof(u32));
	if (length < sizeof(u64) && rate == UINT32_MAX)
		rate = UINT64_MAX;
	WRITE_ONCE(socket->pacing_rate, rate);
	return 0;
}

static int set_shared(struct socket *socket, int option, const void *value, size_t length)
{
	u32 flag = flag_of(option);
	int number, error;

	switch (option) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return length < sizeof(int)
			       ? -EINVAL
			       : set_timeout(&socket->receive_timeout_ns, value, length);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return length < sizeof(int) ? -EINVAL
					    : set_timeout(&socket->send_timeout_ns, value, length);
	case SO_LINGER:
		return set_linger(socket, value, length);
	case SO_MAX_PACING_RATE:
		return set_pacing_rate(socket, value, length);
	case SO_TXTIME:
		return set_txtime(socket, value, length);
	case SO_ATTACH_FILTER:
		return socket_filter_attach(socket, value, length);
	case SO_ATTACH_BPF:
		return socket_filter_attach_handle(socket, value, length);
	case SO_DETACH_FILTER: /* and SO_DETACH_BPF */
		return socket_filter_detach(socket);
	case SO_BINDTODEVICE: /* a name, for those families that have devices */
		return -ENOPROTOOPT;
	default:
		break;
	}
	if (length < sizeof(int))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	if (!flag)
		return set_number(socket, option, number);
	error = check_flag(socket, option, number);
	if (!error)
		set_flag(socket, flag, number != 0);
	return error;
}

int socket_set_option(struct socket *socket, int level, int option, const void *value,
		      size_t length)
{
	int error = -ENOPROTOOPT;

	if (level == SOL_SOCKET)
		error = set_shared(socket, option, value, length);
	if (error == -ENOPROTOOPT)
		return socket->ops->set_option
			       ? socket->ops->set_option(socket, level, option, value, length)
		       : level == SOL_SOCKET ? -ENOPROTOOPT
					     : -EOPNOTSUPP;
	if (!error && socket->ops->option_changed)
		socket->ops->option_changed(socket, option);
	return error;
}

/* --- getsockopt --- */

static int answer(void *value, size_t *length, const void *from, size_t size)
{
	*length = MIN(*length, size);
	memcpy(value, from, *length);
	return 0;
}

static int answer_timeout(void *value, size_t *length, u64 timeout_ns)
{
	struct __kernel_sock_timeval time = {};

	if (timeout_ns != NO_DEADLINE) {
		time.tv_sec = (s64)(timeout_ns / NSEC_PER_SEC);
		time.tv_usec = (s64)(timeout_ns % NSEC_PER_SEC / NSEC_PER_USEC);
	}
	return answer(value, length, &time, sizeof(time));
}

static int answer_linger(const struct socket *socket, void *value, size_t *length)
{
	struct linger_option linger = { socket->linger_seconds >= 0,
					MAX(socket->linger_seconds, 0) };

	return answer(value, length, &linger, sizeof(linger));
}

static int answer_txtime(const struct socket *socket, void *value, size_t *length)
{
	const struct sock_txtime txtime = { socket->txtime_clock, socket->txtime_flags };

	return answer(value, length, &txtime, sizeof(txtime));
}

u64 socket_cookie(struct socket *socket)
{
	u64 none = 0;

	if (!READ_ONCE(socket->cookie)) {
		u64 fresh = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);

		/* Another thread may have been faster: then its number stays. */
		(void)__atomic_compare_exchange_n(&socket->cookie, &none, fresh, false,
						  __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
	return READ_ONCE(socket->cookie);
}

static int answer_pacing_rate(const struct socket *socket, void *value, size_t *length)
{
	u64 rate = socket->pacing_rate;

	if (*length < sizeof(rate))
		rate = MIN(rate, (u64)UINT32_MAX);
	return answer(value, length, &rate, *length < sizeof(rate) ? sizeof(u32) : sizeof(rate));
}

static int answer_number(void *value, size_t *length, u64 number)
{
	return *length < sizeof(number) ? -EINVAL : answer(value, length, &number, sizeof(number));
}

/* 0 and the value, or -ENOPROTOOPT. */
static int get_number(struct socket *socket, int option, int *out)
{
	u32 flag = flag_of(option);

	if (flag) {
		*out = (socket->options & flag) != 0;
		return 0;
	}
	switch (option) {
	case SO_TYPE:
		*out = socket->type;
		return 0;
	case SO_DOMAIN:
		*out = socket->family;
		return 0;
	case SO_PROTOCOL:
		*out = socket->protocol;
		return 0;
	case SO_ACCEPTCONN:
		*out = (socket->options & SOCKET_LISTENING) != 0;
		return 0;
	case SO_SNDBUF:
		*out = (int)socket->send_buffer;
		return 0;
	case SO_RCVBUF:
		*out = (int)socket->receive_buffer;
		return 0;
	case SO_RCVLOWAT:
		*out = (int)socket->receive_low_water;
		return 0;
	case SO_SNDLOWAT:
		*out = 1;
		return 0;
	case SO_PRIORITY:
		*out = socket->priority;
		return 0;
	case SO_MARK:
		*out = socket->mark;
		return 0;
	case SO_ERROR:
		*out = -socket_take_error(socket);
		return 0;
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		*out = (int)socket->timestamping;
		return 0;
	case SO_INCOMING_CPU:
		*out = socket->incoming_cpu;
		return 0;
	case SO_PEEK_OFF:
		*out = socket->peek_offset;
		return socket->ops->peek_ready ? 0 : -EOPNOTSUPP;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_shared(struct socket *socket, int option, void *value, size_t *length)
{
	int number, error;

	switch (option) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return answer_timeout(value, length, socket->receive_timeout_ns);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return answer_timeout(value, length, socket->send_timeout_ns);
	case SO_LINGER:
		return answer_linger(socket, value, length);
	case SO_MAX_PACING_RATE:
		return answer_pacing_rate(socket, value, length);
	case SO_TXTIME:
		return answer_txtime(socket, value, length);
	case SO_COOKIE:
		return answer_number(value, length, socket_cookie(socket));
	case SO_NETNS_COOKIE:
		return answer_number(value, length, socket->network->serial);
	case SO_PEERNAME: {
		struct socket_address address = {};

		error = socket_name(socket, true, &address);
		if (error)
			return -ENOTCONN;
		return address.length < *length ? -EINVAL
						: answer(value, length, &address.storage, *length);
	}
	default:
		error = get_number(socket, option, &number);
		return error ? error : answer(value, length, &number, sizeof(number));
	}
}

int socket_get_option(struct socket *socket, int level, int option, void *value, size_t *length)
{
	int error = -ENOPROTOOPT;

	if (level == SOL_SOCKET)
		error = get_shared(socket, option, value, length);
	if (error != -ENOPROTOOPT)
		return error;
	if (!socket->ops->get_option)
		return level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
	return socket->ops->get_option(socket, level, option, value, length);
}
