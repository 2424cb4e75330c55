/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP (RFC 9293): one connection, and what the files of this folder call of each other.
 *
 * (T1) Everything in struct tcp is guarded by inet.lock, a spinlock, except what says otherwise. User memory is
 * copied under send_lock or receive_lock, which are mutexes, with the spinlock free: a sender fills
 * bytes behind the end of the last block, which nobody else looks at, and a receiver reads the head of
 * the receive queue, which only receivers take away.
 * (T2) Segments are made under the lock, collected in `output`, and handed to the Internet layer by
 * tcp_unlock, when the lock is free: over loopback that processes them at once, in the peer.
 * (T3) Sequence space: block bytes from snd_una to write_seq; a record for each segment from snd_una to
 * snd_nxt, in order; sacked, lost and retransmitted count bytes of records with these flags, so that
 * flight = snd_nxt - snd_una - sacked - lost + retransmitted.
 * (T4) References of a node: the table of connections, the open socket, the listener's queue, an armed or
 * running timer (one in all).
 */
#pragma once

#include <lib/rbtree.h>
#include <net/filter.h>
#include <net/inet_socket.h>
#include <net/statistics.h>
#include <net/tcp/tcp_fast_open.h>
#include <net/tcp/tcp_md5.h>
#include <net/tcp/tcp_mtu_probe.h>
#include <net/tcp/tcp_repair.h>
#include <net/thread.h>

struct tcp;

enum tcp_state { /* numbers as in TCP_INFO and /proc/net/tcp */
		 TCP_ESTABLISHED = 1,
		 TCP_SYN_SENT,
		 TCP_SYN_RECEIVED,
		 TCP_FIN_WAIT1,
		 TCP_FIN_WAIT2,
		 TCP_TIME_WAIT,
		 TCP_CLOSED,
		 TCP_CLOSE_WAIT,
		 TCP_LAST_ACK,
		 TCP_LISTEN,
		 TCP_CLOSING,
};

enum {
	TH_FIN = 1,
	TH_SYN = 2,
	TH_RST = 4,
	TH_PSH = 8,
	TH_ACK = 16,
	TH_URG = 32,
	TH_ECE = 64,
	TH_CWR = 128
};

struct tcp_header {
	u16 source, destination;
	u32 seq, ack;
	u8 offset; /* words << 4 */
	u8 flags;
	u16 window, checksum, urgent;
} __packed;
static_assert(sizeof(struct tcp_header) == 20);

#define TCP_SACK_BLOCKS 4
/* Options of a segment (RFC 9293, 7323, 2018). */
struct tcp_options {
	bool timestamp, sack_permitted;
	s8 window_scale;  /* -1: none */
	s8 cookie_length; /* of a SYN; 0: wants one, -1: none */
	u8 sack_count;
	u16 mss; /* 0: none */
	u32 value, echo;
	const u8 *cookie; /* in the packet */
	struct {
		u32 start, end;
	} sack[TCP_SACK_BLOCKS];
};

/* A segment that came in, in host byte order; data of the packet is its payload. */
struct tcp_segment {
	u32 seq, end; /* end counts SYN and FIN */
	u32 ack;
	u32 window; /* not scaled */
	u16 urgent, local_port, remote_port;
	u8 flags;
	bool congestion;		 /* CE mark of the Internet header */
	const struct tcp_header *header; /* in the packet, in front of its data */
	const u8 *signature;		 /* RFC 2385, in the packet; null: none */
	struct tcp_options options;
};

static inline bool seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}
static inline bool seq_after(u32 a, u32 b)
{
	return (s32)(b - a) < 0;
}

/* Bytes that user space wrote: a block of pages, filled from the front. */
struct tcp_block {
	struct tcp_block *next;
	struct page *page;
	u32 seq;  /* of its first byte */
	u32 used; /* bytes filled */
	u32 capacity;
};

#define RECORD_SACKED BIT(0)
#define RECORD_LOST BIT(1)
#define RECORD_RETRANSMITTED BIT(2) /* and the retransmission is in flight */
#define RECORD_EVER_RETRANSMITTED BIT(3)
#define RECORD_FIN BIT(4)
#define RECORD_PROBE BIT(5) /* in one packet, larger than others: tcp_mtu_probe.h */

/* A segment that was sent and is not acknowledged. */
struct tcp_record {
	struct list_head node;
	u32 seq, end;
	u32 flags;
	u64 sent_ns;		 /* last time */
	struct tcp_block *block; /* that holds the first byte */
};

/* packet->control of what waits in a receive queue. */
struct tcp_received {
	struct rb_node node; /* out of order: by seq */
	u32 seq, end;
	bool fin;
};
static_assert(sizeof(struct tcp_received) <= sizeof(((struct packet *)0)->control));
static inline struct tcp_received *tcp_received(struct packet *p)
{
	return (struct tcp_received *)p->control;
}

enum tcp_phase { PHASE_OPEN, PHASE_DISORDER, PHASE_CWR, PHASE_RECOVERY, PHASE_LOSS };

/* A reduction of the window, and what was sent again since (tcp_undo.c). */
#define TCP_UNDO_SEGMENTS 8
struct tcp_undo {
	bool possible;	    /* nothing has shown yet that it was right */
	u8 count;	    /* retransmissions that are not known to have been needless */
	u32 cwnd, ssthresh; /* before it */
	struct tcp_undo_segment {
		u32 start, end;
	} segments[TCP_UNDO_SEGMENTS];
};

struct tcp_congestion {
	const char *name;
	void (*init)(struct tcp *t);
	u32 (*threshold)(struct tcp *t); /* slow start threshold after a loss, bytes */
	void (*acknowledged)(struct tcp *t, u32 bytes); /* in congestion avoidance */
};
const struct tcp_congestion *tcp_congestion_find(const char *name);
/* All that there are; null behind the last. */
const struct tcp_congestion *tcp_congestion_at(unsigned i);
/* net.ipv4.tcp_allowed_congestion_control (tcp(7)): what who lacks CAP_NET_ADMIN may choose, of all name spaces. */
[[nodiscard]] bool tcp_congestion_allowed(const struct tcp_congestion *c);
/* Allows these alone, which names between spaces tell. -ENOENT: there is none of a name, nothing changes. */
[[nodiscard]] int tcp_congestion_allow_only(const char *names);
/* Allows one more. */
void tcp_congestion_allow(const struct tcp_congestion *c);
extern const struct tcp_congestion *const tcp_congestion_default;

/* What accepts. Allocated by listen(2). */
struct tcp_listener {
	struct spinlock lock;		   /* RANK_NET_ACCEPT */
	struct list_head ready, half_open; /* of tcp.listener_node */
	u32 ready_count, half_open_count, backlog;
	/* Connections of Fast Open whose handshake goes on, or was reset before that time; see there (F1). */
	u32 fast_pending, fast_resets;
	u64 fast_resets_until;
	bool closed;
};

/* TCP_SAVED_SYN: the headers that began the connection. */
struct tcp_saved_syn {
	u32 length;
	u8 bytes[] __counted_by(length);
};

struct tcp {
	struct inet_socket inet; /* first */
	u64 clock_ns;		 /* see tcp_clock; 0: not read yet */
	u8 state;		 /* enum tcp_state */
	u8 phase;		 /* enum tcp_phase */
	u8 receive_scale, send_scale;
	bool timestamps, sack, scaling, ecn;
	bool fin_queued, fin_received, orphan, reset_sent;
	bool no_delay, corked, quick_ack_option, send_room_wanted;
	bool ack_due, ece_due, cwr_due;
	bool connecting, handed_over;
	bool tell_unread; /* TCP_INQ */
	bool thin_linear; /* TCP_THIN_LINEAR_TIMEOUTS */
	bool pace_waits;  /* cork_at is for the rest of what pacing_rate held back */
	u8 save_syn;	  /* TCP_SAVE_SYN: 2, with the link header */
	bool repair;	  /* see tcp_repair.h */
	u8 repair_queue;  /* TCP_REPAIR_QUEUE */
	u32 unsent_low;	  /* TCP_NOTSENT_LOWAT or the setting; 0: all that fits */
	u32 unsent_option;
	/* Changed under the lock, read under RCU; null: nothing is signed. */
	struct tcp_md5_key *md5_keys;
	/* Of the socket, or what it inherits; replaced at any time, read under RCU; null: none. */
	struct socket_program *filter;
	int early_error; /* of a connection that died before accept took it */
	u8 retries, probes, keep_probes, syn_retries, keep_count;

	/* Sending. */
	u32 iss, snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2, write_seq;
	u32 window_max, small_end, push_seq, urgent_end;
	u32 mss, mss_peer, mss_user, path_mtu;
	struct tcp_mtu_probe mtu_probe;
	u32 burst; /* payload of one packet: the device or the peer's host cuts it */
	struct tcp_block *blocks, *last_block;
	struct list_head records;
	struct tcp_record
		*spare_record; /* the last one freed, for the next: null, or not in the list */
	u32 sacked, lost, retransmitted;
	bool urgent_pending;
	struct mutex send_lock;	   /* RANK_NET_SEND: who fills the last block */
	struct mutex receive_lock; /* RANK_NET_SEND: who takes from the receive queue */
	struct packet_queue output;
	u64 pacing_rate, pace_next_ns; /* bytes in a second, 0: any; when more may go */

	/* Receiving. */
	u32 irs, rcv_nxt, rcv_wup, rcv_wnd, copied_seq, mss_received;
	struct packet_queue received;
	struct rb_tree out_of_order;
	u32 out_of_order_count, memory, memory_limit;
	bool memory_fixed, send_fixed;
	u32 latest_sack;		    /* seq of the block to report first */
	u32 duplicate_start, duplicate_end; /* D-SACK to report */
	bool duplicate_due;
	u32 quick_acks;
	u32 urgent_seq;
	u8 urgent_byte;
	bool urgent_valid, urgent_announced;
	u64 read_time_ns; /* when what was read last came; under receive_lock */
	u64 window_ns;	  /* receive buffer tuning */
	u32 window_copied;

	/* Time stamps and round trips; times in ns. */
	u32 timestamp_offset, ts_recent, last_ack_sent;
	u64 ts_recent_ns;
	u64 srtt, rttvar, rto, min_rtt;
	u64 challenge_ns;
	u32 challenges;

	/* Congestion. */
	const struct tcp_congestion *congestion;
	u32 cwnd, ssthresh, recover_seq, duplicate_acks;
	u32 prr_delivered, prr_out, recover_flight;
	struct tcp_undo undo;
	u64 rack_sent_ns, rack_rtt;
	u32 rack_end, highest_delivered;
	/* The network overtakes; by how many quarters of a round trip; how long that is kept (RFC 8985, 6.2, step 4). */
	bool reordering_seen;
	u8 reordering_quarters, reordering_keep;
	u32 reordering_round; /* when it may grow again */
	u32 tail_probe_seq;
	bool tail_probe_out;
	u64 cwnd_idle_ns;
	u64 cubic_epoch_ns, cubic_k_ms;
	u32 cubic_max, cubic_estimate, cubic_origin;

	/* Timers: deadlines, 0 unset; one timer serves them all. */
	struct net_timer timer;
	u64 timer_ns;
	u64 retransmit_at, reorder_at, tail_at, ack_at, probe_at, keep_at, cork_at;
	u64 last_received_ns, first_unacked_ns;
	u64 keep_idle_ns, keep_interval_ns, user_timeout_ns;
	s32 linger2;
	u32 defer_accept;

	/* Accepting. */
	struct tcp_listener *listener; /* state LISTEN */
	struct tcp *parent;	       /* SYN_RECEIVED or not yet accepted: owns a reference */
	struct list_head listener_node;
	struct wait_queue lingering;
	struct tcp_saved_syn *saved_syn; /* null: none, or read already */
	u32 send_delay_us; /* TCP_TX_DELAY: for a queueing discipline that is not there */
	struct tcp_fast_open fast_open;
	/* For TCP_INFO. */
	u64 bytes_acked, bytes_received, bytes_sent;
	u32 segments_out, segments_in, total_retransmitted;
};

static inline struct tcp *tcp_of(const struct socket *socket)
{
	return socket->private;
}
static inline struct tcp *tcp_of_node(struct inet_node *n)
{
	return container_of(inet_of(n), struct tcp, inet);
}

/* Fields of the shared part, for code that runs under the lock by (T1); null socket: nobody owns it. */
static inline struct socket *tcp_socket(const struct tcp *t) __no_lock_analysis
{
	return t->inet.socket;
}
static inline u32 tcp_route_mtu(const struct tcp *t) __no_lock_analysis
{
	return t->inet.route.mtu ? t->inet.route.mtu : 1500;
}

/* What /proc/sys/net says for it. */
static inline const struct tcp_sysctl *tcp_settings(const struct tcp *t)
{
	return &t->inet.node.network->sysctl.tcp;
}
extern struct port_table tcp_ports;
extern const struct socket_ops tcp_ops;

u64 tcp_now(void);
static inline void tcp_count(const struct tcp *t, enum net_counter counter)
{
	net_count(t->inet.node.network, counter);
}

/* The time of what happens to the connection now: the clock is read once while the lock is held. Lock held. */
static inline u64 tcp_clock(struct tcp *t)
{
	if (!t->clock_ns)
		t->clock_ns = tcp_now();
	return t->clock_ns;
}

/* The clock of the time stamps that the connection sends, at a time. */
static inline u32 tcp_timestamp(const struct tcp *t, u64 now)
{
	return (u32)(now / NSEC_PER_MSEC) + t->timestamp_offset;
}

/* The key of the connection's peer, null: none. Lock held, or under RCU. */
static inline const struct tcp_md5_key *tcp_md5_of(const struct tcp *t)
{
	return likely(!t->md5_keys)
		       ? nullptr
		       : tcp_md5_find(rcu_dereference(t->md5_keys), &t->inet.node.remote);
}
/* May a segment be believed, by the keys of the socket it is for? What is not is counted. Under RCU. */
[[nodiscard]] static inline bool tcp_md5_allows(const struct tcp_md5_key *keys,
						const struct packet *p,
						const struct inet_info *info,
						const struct tcp_segment *s)
{
	return likely(!keys && !s->signature) || tcp_md5_verify(keys, p, info, s);
}

/* Data that is neither sent nor acknowledged leaves room for more. */
static inline bool tcp_has_room(const struct tcp *t, u32 queued, u32 limit)
{
	return queued + queued / 2 <= limit &&
	       (likely(!t->unsent_low) ||
		READ_ONCE(t->write_seq) - READ_ONCE(t->snd_nxt) < t->unsent_low);
}

/* --- tcp.c: life, locks --- */
struct tcp *tcp_alloc(struct network_namespace *network);
static inline void tcp_lock(struct tcp *t) __acquires(&t->inet.lock)
{
	spin_lock(&t->inet.lock);
	t->clock_ns = 0;
}
void tcp_unlock_sending(struct tcp *t) __releases(&t->inet.lock);
/* Lets go of the lock and sends what was made under it. */
static inline void tcp_unlock(struct tcp *t) __releases(&t->inet.lock)
{
	if (unlikely(t->output.head))
		tcp_unlock_sending(t);
	else
		spin_unlock(&t->inet.lock);
}
/* Ends the connection: out of the tables, no timers, `error` (0: none) to the socket. Lock held. */
void tcp_done(struct tcp *t, int error);
void tcp_notify(struct tcp *t, u32 events);
/* A byte of sequence space that starts `seq`'s peer does not have; RFC 6528. */
u32 tcp_initial_sequence(const struct inet_node *n);

/* --- tcp_parse.c --- */
[[nodiscard]] bool tcp_parse(struct packet *p, const struct inet_info *info, struct tcp_segment *s);

/* --- tcp_output.c --- */
/* Sends what may be sent; `force`: even a small last segment. */
void tcp_push(struct tcp *t, bool force);
void tcp_send_ack(struct tcp *t);
void tcp_send_reset(struct tcp *t);
/* What is answered by an ACK: of a closed window, or that the peer is alive. */
void tcp_send_probe(struct tcp *t);
/*
 * Nothing is in flight: sends what fits into the peer's window, however little. False if nothing does. What tcp_push holds back so
 * that segments are not silly goes out so after a while: half of the largest window may never be offered again (RFC 9293, 3.8.6.2.1).
 */
[[nodiscard]] bool tcp_push_little(struct tcp *t);
void tcp_retransmit_lost(struct tcp *t);
bool tcp_retransmit(struct tcp *t, struct tcp_record *r);
/* What waits to be sent counts as sent, and not acknowledged: another socket has done it (TCP_REPAIR). */
void tcp_count_as_sent(struct tcp *t);
void tcp_queue_fin(struct tcp *t);
u32 tcp_window(struct tcp *t);
/* Of a segment, with the options that all have, and the Internet header. */
u32 tcp_header_length(const struct tcp *t);
void tcp_update_mss(struct tcp *t);
/* Puts the header in front of the payload, which is complete, signs it if it must be, and hands the packet to tcp_unlock. */
void tcp_finish(struct tcp *t, struct packet *p, u32 seq, u8 flags, const u8 *options,
		unsigned options_length);
/* Appends `n` bytes of the stream from `seq` on, `block` holding the first of them. False: they do not fit. */
[[nodiscard]] bool tcp_attach(struct packet *p, struct tcp_block *block, u32 seq, u32 n);
static inline u32 tcp_flight(const struct tcp *t)
{
	return t->snd_nxt - t->snd_una - t->sacked - t->lost + t->retransmitted;
}
bool tcp_split(struct tcp *t, struct tcp_record *r, u32 at);

/* --- tcp_syn.c --- */
void tcp_send_syn(struct tcp *t, u8 flags); /* SYN, with data that waits for it, or SYN and ACK */
/* Sends the first SYN of a connection, and has it sent again. */
void tcp_open(struct tcp *t);
/* What a SYN of the peer, or its answer to ours, offers. */
void tcp_take_syn_options(struct tcp *t, const struct tcp_segment *s);

/* --- tcp_bare.c: segments of no connection --- */
struct tcp_bare {
	u32 seq, ack, window;
	u8 flags;
	u16 mss;		       /* 0: not said */
	const u32 *timestamps;	       /* two; null: none */
	const struct tcp_md5_key *key; /* null: not signed */
};
/* Sends it back to where `s` came from, for TIME_WAIT and SYN cookies. */
void tcp_send_bare(const struct inet_info *info, const struct tcp_segment *s,
		   const struct tcp_bare *bare);
/* Answers a segment that belongs to no connection, by a reset that is signed with the key in `keys` for its sender. Under RCU. */
void tcp_reject(const struct inet_info *info, const struct tcp_segment *s,
		const struct tcp_md5_key *keys);

/* --- tcp_input.c --- */
/*
 * Asks the filter there, if there is one, for the socket (null: none) about a segment whose packet begins behind its header, and
 * cuts it. False: it is dropped. Under RCU.
 */
[[nodiscard]] bool tcp_filter_segment(struct socket_program *const *place, struct socket *socket,
				      struct packet *p, struct tcp_segment *s);
void tcp_receive_segment(struct tcp *t, struct packet *p, const struct inet_info *info,
			 struct tcp_segment *s);
void tcp_established(struct tcp *t);
/* Data may be sent and received from now on: both windows start. */
void tcp_begin_transfer(struct tcp *t);
void tcp_challenge_ack(struct tcp *t);
/* tcp_data.c: payload into the receive queue; takes the packet. */
void tcp_queue_data(struct tcp *t, struct packet *p, const struct tcp_segment *s);
/* The same with what TCP_REPAIR gives back to it. */
void tcp_append_repaired(struct tcp *t, struct packet *p);
void tcp_free_out_of_order(struct tcp *t);
/* A segment with data that came before: our ACK was lost, or the network doubles. */
void tcp_acknowledge_again(struct tcp *t, const struct tcp_segment *s);

/* --- tcp_ack.c: what acknowledgements say. False: the segment is to be dropped. --- */
bool tcp_acknowledge(struct tcp *t, const struct tcp_segment *s, bool carries_data);
/* A record for what is sent next, not in the list yet. Null without memory. */
struct tcp_record *tcp_record_alloc(struct tcp *t);
void tcp_record_free(struct tcp *t, struct tcp_record *r);
void tcp_drop_records(struct tcp *t);
void tcp_measure(struct tcp *t, u64 rtt_ns);

/* --- tcp_undo.c --- */
/* The window is about to be reduced because of a loss: from here on retransmissions are remembered. Lock held, as for the
 * others. */
void tcp_undo_begin(struct tcp *t);
/* `r` is about to be sent again. */
void tcp_undo_retransmitted(struct tcp *t, const struct tcp_record *r);
/* The receiver has [start, end) twice. True: since we sent it twice; the reduction is taken back if that holds for all. */
bool tcp_undo_needless(struct tcp *t, u32 start, u32 end);

/* --- tcp_recovery.c --- */
/* Takes a mark of loss back, and that of a retransmission in flight with it. */
void tcp_unmark_lost(struct tcp *t, struct tcp_record *r);
/* All up to `ack` is through: if a tail probe was what repaired a loss the window is reduced (RFC 8985, 7.4). */
void tcp_probe_acknowledged(struct tcp *t, u32 ack);
/* A retransmission was needless: segments may be later than was thought. */
void tcp_wait_longer(struct tcp *t);
void tcp_detect_losses(struct tcp *t);
void tcp_enter_loss(struct tcp *t);
void tcp_after_ack(struct tcp *t, u32 delivered, u32 acked, bool duplicate, bool ece);
void tcp_restart_after_idle(struct tcp *t);

/* --- tcp_timer.c --- */
void tcp_timers_update(struct tcp *t); /* has the timer fire at the first deadline */
void tcp_timer_init(struct tcp *t);
void tcp_arm_retransmit(struct tcp *t);
void tcp_reset_keepalive(struct tcp *t);

/* --- tcp_listen.c --- */
void tcp_listen_input(struct tcp *listener, struct packet *p, const struct inet_info *info,
		      struct tcp_segment *s);
/* A half open connection was completed: it may be accepted. False: no room, lock still held. */
bool tcp_hand_over(struct tcp *t);
void tcp_leave_listener(struct tcp *t);
void tcp_listener_close(struct tcp *t);
struct tcp *tcp_find_listener(const struct inet_info *info, u16 port, u16 source_port,
			      struct packet *p);
void tcp_update_window_scale(struct tcp *t);

/* --- tcp_timewait.c --- */
/* Replaces the connection by a TIME_WAIT (or FIN_WAIT2 without an owner). Lock held. */
void tcp_become_time_wait(struct tcp *t, enum tcp_state state);
/* A segment for a node in TIME_WAIT. True: it may start a new connection and the node is gone. */
bool tcp_time_wait_input(struct inet_node *n, struct packet *p, const struct inet_info *info,
			 const struct tcp_segment *s);
bool tcp_time_wait_reusable(struct inet_node *n);
void tcp_time_wait_init(void);
/* What /proc/net/tcp shows of it. */
u8 tcp_time_wait_state(struct inet_node *n);

/* --- socket operations --- */
ssize_t tcp_send(struct socket *socket, struct socket_message *m);
ssize_t tcp_receive(struct socket *socket, struct socket_message *m);
/* connect(2); `fast`: data may go with the SYN, if there is a cookie. Then 0, and the connection waits for it. */
int tcp_connect_with(struct socket *socket, const struct socket_address *address, bool fast);
int tcp_set_option(struct socket *socket, int level, int option, const void *value, size_t length);
int tcp_get_option(struct socket *socket, int level, int option, void *value, size_t *length);
/* TCP_INFO: at most *length bytes, which becomes their number. Takes the lock. */
void tcp_get_info(struct tcp *t, void *value, size_t *length);
void tcp_option_changed(struct socket *socket, int option);
u32 tcp_send_limit(const struct tcp *t);
static inline u32 tcp_queued(const struct tcp *t)
{
	return t->write_seq - t->snd_una;
}
