/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of AF_UNIX: see socket.c for the theory. */
#pragma once

#include <core/lock.h>
#include <core/rcu.h>
#include <core/wait.h>
#include <lib/list.h>
#include <net/socket.h>
#include <obj/credentials.h>
#include <vfs/vfs.h>

#include <linux/un.h>

struct user_account;
struct unix_socket;

/* A bound name, shared by a listener and what it accepted. Immutable. */
struct unix_address {
	u32 refs;
	unsigned length; /* as in the calls */
	struct sockaddr_un name;
};

/* Handles in flight. Their account counts them. */
struct unix_rights {
	struct user_account *account; /* holds a reference */
	struct handle *handles;	      /* allocated */
	unsigned count;
};

/* A datagram, or a piece of a stream. */
struct unix_buffer {
	struct unix_buffer *next;
	struct unix_socket *from; /* holds a reference: it is charged and named */
	struct unix_rights *rights;
	u32 offset, length; /* bytes that were read, and all */
	u32 charge;
	int pid;
	u32 uid, gid;
	bool urgent; /* one byte of MSG_OOB */
	bool seen;   /* it is empty and was peeked at */
	u8 data[];
};

enum unix_state { UNIX_FREE, UNIX_LISTENING, UNIX_CONNECTED, UNIX_DEAD };

struct unix_peer_credentials {
	int pid;			       /* 0: none */
	const struct credentials *credentials; /* holds a reference; null: none */
};

struct unix_socket {
	u32 refs; /* atomic: files' sockets, peers, buffers, the table of names */
	u32 type; /* SOCK_* */
	const struct network_namespace *network; /* that of its socket: where abstract names are */
	struct spinlock lock;			 /* RANK_NET_SOCKET */
	/* RANK_PIPE: one receiver at a time; held while user memory is copied */
	struct mutex read_lock;
	struct wait_queue waiters; /* of the file */
	struct wait_queue writers; /* who waits for room in the queue without being connected */
	/* The receive queue. Appended to under lock; taken from under lock and read_lock, so that a
	 * reader may look at the first one with read_lock alone. */
	struct unix_buffer *head, *tail;
	u32 queued;	       /* buffers; under lock */
	u32 datagrams_max;     /* of them, but for the peer's */
	u32 send_used;	       /* atomic: bytes in other queues */
	u32 send_limit;	       /* SO_SNDBUF */
	u32 state;	       /* enum unix_state; under lock, read without */
	u32 shutdown;	       /* SOCKET_SHUT_*; the same */
	int error;	       /* ECONNRESET before there is a socket; under lock */
	struct socket *socket; /* null: not accepted yet, or released; under lock */
	/* Holds a reference until unix_end. Streams: set once. Datagrams: under lock. */
	struct unix_socket *peer;
	struct unix_address *address; /* set once, under lock */
	struct path path;	      /* of a bound path; holds references */
	struct unix_peer_credentials peer_credentials;
	/* Listening: connections that wait for accept, linked by embryo_node. */
	struct list_head embryos __guarded_by(&lock);
	struct list_head embryo_node;
	u32 embryo_count, backlog;
	/* Datagrams: those that are connected to this one, to be told of room. */
	struct list_head connected __guarded_by(&lock);
	struct list_head connected_node; /* under the peer's lock */
	bool urgent_sent;		 /* MSG_OOB was used: look for it */
	/* Names and the list of all: names_lock. */
	struct unix_socket *name_next;
	u64 name_key;
	bool named;
	struct list_head all_node;
	u64 inode;
	/* Collection: collect_lock. */
	u32 in_flight, reachable_count;
	bool candidate;
	struct list_head flight_node, candidate_node;
	struct rcu_head rcu;
};

extern const struct socket_ops unix_stream_ops, unix_seqpacket_ops, unix_datagram_ops;

/* socket.c */
static inline struct unix_socket *unix_of(const struct socket *socket)
{
	return socket->private;
}
static inline void unix_get(struct unix_socket *u)
{
	__atomic_fetch_add(&u->refs, 1, __ATOMIC_RELAXED);
}
void unix_put_last(struct unix_socket *u);
static inline void unix_put(struct unix_socket *u)
{
	if (__atomic_sub_fetch(&u->refs, 1, __ATOMIC_ACQ_REL) == 0)
		unix_put_last(u);
}
[[nodiscard]] int unix_alloc(const struct network_namespace *network, u32 type,
			     struct unix_socket **out);
/* Makes the socket the owner of `u`, which it has a reference to. */
void unix_attach(struct socket *socket, struct unix_socket *u);
struct unix_peer_credentials unix_current_credentials(void);
void unix_credentials_put(struct unix_peer_credentials *credentials);
/* Both locks, in order of address. */
void unix_lock_pair(struct unix_socket *a, struct unix_socket *b);
void unix_unlock_pair(struct unix_socket *a, struct unix_socket *b);
/* The end of a socket with or without file; `embryo`: it was never accepted. Consumes a reference. */
void unix_end(struct unix_socket *u, bool embryo);
void unix_release(struct socket *socket);
int unix_bind(struct socket *socket, const struct socket_address *address);
int unix_listen(struct socket *socket, int backlog);
int unix_accept(struct socket *socket, struct socket **out);
int unix_connect(struct socket *socket, const struct socket_address *address);
int unix_pair(struct socket *one, struct socket *two);
int unix_name(struct socket *socket, bool peer, struct socket_address *out);
int unix_shutdown(struct socket *socket, int how);
int unix_get_option(struct socket *socket, int level, int option, void *value, size_t *length);
void unix_option_changed(struct socket *socket, int option);
long unix_ioctl(struct socket *socket, unsigned request, unsigned long argument);

/* address.c */
/* Is it a name? 0; 1: only the family, for autobind. -EINVAL. */
[[nodiscard]] int unix_check_address(const struct socket_address *address);
[[nodiscard]] int unix_autobind(struct unix_socket *u);
[[nodiscard]] int unix_bind_name(struct unix_socket *u, const struct socket_address *address);
/* The bound socket of that name, of the type and for abstract names the name space of `from`, with a reference. -ECONNREFUSED, -ENOENT, -EACCES, -EPROTOTYPE. */
[[nodiscard]] int unix_find(const struct unix_socket *from, const struct socket_address *address,
			    struct unix_socket **out);
void unix_names_remove(struct unix_socket *u);
void unix_names_add(struct unix_socket *u);
void unix_address_put(struct unix_address *address);
void unix_address_tell(const struct unix_address *address, struct socket_address *out);

/* buffer.c */
/*
 * A buffer with `size` bytes taken from `it`, charged to `u`. -EAGAIN when its send buffer is full,
 * -ENOMEM, -EFAULT.
 */
[[nodiscard]] int unix_buffer_create(struct unix_socket *u, struct iter *it, size_t size,
				     const struct socket_control *control,
				     struct unix_buffer **out);
/* Drops it with what is in it, and tells its sender that there is room. May sleep. */
void unix_buffer_free(struct unix_buffer *buffer);
void unix_queue_append_locked(struct unix_socket *u, struct unix_buffer *buffer)
	__must_hold(&u->lock);
/* Drops a buffer that never got into a queue. */
void unix_buffer_discard(struct unix_buffer *buffer);
/* There is urgent data in the queue. */
bool unix_has_urgent(struct unix_socket *u);
/* Takes a buffer out of the queue; its handles are not in flight any more. */
void unix_queue_remove(struct unix_socket *u, struct unix_buffer *buffer)
	__must_hold(&u->read_lock);
/*
 * The buffer at SO_PEEK_OFF from `first` on (either may be null), and how many bytes of it are skipped. The caller holds what
 * guards the queue.
 */
struct unix_buffer *unix_queue_at(struct unix_buffer *first, s32 offset, u32 *skip);
/* socket_ops.peek_ready. */
bool unix_peek_ready(struct socket *socket);
/* Everything there is, as unix_queue_remove. */
struct unix_buffer *unix_queue_take_all(struct unix_socket *u);
/* What receiving from an empty queue returns: the socket's error, 0 at the end, -EAGAIN. */
ssize_t unix_nothing_there(struct socket *socket);
static inline bool unix_is_writable(const struct unix_socket *u)
{
	return READ_ONCE(u->send_used) * 4ull <= u->send_limit;
}
/* Bytes to read: of all buffers, or of the first. */
u32 unix_queue_bytes(struct unix_socket *u, bool first_only);

/* datagram.c */
/* The receive queue has room again. */
void unix_tell_room(struct unix_socket *u);

/* rights.c */
/* Moves the handles into the buffer. -ETOOMANYREFS, -ENOMEM: they stay the caller's. */
[[nodiscard]] int unix_rights_attach(struct unix_buffer *buffer, struct socket_control *control);
void unix_rights_free(struct unix_rights *rights);
/* Gives the handles to a receiver: moved (`rights` is freed), or copied for MSG_PEEK. -ENOMEM */
void unix_rights_deliver(struct unix_rights *rights, struct socket_control *control);
[[nodiscard]] int unix_rights_copy(const struct unix_rights *rights,
				   struct socket_control *control);
/* The handles of a queued buffer leave it, to be delivered. */
void unix_rights_detach(struct unix_socket *u, struct unix_buffer *buffer)
	__must_hold(&u->read_lock);
/* Undoes unix_rights_attach. */
void unix_rights_return(struct unix_buffer *buffer, struct socket_control *control);
/* Around taking a buffer with handles from a queue. */
extern struct spinlock unix_collect_lock;
void unix_rights_landed_locked(struct unix_rights *rights) __must_hold(&unix_collect_lock);
/* A socket ended: there may be cycles to collect. Any context. */
void unix_collect_soon(void);
void unix_rights_init(void);
