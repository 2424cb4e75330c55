/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device interrupts: the handlers of each line, counts, and the bookkeeping around everything that
 * runs in interrupt context.
 *
 * Handlers of a line form a list that interrupts walk under RCU (masked interrupts are a reader
 * section), so an interrupt takes no lock. Entries come from a fixed pool: a machine has few lines,
 * and registering cannot fail half-way.
 */
#include <arch/frame.h>
#include <arch/trap.h>
#include <core/idle.h>
#include <core/irq.h>
#include <core/log.h>
#include <core/percpu.h>
#include <core/rcu.h>
#include <core/time.h>
#include <lib/errno.h>

#define ACTIONS_MAX 128

struct irq_action {
	struct irq_action *next;
	irq_handler *handler; /* null: free */
	void *arg;
	const char *name;
};

static struct spinlock irq_lock = SPINLOCK_INIT(RANK_IRQ_TABLE);
static struct irq_action actions[ACTIONS_MAX] __guarded_by(&irq_lock);
static struct irq_action *lines[IRQ_COUNT]; /* written under irq_lock, read under RCU */

/* Where an interrupt goes; written under irq_lock. */
static struct irq_place {
	u64 not_wanted; /* CPUs that shall not serve it */
	unsigned cpu;
	void (*send)(void *arg, const struct arch_msi *message);
	void *arg;
} places[IRQ_COUNT];

DEFINE_PER_CPU(u32, irq_counts)[IRQ_COUNT];
DEFINE_PER_CPU(u32, own_interrupts)[OWN_INTERRUPTS];
DEFINE_PER_CPU(const struct trap_frame *, irq_frame); /* of the outermost interrupt */
DEFINE_PER_CPU(u64, irq_start_ns);
DEFINE_PER_CPU(u64, irq_total_ns);

void irq_enter(const struct trap_frame *frame)
{
	struct thread_base *t = current_base();

	if (!in_interrupt()) {
		this_cpu(irq_frame) = frame;
		this_cpu(irq_start_ns) = clock_monotonic_ns();
		cpu_idle_exit();
	}
	t->preempt_count += PREEMPT_INTERRUPT;
}

void irq_exit(void)
{
	struct thread_base *t = current_base();

	if (t->preempt_count < 2 * PREEMPT_INTERRUPT) {
		this_cpu(irq_total_ns) += clock_monotonic_ns() - this_cpu(irq_start_ns);
		/* Whoever could have been preempted here reads nothing under RCU. */
		if (interrupted_preemptible())
			rcu_quiescent();
		log_wake_readers();
	}
	t->preempt_count -= PREEMPT_INTERRUPT;
}

bool interrupted_user_mode(void)
{
	return frame_from_user(this_cpu(irq_frame));
}

u64 irq_time_ns(unsigned cpu)
{
	return per_cpu(irq_total_ns, cpu);
}

void trap_irq(struct trap_frame *frame, unsigned irq)
{
	bool handled = false;

	irq_enter(frame);
	if (irq < IRQ_COUNT) {
		this_cpu(irq_counts)[irq]++;
		for (struct irq_action *a = rcu_dereference(lines[irq]); a;
		     a = rcu_dereference(a->next))
			handled |= a->handler(a->arg);
		/* A line without a handler, or that nobody admits to, would come again for ever. */
		if (!handled && !rcu_dereference(lines[irq])) {
			arch_irq_mask(irq);
			log_warning("irq %u: no handler, masked", irq);
		}
	}
	arch_irq_end(irq);
	irq_exit();
}

static struct irq_action *find_free_action(void) __must_hold(&irq_lock)
{
	for (unsigned i = 0; i < ACTIONS_MAX; i++)
		if (!actions[i].handler)
			return &actions[i];
	return nullptr;
}

int irq_register(unsigned irq, bool level, irq_handler *handler, void *arg, const char *name)
{
	struct irq_action *a;
	irqflags_t flags;

	if (irq >= IRQ_COUNT)
		return -EINVAL;
	flags = spin_lock_irqsave(&irq_lock);
	a = find_free_action();
	if (a) {
		*a = (struct irq_action){ lines[irq], handler, arg, name };
		rcu_assign(lines[irq], a);
		arch_irq_unmask(irq, level);
	}
	spin_unlock_irqrestore(&irq_lock, flags);
	return a ? 0 : -ENOMEM;
}

static struct irq_action *unlink_action(unsigned irq, irq_handler *handler, void *arg)
	__must_hold(&irq_lock)
{
	for (struct irq_action **link = &lines[irq]; *link; link = &(*link)->next) {
		struct irq_action *a = *link;

		if (a->handler != handler || a->arg != arg)
			continue;
		rcu_assign(*link, a->next);
		if (!lines[irq])
			arch_irq_mask(irq);
		return a;
	}
	return nullptr;
}

void irq_unregister(unsigned irq, irq_handler *handler, void *arg)
{
	irqflags_t flags = spin_lock_irqsave(&irq_lock);
	struct irq_action *a = unlink_action(irq, handler, arg);

	spin_unlock_irqrestore(&irq_lock, flags);
	if (!a)
		return;
	if (!irq_name(irq))
		irq_set_sender(irq, irq_target(irq), nullptr, nullptr);
	/* Afterwards no CPU runs the handler or looks at the entry. */
	rcu_synchronize();
	__atomic_store_n(&a->handler, nullptr, __ATOMIC_RELEASE);
}

void irq_set_sender(unsigned irq, unsigned cpu,
		    void (*send)(void *arg, const struct arch_msi *message), void *arg)
{
	irqflags_t flags = spin_lock_irqsave(&irq_lock);

	places[irq] = (struct irq_place){ .cpu = cpu, .send = send, .arg = arg };
	spin_unlock_irqrestore(&irq_lock, flags);
}

u64 irq_affinity(unsigned irq)
{
	return ~READ_ONCE(places[irq].not_wanted) & cpu_online_mask;
}

unsigned irq_target(unsigned irq)
{
	return READ_ONCE(places[irq].cpu);
}

static int route_locked(unsigned irq, unsigned cpu) __must_hold(&irq_lock)
{
	struct irq_place *place = &places[irq];
	struct arch_msi message;
	int r = arch_irq_route(irq, cpu, &message);

	if (r < 0 || (r && !place->send))
		return r < 0 ? r : -EIO;
	if (r)
		place->send(place->arg, &message);
	WRITE_ONCE(place->cpu, cpu);
	return 0;
}

int irq_set_affinity(unsigned irq, u64 mask)
{
	u64 online = mask & cpu_online_mask;
	int err = 0;

	if (irq >= IRQ_COUNT || !online)
		return -EINVAL;
	irqflags_t flags = spin_lock_irqsave(&irq_lock);

	if (!(online >> places[irq].cpu & 1))
		err = route_locked(irq, (unsigned)__builtin_ctzll(online));
	if (!err)
		WRITE_ONCE(places[irq].not_wanted, ~mask);
	spin_unlock_irqrestore(&irq_lock, flags);
	return err;
}

u64 irq_count(unsigned irq, unsigned cpu)
{
	return per_cpu(irq_counts, cpu)[irq];
}

const char *irq_name(unsigned irq)
{
	const char *name;

	rcu_read_lock();
	struct irq_action *a = rcu_dereference(lines[irq]);

	name = a ? a->name : nullptr;
	rcu_read_unlock();
	return name;
}
