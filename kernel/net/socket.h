/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets: the part that all families share. A socket is an open file whose operations call the
 * family's socket_ops; linux/socket.c decodes the system calls, copies addresses, vectors and
 * control messages, and calls the functions below.
 *
 * (S1) Operations of a family never block: they answer -EAGAIN (-EINPROGRESS for connect), and the
 * waiting, with time-outs, signals and O_NONBLOCK, is done once, in net/socket.c, on the object of
 * the socket. (S2) A family announces readiness with socket_notify after the change is visible.
 * (S3) Handles in flight (SCM_RIGHTS) are struct handle taken from pools by handles_collect and
 * leave by handle_install_moved: one transfer for the whole kernel.
 */
#pragma once

#include <core/lock.h>
#include <core/wait.h>
#include <lib/types.h>
#include <mm/iter.h>
#include <obj/file.h>

#include <linux/socket.h>
#include <sys/socket.h>

struct credentials;
struct map_request;
struct socket_program;
struct network_namespace; /* net/namespace.h */
struct socket;

/* The largest address of any family, as struct sockaddr_storage. */
struct socket_address {
	union {
		struct __kernel_sockaddr_storage storage;
		u16 family;
	};
	unsigned length; /* 0: none */
};

#define SOCKET_HANDLES_MAX 253 /* SCM_MAX_FD */

/* What travels with data: handles and credentials in, whatever the family reports out. */
struct socket_control {
	struct handle *handles; /* allocated; owned by whoever holds the structure */
	unsigned handle_count;
	bool has_credentials; /* SCM_CREDENTIALS */
	int pid;
	u32 uid, gid;
	/* Further control messages as user space sees them (cmsghdr, aligned), e.g. IP_PKTINFO,
	 * SCM_TIMESTAMP; at most `raw_size` bytes. */
	void *raw;
	size_t raw_length, raw_size;
};

/* One message, for both directions. Pointers, so that read(2) and write(2) cost little. */
struct socket_message {
	/* Send: where to; null: not given. Receive: filled in, length 0 if there is none; null: not
	 * wanted. */
	struct socket_address *address;
	struct iter *data;
	struct socket_control *control; /* null: none given, none wanted (what comes is dropped) */
	int flags;			/* MSG_*: as given; MSG_DONTWAIT: never mind, see (S1) */
	int flags_result;		/* receive: MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_ERRQUEUE */
};
/* Appends a control message to control->raw; false (and MSG_CTRUNC is due) when it does not fit.
 * For receive operations; `control` may be null. */
bool socket_control_append(struct socket_control *control, int level, int type, const void *data,
			   size_t length);

struct socket_ops {
	int family;
	/* Each may be null where Linux says -EOPNOTSUPP; addresses are in kernel memory, `length` is
	 * what the user gave and not yet checked against the family. */
	int (*bind)(struct socket *socket, const struct socket_address *address);
	/* 0, -EINPROGRESS when started (called again to learn the result), -EALREADY, -EISCONN... */
	int (*connect)(struct socket *socket, const struct socket_address *address);
	int (*listen)(struct socket *socket, int backlog);
	/* A connected socket in *out (made by socket_create_like), or -EAGAIN. */
	int (*accept)(struct socket *socket, struct socket **out);
	int (*pair)(struct socket *one, struct socket *two); /* socketpair */
	/* peer: getpeername. */
	int (*name)(struct socket *socket, bool peer, struct socket_address *out);
	/*
	 * Bytes taken, or -EAGAIN when nothing can be without waiting, -EPIPE (SIGPIPE is raised by the
	 * caller). Streams may take a part. On success control.handles have moved in.
	 */
	ssize_t (*send)(struct socket *socket, struct socket_message *message);
	/* Bytes, 0 at the end, -EAGAIN. MSG_PEEK, MSG_TRUNC, MSG_OOB, MSG_ERRQUEUE as recv(2). */
	ssize_t (*receive)(struct socket *socket, struct socket_message *message);
	int (*shutdown)(struct socket *socket, int how); /* SHUT_* */
	/* Options that net/socket_options.c does not serve. Value in kernel memory, at most 64 KiB;
	 * get: *length in: room, out: size. -ENOPROTOOPT. */
	int (*set_option)(struct socket *socket, int level, int option, const void *value,
			  size_t length);
	int (*get_option)(struct socket *socket, int level, int option, void *value,
			  size_t *length);
	long (*ioctl)(struct socket *socket, unsigned request, unsigned long argument);
	/* As file_ops.map. Null: -ENODEV. */
	int (*map)(struct socket *socket, struct map_request *request);
	u32 (*ready)(struct socket *socket); /* EPOLL* bits; must not sleep */
	/* Would a receive with MSG_PEEK at peek_offset not wait? Must not sleep. Null: there is no SO_PEEK_OFF. */
	bool (*peek_ready)(struct socket *socket);
	/*
	 * Waits until an operation that answered -EAGAIN may go on, where that is not the readiness of the
	 * socket itself (a datagram to a peer whose queue is full); `to` as in the operation. Null: waits
	 * for `events` of the socket. 0, -ETIMEDOUT, -ERESTARTSYS.
	 */
	int (*wait)(struct socket *socket, u32 events, const struct socket_address *to,
		    u64 deadline_ns);
	/*
	 * Nobody uses the socket any more: neither handles nor calls in progress, as on Linux, where a
	 * blocked recv keeps a closed socket alive. Peers see it. May sleep. Frees what `private` holds,
	 * or leaves it to live on alone (TIME_WAIT). Not called when create or accept failed before
	 * ops was set.
	 */
	void (*release)(struct socket *socket);
	/* Where the filter is, if it outlives the socket (TCP); null: socket->filter. */
	struct socket_program **(*filter)(struct socket *socket);
	/* A shared option that the family must know of changed (SO_RCVBUF, SO_KEEPALIVE ...). May be
	 * null. */
	void (*option_changed)(struct socket *socket, int option);
};

struct socket {
	struct file *file; /* the open file: the socket lives as long; set before create() */
	const struct socket_ops *ops;
	int family, type, protocol;	   /* AF_*, SOCK_*, IPPROTO_* */
	struct network_namespace *network; /* holds a reference */
	void *private;			   /* of the family */
	/* Shared options, read without a lock. */
	u32 options;			 /* SOCKET_* */
	int priority, mark;		 /* SO_PRIORITY, SO_MARK */
	u32 send_buffer, receive_buffer; /* bytes, as getsockopt tells them */
	u32 receive_low_water;
	u64 pacing_rate; /* SO_MAX_PACING_RATE, bytes in a second; UINT64_MAX: as fast as it goes */
	u64 send_timeout_ns, receive_timeout_ns; /* NO_DEADLINE: for ever */
	s32 linger_seconds;			 /* -1: off */
	s32 peek_offset;			 /* SO_PEEK_OFF: atomic; negative: none */
	int bound_device;			 /* SO_BINDTODEVICE: interface index, 0 none */
	int incoming_cpu; /* that received for it last, or as set (SO_INCOMING_CPU); -1: none */
	u32 timestamping; /* SO_TIMESTAMPING: SOF_TIMESTAMPING_* */
	s32 txtime_clock; /* SO_TXTIME, for SOCKET_TXTIME */
	u32 txtime_flags; /* SOF_TXTIME_* */
	int error;	  /* SO_ERROR: pending, positive errno; atomic */
	u32 shutdown;	  /* SOCKET_SHUT_*; written by the family */
	u64 cookie;	  /* SO_COOKIE; 0 until it is asked for */
	struct socket_program
		*filter; /* SO_ATTACH_FILTER, _BPF: see net/filter.h; read under RCU */
};
#define SOCKET_SHUT_RECEIVE BIT(0)
#define SOCKET_SHUT_SEND BIT(1)

#define SOCKET_REUSE_ADDRESS BIT(0)
#define SOCKET_REUSE_PORT BIT(1)
#define SOCKET_KEEP_ALIVE BIT(2)
#define SOCKET_BROADCAST BIT(3)
#define SOCKET_DO_NOT_ROUTE BIT(4)
#define SOCKET_OOB_INLINE BIT(5)
#define SOCKET_PASS_CREDENTIALS BIT(6)
#define SOCKET_TIMESTAMP BIT(7)
#define SOCKET_TIMESTAMP_NS BIT(8)
#define SOCKET_ZERO_COPY BIT(9)
#define SOCKET_LISTENING BIT(10)
#define SOCKET_PASS_SECURITY BIT(11)
#define SOCKET_RECEIVE_OVERFLOWS BIT(12) /* SO_RXQ_OVFL */
#define SOCKET_DEBUG BIT(13)
#define SOCKET_NO_CHECKSUM BIT(14)
#define SOCKET_WIFI_STATUS BIT(15)
#define SOCKET_NO_FCS BIT(16)
#define SOCKET_SELECT_ERROR_QUEUE BIT(17)
#define SOCKET_LOCK_FILTER BIT(18)
#define SOCKET_STAMP BIT(19) /* SO_TIMESTAMPING with SOF_TIMESTAMPING_RX_SOFTWARE */
#define SOCKET_TXTIME BIT(20)
/* Packets that come in are to have their time. */
#define SOCKET_WANTS_TIME (SOCKET_TIMESTAMP | SOCKET_TIMESTAMP_NS | SOCKET_STAMP)

/* /proc/sys/net/core: sizes of buffers in bytes, read without a lock. */
struct socket_sysctl {
	u32 receive_default, receive_maximum, send_default, send_maximum;
	u32 option_memory_maximum; /* optmem_max: what options of one socket may keep */
};
extern struct socket_sysctl socket_sysctl;

/* A family registers at boot: makes sockets of its types. */
struct socket_family {
	int family;
	const char *name;
	/*
	 * Sets socket->ops and private. -EPROTONOSUPPORT, -ESOCKTNOSUPPORT, -EPERM, -ENOMEM... It may
	 * point socket->file->object.waiters at a queue that lives longer than the socket.
	 */
	int (*create)(struct socket *socket, int protocol);
	struct socket_family *next;
};
void socket_family_register(struct socket_family *family);

/*
 * A socket with its file (one reference in socket->file, no handle). `type` without SOCK_NONBLOCK and
 * SOCK_CLOEXEC; `flags`: O_NONBLOCK. -EAFNOSUPPORT, -EINVAL, what the family says, -ENFILE, -ENOMEM.
 */
[[nodiscard]] int socket_create(int family, int type, int protocol, u32 flags, struct socket **out);
/*
 * For accept: a socket of the same family, type, protocol and options with a file, `ops` and
 * `private` not set (the family's create is not called), flags O_RDWR. file_put(out->file) undoes it.
 */
[[nodiscard]] int socket_create_like(struct socket *listener, struct socket **out);
/* The socket of a file; null if it is none. */
struct socket *socket_of(struct file *file);

/* The calls of the same names, with blocking; SIGPIPE is raised by socket_send unless MSG_NOSIGNAL.
 * Addresses in kernel memory. May sleep. */
[[nodiscard]] int socket_bind(struct socket *socket, const struct socket_address *address);
[[nodiscard]] int socket_connect(struct socket *socket, const struct socket_address *address);
[[nodiscard]] int socket_listen(struct socket *socket, int backlog);
[[nodiscard]] int socket_accept(struct socket *socket, u32 flags, struct socket **out);
[[nodiscard]] ssize_t socket_send(struct socket *socket, struct socket_message *message);
[[nodiscard]] ssize_t socket_receive(struct socket *socket, struct socket_message *message);
[[nodiscard]] int socket_shutdown(struct socket *socket, int how);
[[nodiscard]] int socket_pair(struct socket *one, struct socket *two);

/*
 * What the current task's silo (proc/silo.h) allows: -EACCES, recorded. A socket of that family; a name for an operation (CAIRN_SILO_NETWORK_*);
 * listening with the name that it has.
 */
[[nodiscard]] int socket_policy_create(int family);
[[nodiscard]] int socket_policy_name(const struct socket *socket, unsigned operation,
				     const struct socket_address *address);
[[nodiscard]] int socket_policy_listen(struct socket *socket);
/* Where the current task's socket of that kind is made; and the network whose devices one shows it. Borrowed. */
struct network_namespace *socket_policy_home(int family, int type);
struct network_namespace *socket_policy_view(const struct socket *socket);

/* getsockname, getpeername. */
[[nodiscard]] int socket_name(struct socket *socket, bool peer, struct socket_address *out);
/* Options of SOL_SOCKET and of the family (net/socket_options.c). `value` in kernel memory; get: *length is
 * the room and becomes the length of the answer. */
[[nodiscard]] int socket_set_option(struct socket *socket, int level, int option, const void *value,
				    size_t length);
[[nodiscard]] int socket_get_option(struct socket *socket, int level, int option, void *value,
				    size_t *length);
/* SO_COOKIE: the number of the socket, never used again. Any context. */
u64 socket_cookie(struct socket *socket);
/* Drops handles and memory that the structure owns; what remains is empty. May sleep. */
void socket_control_release(struct socket_control *control);

/* EPOLL* bits that may have become true. Any context. The socket must not be in its release. */
void socket_notify(struct socket *socket, u32 events);
/* Sets the pending error and announces it. Any context. */
void socket_set_error(struct socket *socket, int error);
/* Takes the pending error: 0 or -errno. */
[[nodiscard]] int socket_take_error(struct socket *socket);

/* Where a receive with these flags begins: peek_offset, or negative (at the beginning). */
static inline s32 socket_peek_offset(const struct socket *socket, int flags)
{
	return unlikely(flags & MSG_PEEK) ? READ_ONCE(socket->peek_offset) : -1;
}
/* After a receive of `n` bytes: peek_offset follows what is peeked at, and goes back as what was peeked at is read. */
static inline void socket_peek_moves(struct socket *socket, int flags, u32 n)
{
	s32 offset = READ_ONCE(socket->peek_offset);

	if (unlikely(offset >= 0))
		WRITE_ONCE(socket->peek_offset, flags & MSG_PEEK
							? (s32)MIN((u32)offset + n, (u32)INT32_MAX)
							: offset - (s32)MIN((u32)offset, n));
}

/* Boot. */
void socket_init(void);
