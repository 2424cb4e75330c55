/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Doubly linked lists, the head being a node of its own ring. The user's lock guards them; whether one is empty may be looked at without. */
#pragma once

#include <lib/types.h>

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void list_init(struct list_head *l)
{
	WRITE_ONCE(l->next, l);
	l->prev = l;
}
static inline bool list_empty(const struct list_head *l)
{
	return READ_ONCE(l->next) == l;
}
static inline void list_insert_between(struct list_head *n, struct list_head *prev,
				       struct list_head *next)
{
	next->prev = n;
	n->next = next;
	n->prev = prev;
	WRITE_ONCE(prev->next, n);
}
static inline void list_add(struct list_head *head, struct list_head *n)
{
	list_insert_between(n, head, head->next);
}
static inline void list_add_tail(struct list_head *head, struct list_head *n)
{
	list_insert_between(n, head->prev, head);
}
/* Removes a node and leaves it self-linked, so that list_empty(node) tells and removing twice is harmless. */
static inline void list_remove(struct list_head *n)
{
	WRITE_ONCE(n->prev->next, n->next);
	n->next->prev = n->prev;
	list_init(n);
}
/* Moves all nodes of `from` to the end of `to`. */
static inline void list_splice_tail(struct list_head *to, struct list_head *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_last(head, type, member) list_entry((head)->prev, type, member)
#define list_for_each(pos, head, member)                                                           \
	for (pos = list_entry((head)->next, typeof(*pos), member); &pos->member != (head);         \
	     pos = list_entry(pos->member.next, typeof(*pos), member))
#define list_for_each_safe(pos, tmp, head, member)                                                 \
	for (pos = list_entry((head)->next, typeof(*pos), member),                                 \
	    tmp = list_entry(pos->member.next, typeof(*pos), member);                              \
	     &pos->member != (head);                                                               \
	     pos = tmp, tmp = list_entry(tmp->member.next, typeof(*tmp), member))
