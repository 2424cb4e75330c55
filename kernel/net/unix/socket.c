/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AF_UNIX (unix(7)): sockets of one machine. This file has what the three types share: making,
 * connecting, accepting, ending; stream.c and datagram.c carry the data, buffer.c the queues,
 * address.c the names, rights.c the handles in flight.
 *
 * A struct unix_socket is what the other side sees; it outlives its file as long as somebody refers
 * to it, and precedes it while a connection waits to be accepted (an embryo).
 *
 * (U1) A sender copies from user memory into a buffer of its own, then appends it to the peer's queue
 * under the peer's lock. A receiver copies out under read_lock alone, then unlinks under the lock. So
 * data is copied once in and once out, and never under a spinlock.
 * (U2) The sender is charged for a buffer until it is received; at SO_SNDBUF it waits.
 * (U3) The peer of a stream is set once, at connection, and its reference dropped with the socket: it is
 * read without a lock. That of a datagram socket may change and is read under the socket's lock.
 * (U4) A socket that ends marks itself UNIX_DEAD under its lock; buffers are appended under that lock
 * only to sockets that are not, so its queue stays empty once it was emptied.
 *
 * Lock order: read_lock, collect_lock, the socket's lock, a second socket's lock (by address; an
 * embryo's after its listener's), the lock of the names, wait queues.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/namespace.h>
#include <net/unix/unix.h>
#include <net/unix/unix_priv.h>
#include <obj/inode.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>

#include <asm/ioctls.h>
#include <asm/socket.h>
#include <linux/eventpoll.h>
#include <linux/sockios.h>
#include <sys/socket.h>

#define EVENTS_ALL                                                                                 \
	(EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND | EPOLLRDHUP | EPOLLHUP |    \
	 EPOLLERR)
#define SHUT_BOTH (SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND)

static struct slab_cache *unix_cache;

int unix_alloc(const struct network_namespace *network, u32 type,
	       struct unix_socket **out) __no_lock_analysis /* nobody else sees it yet */
{
	struct unix_socket *u = slab_alloc(unix_cache, ALLOC_ZERO | ALLOC_USER);

	if (!u)
		return -ENOMEM;
	u->refs = 1;
	u->type = type;
	spin_init(&u->lock, RANK_NET_SOCKET);
	mutex_init(&u->read_lock, RANK_PIPE);
	wait_queue_init(&u->waiters);
	wait_queue_init(&u->writers);
	list_init(&u->embryos);
	list_init(&u->embryo_node);
	list_init(&u->connected);
	list_init(&u->connected_node);
	list_init(&u->flight_node);
	list_init(&u->candidate_node);
	u->network = network;
	u->datagrams_max = READ_ONCE(network->sysctl.unix_datagrams_max);
	unix_names_add(u);
	*out = u;
	return 0;
}

static void unix_free(struct rcu_head *head)
{
	slab_free(unix_cache, container_of(head, struct unix_socket, rcu));
}

void unix_put_last(struct unix_socket *u)
{
	unix_address_put(u->address);
	unix_credentials_put(&u->peer_credentials);
	rcu_call(&u->rcu, unix_free);
}

void unix_attach(struct socket *socket, struct unix_socket *u)
{
	socket->private = u;
	socket->ops = u->type == SOCK_STREAM  ? &unix_stream_ops
		      : u->type == SOCK_DGRAM ? &unix_datagram_ops
					      : &unix_seqpacket_ops;
	socket->file->object.waiters = &u->waiters;
	u->inode = socket->file->inode->number;
	u->send_limit = socket->send_buffer;
	spin_lock(&u->lock);
	u->socket = socket;
	socket->shutdown = u->shutdown;
	socket->error = u->error;
	spin_unlock(&u->lock);
}

static int unix_create(struct socket *socket, int protocol)
{
	struct unix_socket *u;
	int error;

	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (socket->type == SOCK_RAW) /* as Linux: BSD had it */
		socket->type = SOCK_DGRAM;
	if (socket->type != SOCK_STREAM && socket->type != SOCK_DGRAM &&
	    socket->type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	error = unix_alloc(socket->network, (u32)socket->type, &u);
	if (!error)
		unix_attach(socket, u);
	return error;
}

struct unix_peer_credentials unix_current_credentials(void)
{
	const struct credentials *credentials = current_credentials();

	credentials_get(credentials);
	return (struct unix_peer_credentials){ current_process()->pid, credentials };
}

void unix_credentials_put(struct unix_peer_credentials *credentials)
{
	if (credentials->credentials)
		credentials_put(credentials->credentials);
	*credentials = (struct unix_peer_credentials){};
}

void unix_lock_pair(struct unix_socket *a, struct unix_socket *b) __no_lock_analysis
{
	spin_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock_nested(a < b ? &b->lock : &a->lock);
}

void unix_unlock_pair(struct unix_socket *a, struct unix_socket *b) __no_lock_analysis
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

/* --- The end --- */

static void shut_locked(struct unix_socket *u, u32 how) __must_hold(&u->lock)
{
	u->shutdown |= how;
	if (u->socket)
		u->socket->shutdown = u->shutdown;
}

/* The peer of a connection ended: there is nothing more to come, and nobody to send to. */
static void tell_peer(struct unix_socket *peer, bool reset)
{
	spin_lock(&peer->lock);
	shut_locked(peer, SHUT_BOTH);
	if (reset) {
		peer->error = ECONNRESET;
		if (peer->socket)
			peer->socket->error = ECONNRESET;
	}
	spin_unlock(&peer->lock);
	wake_up(&peer->waiters, EVENTS_ALL);
}

static struct unix_socket *pop_embryo(struct unix_socket *u)
{
	struct unix_socket *embryo = nullptr;

	spin_lock(&u->lock);
	if (!list_empty(&u->embryos)) {
		embryo = list_first(&u->embryos, struct unix_socket, embryo_node);
		list_remove(&embryo->embryo_node);
		u->embryo_count--;
	}
	spin_unlock(&u->lock);
	return embryo;
}

/* A datagram socket leaves the list of those to tell of room. */
static void leave_peer(struct unix_socket *u, struct unix_socket *peer)
{
	spin_lock(&peer->lock);
	list_remove(&u->connected_node);
	spin_unlock(&peer->lock);
}

void unix_end(struct unix_socket *u, bool embryo)
{
	struct unix_buffer *buffers, *next;
	struct unix_socket *peer, *child;

	unix_names_remove(u);
	spin_lock(&u->lock);
	/* Peers refer to each other: who ends first lets go. */
	peer = u->peer;
	WRITE_ONCE(u->peer, nullptr);
	u->state = UNIX_DEAD;
	u->socket = nullptr;
	shut_locked(u, SHUT_BOTH);
	spin_unlock(&u->lock);
	buffers = unix_queue_take_all(u);
	if (peer && u->type != SOCK_DGRAM)
		tell_peer(peer, embryo || buffers);
	else if (peer)
		leave_peer(u, peer);
	unix_tell_room(u);
	while ((child = pop_embryo(u)))
		unix_end(child, true);
	for (; buffers; buffers = next) {
		next = buffers->next;
		unix_buffer_free(buffers);
	}
	if (u->path.dentry)
		path_put(&u->path);
	if (peer)
		unix_put(peer);
	unix_put(u);
	unix_collect_soon();
}

void unix_release(struct socket *socket)
{
	unix_end(unix_of(socket), false);
}

/* --- Connections --- */

int unix_bind(struct socket *socket, const struct socket_address *address)
{
	int kind = unix_check_address(address);

	if (kind < 0)
		return kind;
	return kind ? unix_autobind(unix_of(socket)) : unix_bind_name(unix_of(socket), address);
}

int unix_listen(struct socket *socket, int backlog)
{
	struct unix_peer_credentials own = unix_current_credentials();
	struct unix_socket *u = unix_of(socket);
	int error = 0;

	spin_lock(&u->lock);
	if (!u->address || (u->state != UNIX_FREE && u->state != UNIX_LISTENING)) {
		error = -EINVAL;
	} else {
		struct unix_peer_credentials old = u->peer_credentials;

		u->backlog = (u32)backlog;
		WRITE_ONCE(u->state, UNIX_LISTENING);
		u->peer_credentials = own;
		own = old;
		__atomic_fetch_or(&socket->options, SOCKET_LISTENING, __ATOMIC_RELAXED);
	}
	spin_unlock(&u->lock);
	unix_credentials_put(&own);
	wake_up(&u->writers, 0);
	return error;
}

/* Puts the embryo into the listener's queue. -ECONNREFUSED, -EAGAIN, -EISCONN, -EINVAL. */
static int join_locked(struct unix_socket *u, struct unix_socket *listener,
		       struct unix_socket *embryo) __must_hold(&u->lock)
	__must_hold(&listener->lock)
{
	if (u->state != UNIX_FREE)
		return u->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	if (listener->state != UNIX_LISTENING || (listener->shutdown & SOCKET_SHUT_RECEIVE))
		return -ECONNREFUSED;
	if (listener->embryo_count > listener->backlog)
		return -EAGAIN;
	unix_get(u);
	unix_get(embryo);
	embryo->peer = u;
	__atomic_store_n(&u->peer, embryo, __ATOMIC_RELEASE);
	if (listener->address) {
		__atomic_fetch_add(&listener->address->refs, 1, __ATOMIC_RELAXED);
		embryo->address = listener->address;
	}
	if (listener->peer_credentials.credentials)
		credentials_get(listener->peer_credentials.credentials);
	u->peer_credentials = listener->peer_credentials;
	embryo->send_limit = listener->send_limit;
	embryo->state = UNIX_CONNECTED;
	WRITE_ONCE(u->state, UNIX_CONNECTED);
	list_add_tail(&listener->embryos, &embryo->embryo_node);
	listener->embryo_count++;
	return 0;
}

static int connect_to(struct unix_socket *u, struct unix_socket *listener)
	__no_lock_analysis /* two locks in order of address */
{
	struct unix_socket *embryo;
	int error;

	if (READ_ONCE(listener->state) == UNIX_LISTENING &&
	    READ_ONCE(listener->embryo_count) > listener->backlog)
		return -EAGAIN;
	error = unix_alloc(u->network, u->type, &embryo);
	if (error)
		return error;
	embryo->peer_credentials = unix_current_credentials();
	unix_lock_pair(u, listener);
	error = join_locked(u, listener, embryo);
	unix_unlock_pair(u, listener);
	if (error) {
		unix_end(embryo, false);
		return error;
	}
	wake_up(&listener->waiters, EPOLLIN | EPOLLRDNORM);
	return 0;
}

/* Connecting a datagram socket only sets where it sends to. `peer` null: nowhere. */
static int set_peer(struct unix_socket *u, struct unix_socket *peer) __no_lock_analysis
{
	struct unix_socket *old;

	if (peer) {
		unix_lock_pair(u, peer);
		if (peer->state == UNIX_DEAD || (peer->peer && peer->peer != u)) {
			int error = peer->state == UNIX_DEAD ? -ECONNREFUSED : -EPERM;

			unix_unlock_pair(u, peer);
			return error;
		}
		unix_unlock_pair(u, peer);
	}
	/* The list of the old peer and that of the new one: one at a time. Two threads that connect the same
	 * socket at once are kept apart by its read_lock. */
	mutex_lock(&u->read_lock);
	spin_lock(&u->lock);
	old = u->peer;
	u->peer = peer;
	if (peer)
		unix_get(peer);
	WRITE_ONCE(u->state, peer ? UNIX_CONNECTED : UNIX_FREE);
	spin_unlock(&u->lock);
	if (old)
		leave_peer(u, old);
	if (peer) {
		spin_lock(&peer->lock);
		list_add(&peer->connected, &u->connected_node);
		spin_unlock(&peer->lock);
	}
	mutex_unlock(&u->read_lock);
	if (old) {
		wake_up(&u->waiters, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
		unix_put(old);
	}
	return 0;
}

int unix_connect(struct socket *socket, const struct socket_address *address)
{
	struct unix_socket *u = unix_of(socket), *target;
	int error;

	if (address->length < sizeof(address->family))
		return -EINVAL;
	if (u->type == SOCK_DGRAM && address->family == AF_UNSPEC)
		return set_peer(u, nullptr);
	if (unix_check_address(address))
		return -EINVAL;
	if (socket->options & SOCKET_PASS_CREDENTIALS) {
		error = unix_autobind(u);
		if (error)
			return error;
	}
	error = unix_find(u, address, &target);
	if (error)
		return error;
	error = u->type == SOCK_DGRAM ? set_peer(u, target) : connect_to(u, target);
	unix_put(target);
	return error;
}

int unix_accept(struct socket *socket, struct socket **out)
{
	struct unix_socket *u = unix_of(socket), *embryo;
	struct socket *fresh;
	int error;

	if (READ_ONCE(u->state) != UNIX_LISTENING)
		return -EINVAL;
	if (!READ_ONCE(u->embryo_count))
		return u->shutdown & SOCKET_SHUT_RECEIVE ? -EINVAL : -EAGAIN;
	error = socket_create_like(socket, &fresh);
	if (error)
		return error;
	embryo = pop_embryo(u);
	if (!embryo) {
		file_put(fresh->file);
		return -EAGAIN;
	}
	unix_attach(fresh, embryo);
	wake_up_one(&u->writers, EPOLLOUT);
	*out = fresh;
	return 0;
}

int unix_pair(struct socket *one, struct socket *two)
{
	struct unix_socket *a = unix_of(one), *b = unix_of(two);

	a->peer_credentials = unix_current_credentials();
	b->peer_credentials = unix_current_credentials();
	unix_get(a);
	unix_get(b);
	a->peer = b;
	b->peer = a;
	if (a->type == SOCK_DGRAM) {
		spin_lock(&a->lock);
		list_add(&a->connected, &b->connected_node);
		spin_unlock(&a->lock);
		spin_lock(&b->lock);
		list_add(&b->connected, &a->connected_node);
		spin_unlock(&b->lock);
	}
	a->state = b->state = UNIX_CONNECTED;
	return 0;
}

int unix_name(struct socket *socket, bool peer, struct socket_address *out)
{
	struct unix_socket *u = unix_of(socket), *of = u;
	int error = 0;

	spin_lock(&u->lock);
	if (peer)
		of = u->peer;
	if (of)
		unix_address_tell(READ_ONCE(of->address), out);
	else
		error = -ENOTCONN;
	spin_unlock(&u->lock);
	return error;
}

int unix_shutdown(struct socket *socket, int how)
{
	u32 mode = (how != SHUT_WR ? SOCKET_SHUT_RECEIVE : 0) |
		   (how != SHUT_RD ? SOCKET_SHUT_SEND : 0);
	u32 mirrored = (mode & SOCKET_SHUT_RECEIVE ? SOCKET_SHUT_SEND : 0) |
		       (mode & SOCKET_SHUT_SEND ? SOCKET_SHUT_RECEIVE : 0);
	struct unix_socket *u = unix_of(socket), *peer;

	spin_lock(&u->lock);
	shut_locked(u, mode);
	peer = u->type == SOCK_DGRAM ? nullptr : u->peer;
	spin_unlock(&u->lock);
	wake_up(&u->waiters, EVENTS_ALL);
	wake_up(&u->writers, 0);
	if (peer) {
		spin_lock(&peer->lock);
		shut_locked(peer, mirrored);
		spin_unlock(&peer->lock);
		wake_up(&peer->waiters, EVENTS_ALL);
	}
	return 0;
}

/* --- Options and ioctls --- */

static int peer_groups(const struct credentials *credentials, void *value, size_t *length)
{
	size_t size = credentials->groups ? credentials->groups->count * sizeof(u32) : 0;

	if (*length < size) {
		*length = size;
		return -ERANGE;
	}
	if (size)
		memcpy(value, credentials->groups->groups, size);
	*length = size;
	return 0;
}

int unix_get_option(struct socket *socket, int level, int option, void *value, size_t *length)
{
	const struct unix_peer_credentials *peer = &unix_of(socket)->peer_credentials;
	struct ucred answer = { 0, ~0u, ~0u };

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	int error;

	switch (option) {
	case SO_PEERCRED:
		rcu_read_lock(); /* listen may replace them */
		if (peer->credentials)
			answer = (struct ucred){ (unsigned)pid_to_user(peer->pid),
						 peer->credentials->euid, peer->credentials->egid };
		rcu_read_unlock();
		*length = MIN(*length, sizeof(answer));
		memcpy(value, &answer, *length);
		return 0;
	case SO_PEERGROUPS:
		rcu_read_lock();
		error = peer->credentials ? peer_groups(peer->credentials, value, length)
					  : -ENODATA;
		rcu_read_unlock();
		return error;
	default:
		return -ENOPROTOOPT;
	}
}

void unix_option_changed(struct socket *socket, int option)
{
	struct unix_socket *u = unix_of(socket);

	WRITE_ONCE(u->send_limit, socket->send_buffer);
	if (option == SO_SNDBUF)
		wake_up(&u->waiters, EPOLLOUT | EPOLLWRNORM);
}

long unix_ioctl(struct socket *socket, unsigned request, unsigned long argument)
{
	int __user *out = __force_user(int __user *, argument);
	struct unix_socket *u = unix_of(socket);
	bool marked;

	switch (request) {
	case TIOCOUTQ: /* SIOCOUTQ */
		return put_user((int)READ_ONCE(u->send_used), out);
	case FIONREAD: /* SIOCINQ */
		if (u->state == UNIX_LISTENING)
			return -EINVAL;
		return put_user((int)unix_queue_bytes(u, u->type == SOCK_DGRAM), out);
	case SIOCATMARK:
		spin_lock(&u->lock);
		marked = u->head && u->head->urgent;
		spin_unlock(&u->lock);
		return put_user((int)marked, out);
	default:
		return -ENOTTY;
	}
}

static struct socket_family unix_family = { .family = AF_UNIX,
					    .name = "UNIX",
					    .create = unix_create };

void unix_init(void)
{
	unix_cache = slab_cache_create("unix", sizeof(struct unix_socket), 0);
	unix_rights_init();
	socket_family_register(&unix_family);
}
