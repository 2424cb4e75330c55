/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and ending threads, the list of all threads. */
#include <arch/layout.h>
#include <core/log.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/vmap.h>
#include <sched/run_queue.h>

static struct spinlock list_lock = SPINLOCK_INIT(RANK_THREAD_LIST);
static struct list_head all_threads __guarded_by(&list_lock) = LIST_INIT(all_threads);

/* What the first frame of a thread needs, at the bottom of its stack until it runs. */
struct start_info {
	void (*entry)(void *);
	void *arg;
};

void thread_list_add(struct thread *t)
{
	irqflags_t flags = spin_lock_irqsave(&list_lock);

	list_add_tail(&all_threads, &t->all_node);
	spin_unlock_irqrestore(&list_lock, flags);
}

static void unlist_thread(struct thread *t)
{
	irqflags_t flags = spin_lock_irqsave(&list_lock);

	list_remove(&t->all_node);
	spin_unlock_irqrestore(&list_lock, flags);
}

void thread_for_each(void (*visit)(struct thread *thread, void *arg), void *arg)
{
	struct thread *t;
	irqflags_t flags = spin_lock_irqsave(&list_lock);

	list_for_each (t, &all_threads, all_node)
		visit(t, arg);
	spin_unlock_irqrestore(&list_lock, flags);
}

static void thread_main(void *argument)
{
	struct start_info start = *(struct start_info *)argument;

	thread_entered();
	start.entry(start.arg);
	thread_exit();
}

void thread_set_name(struct thread *thread, const char *name)
{
	(void)string_copy(thread->name, name, sizeof(thread->name));
}

int thread_init(struct thread *thread, const char *name, void (*entry)(void *), void *arg,
		void (*release)(struct thread *thread))
{
	struct start_info *start;

	thread->kstack = kstack_alloc();
	if (!thread->kstack)
		return -ENOMEM;
	start = thread->kstack;
	*start = (struct start_info){ entry, arg };
	thread->base.kstack_top = (char *)thread->kstack + KSTACK_SIZE;
	arch_thread_init(&thread->base.arch, thread->base.kstack_top, thread_main, start);
	thread_set_name(thread, name);
	thread->release = release;
	thread->state = THREAD_NEW;
	thread->affinity = ~0ull;
	thread->cpu = cpu_id(); /* a hint until thread_start */
	thread->start_ns = clock_monotonic_ns();
	list_init(&thread->rt_node);
	thread_list_add(thread);
	return 0;
}

static void free_stack(struct thread *t)
{
	arch_thread_destroy(&t->base.arch);
	kstack_free(t->kstack);
	t->kstack = nullptr;
}

void thread_destroy_unstarted(struct thread *thread)
{
	ASSERT(thread->state == THREAD_NEW);
	unlist_thread(thread);
	free_stack(thread);
}

static void release_after_grace(struct rcu_head *head)
{
	struct thread *t = container_of(head, struct thread, rcu);

	kfree(t->deadline);
	t->release(t);
}

void thread_reap(struct thread *t)
{
	free_stack(t);
	if (unlikely(t->deadline))
		deadline_thread_ends(t);
	rcu_call(&t->rcu, release_after_grace);
}

void thread_exit(void)
{
	struct thread *t = current_thread();

	unlist_thread(t);
	if (t->aspace)
		thread_use_aspace(nullptr);
	/* Preempted in between it would be taken for switched away from for good. */
	arch_irq_disable();
	t->state = THREAD_DEAD;
	schedule();
	panic("a dead thread runs");
}

static void kthread_release(struct thread *thread)
{
	kfree(thread);
}

int kthread_start(const char *name, void (*entry)(void *), void *arg)
{
	struct thread *t = kzalloc(sizeof(*t), 0);
	int r;

	if (!t)
		return -ENOMEM;
	r = thread_init(t, name, entry, arg, kthread_release);
	if (r) {
		kfree(t);
		return r;
	}
	thread_start(t);
	return 0;
}

/* --- the dump of all threads --- */

static const char *state_name(const struct thread *t)
{
	switch (t->state) {
	case THREAD_NEW:
		return "new";
	case THREAD_RUNNABLE:
		return t->on_cpu ? "running" : "runnable";
	case THREAD_SLEEPING:
		return t->sleep_mode == SLEEP_INTERRUPTIBLE ? "sleeping" : "blocked";
	default:
		return "dead";
	}
}

/* The lock may be gone by now, so that its owner is believed only if such a thread exists. */
static void dump_lock(const struct thread *t) __must_hold(&list_lock)
{
	const struct mutex *m = READ_ONCE(t->base.blocked_on);
	const struct rwsem *s = READ_ONCE(t->base.blocked_on_rwsem);
	const struct thread *owner;

	if (s)
		log_info("  waits for rwsem %p, state %#llx", (const void *)s,
			 (unsigned long long)READ_ONCE(s->state));
	if (!m)
		return;
	log_info("  waits for mutex %p", (const void *)m);
	list_for_each (owner, &all_threads, all_node)
		if ((uintptr_t)owner == (READ_ONCE(m->owner) & ~1ul))
			log_info("  held by %s %p", owner->name, (const void *)owner);
}

static void dump(struct thread *t) __must_hold(&list_lock)
{
	log_info("%-16s %p %s cpu %u%s, work %#llx", t->name, (void *)t, state_name(t), t->cpu,
		 t->user ? "" : " (kernel)", (unsigned long long)t->base.work);
	dump_lock(t);
	if (t->on_cpu && t != current_thread())
		return; /* runs elsewhere: its stack is in motion */
	if (t == current_thread())
		backtrace_print(nullptr);
	else if (t->state != THREAD_NEW)
		backtrace_print_thread(&t->base.arch);
}

void thread_dump_all(bool blocked_only)
{
	struct thread *t;
	irqflags_t flags = spin_lock_irqsave(&list_lock);

	list_for_each (t, &all_threads, all_node)
		if (!blocked_only || (READ_ONCE(t->state) == THREAD_SLEEPING &&
				      t->sleep_mode != SLEEP_INTERRUPTIBLE))
			dump(t);
	spin_unlock_irqrestore(&list_lock, flags);
}
