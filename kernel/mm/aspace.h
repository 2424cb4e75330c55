/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces: the user half of the virtual addresses of one or more processes.
 *
 * An aspace is an ordered set of mappings (struct vma), each a range with a protection, backed by
 * nothing (anonymous), a memory object, or device frames. Page tables are a cache of that set:
 * faults fill them, and they may be dropped. aspace.lock guards the set; faults take it shared.
 * Page table entries are atomic: a fault replaces the very entry it looked at or starts again, and
 * the rest, under the exclusive lock or object->mappings_lock, takes entries out (mm/pagetable.h).
 */
#pragma once

#include <arch/mmu.h>
#include <core/lock.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <lib/types.h>

struct derivation;
struct file;
struct handle;
struct memory_budget;
struct memory_object;
struct page;
struct vma;

#define VMA_READ 1u /* = PROT_READ, PROT_WRITE, PROT_EXEC */
#define VMA_WRITE 2u
#define VMA_EXEC 4u
#define VMA_PROT_MASK 7u
#define VMA_SHARED BIT(4)
#define VMA_GROWSDOWN BIT(5) /* grows on a fault below it, up to RLIMIT_STACK */
#define VMA_MAY_READ BIT(6)  /* what mprotect may add */
#define VMA_MAY_WRITE BIT(7)
#define VMA_MAY_EXEC BIT(8)
#define VMA_LOCKED BIT(9)    /* mlock */
#define VMA_DONTFORK BIT(10) /* madvise */
#define VMA_WIPEONFORK BIT(11)
#define VMA_NORESERVE BIT(12)
#define VMA_DEVICE BIT(13)  /* fixed frames without reference counts */
#define VMA_SPECIAL BIT(14) /* vdso and the like: no mremap, no merging */
#define VMA_DONTDUMP BIT(15)
#define VMA_STACK BIT(16)	  /* the initial stack, for /proc/pid/maps */
#define VMA_LOCK_ON_FAULT BIT(17) /* with VMA_LOCKED: nothing is populated (MLOCK_ONFAULT) */
#define VMA_POLICY_SHIFT 20	  /* mbind(2): MEMORY_POLICY_* of mm/policy.h */
#define VMA_POLICY_MASK (0xffull << VMA_POLICY_SHIFT)

struct vma {
	struct rb_node node;	      /* in aspace.vmas, by start */
	struct list_head object_node; /* in memory_object.mappings */
	struct aspace *aspace;
	vaddr_t start, end; /* page aligned */
	u64 gap;	    /* bytes free in front of it */
	u64 max_gap;	    /* augmentation: largest gap in front of a vma of this subtree */
	u64 flags;	    /* VMA_* */
	struct memory_object *object; /* holds a reference; null: anonymous private */
	u64 offset;		      /* of `start`, in bytes into the object */
	/* The derived handle it was mapped through; holds a reference. */
	struct derivation *derivation;
	struct list_head derivation_node; /* in derivation->mappings */
	struct file *file;		  /* for /proc/pid/maps; holds a reference; may be null */
	const char *name;		  /* "[vdso]"; static; may be null */
	paddr_t device;			  /* VMA_DEVICE: first frame */
	bool private_pages; /* holds or held anonymous pages: fork must copy its entries; atomic */
};

struct aspace {
	struct arch_mmu mmu;
	u32 refs;  /* of the structure and page tables */
	u32 users; /* processes; at 0 the mappings go */
	struct rwsem lock;
	struct rb_tree vmas;
	struct vma *last_found; /* by a fault: a guess for the next one */
	u64 default_flags;	/* VMA_LOCKED, VMA_LOCK_ON_FAULT after mlockall(MCL_FUTURE) */
	u64 cpus_active;	/* CPUs that have it loaded: for TLB shoot-down */
	vaddr_t mmap_base;
	vaddr_t brk_start, brk_end;
	vaddr_t stack_top; /* initial stack pointer region's end */
	vaddr_t arg_start, arg_end, env_start, env_end;
	vaddr_t code_start, code_end, data_start, data_end;
	vaddr_t vdso;
	u64 mapped_pages; /* sum of the mappings, for RLIMIT_AS and statm */
	u64 locked_pages;
	u64 data_pages; /* private writable */
	u64 stack_pages, exec_pages;
	u64 resident_anon, resident_file, resident_shared; /* pages in the page tables */
	u64 page_table_pages;
	u64 resident_peak, mapped_peak;
	u64 minor_faults, major_faults;
	u64 limit_as, limit_data, limit_stack,
		limit_memlock; /* bytes; copies of the rlimits, kept by proc/ */
	/* That private pages, page tables and mappings are charged to; holds a reference; may be null. */
	struct memory_budget *budget;
	/* Of obj/space.c: asked at accesses where nothing is mapped; may be null. */
	struct handle *pager;
	bool discharged;  /* atomic: nothing is charged for the structure and the root table */
	struct file *exe; /* the executable; holds a reference */
	u64 auxv[2 * 32]; /* for /proc/pid/auxv, ends with AT_NULL */
	u32 dumpable;	  /* prctl(PR_SET_DUMPABLE) */
	u32 membarrier;	  /* registrations of membarrier(2); atomic */
};

/* An empty address space with one reference and one user. -ENOMEM. May sleep. */
[[nodiscard]] int aspace_create(struct aspace **out);

/* A copy for fork: private pages shared copy-on-write, shared mappings shared. -ENOMEM leaves
 * nothing. May sleep. */
[[nodiscard]] int aspace_fork(struct aspace *parent, struct aspace **out);

/* Gives a new address space, with nothing mapped yet, a budget (null: none); takes a reference of its own. -ENOMEM: not even
 * the tables that it has fit. */
[[nodiscard]] int aspace_set_budget(struct aspace *as, struct memory_budget *budget);

void aspace_get(struct aspace *as);
void aspace_put(struct aspace *as);
void aspace_user_get(struct aspace *as);
/* The last one unmaps everything; drops no reference. May sleep. */
void aspace_user_put(struct aspace *as);

/* Unmaps everything while others may run in it, and ends its own charge. May sleep. */
void aspace_end(struct aspace *as);

struct map_request {
	vaddr_t address; /* a hint, or the place with MAP_FIXED */
	size_t length;
	u32 prot;      /* PROT_* */
	u32 flags;     /* MAP_* of <linux/mman.h> */
	u64 vma_flags; /* additional VMA_* */
	u64 may;       /* VMA_MAY_* that the file's rights allow; ignored for anonymous memory */
	struct memory_object *object; /* a reference is taken; null: anonymous */
	bool object_owned; /* set by file_ops.map: the request owns a reference, its maker drops it
			    */
	u64 offset;	   /* bytes */
	struct file *file; /* a reference is taken */
	struct derivation *derivation; /* borrowed; null unless mapped through a derived handle */
	const char *name;
	paddr_t device; /* with VMA_DEVICE */
};

/* Page faults of user memory since boot, on all CPUs. */
u64 fault_count(void);

/* Nothing is mapped below it: vm.mmap_min_addr. */
#define MMAP_MIN_ADDRESS 0x10000ul

/* mmap(2). Stores the address. -EINVAL, -ENOMEM, -EEXIST, -EPERM (below mmap_min_addr), -EAGAIN.
 * May sleep. */
[[nodiscard]] int aspace_map(struct aspace *as, const struct map_request *req, vaddr_t *out);
/* munmap(2), mprotect(2), mremap(2), brk(2), madvise(2), msync(2), mincore(2), mlock(2) and their
 * errors. May sleep. */
[[nodiscard]] int aspace_unmap(struct aspace *as, vaddr_t start, size_t length);
[[nodiscard]] int aspace_protect(struct aspace *as, vaddr_t start, size_t length, u32 prot);
[[nodiscard]] int aspace_remap(struct aspace *as, vaddr_t old, size_t old_size, size_t new_size,
			       u32 flags, vaddr_t new_address, vaddr_t *out);
/* Returns the break that is now in force, as the brk system call does. */
vaddr_t aspace_set_brk(struct aspace *as, vaddr_t brk);
[[nodiscard]] int aspace_advise(struct aspace *as, vaddr_t start, size_t length, int advice);
[[nodiscard]] int aspace_sync(struct aspace *as, vaddr_t start, size_t length, u32 flags);
[[nodiscard]] int aspace_mincore(struct aspace *as, vaddr_t start, size_t length, u8 *vec);
/* mlock2(2), munlock(2): `flags` is VMA_LOCKED, with VMA_LOCK_ON_FAULT or without, or 0. */
[[nodiscard]] int aspace_lock_range(struct aspace *as, vaddr_t start, size_t length, u64 flags);
/* mlockall(2): what is mapped, what will be (flags as above, 0: not). munlockall(2). */
[[nodiscard]] int aspace_lock_all(struct aspace *as, u64 present, u64 future);
/* Faults in the pages of [start, end). Takes as->lock itself. Returns 0 or the first error (as
 * aspace_fault). */
[[nodiscard]] int aspace_populate(struct aspace *as, vaddr_t start, vaddr_t end, bool write);
/* process_mrelease(2): drops the private pages of a process that dies. Takes as->lock. */
void aspace_reap(struct aspace *as);
[[nodiscard]] int aspace_unlock_all(struct aspace *as);

/*
 * Resolves a fault at `address` (FAULT_* of <arch/trap.h>). Returns 0 (retry the access), -EFAULT
 * (SEGV_MAPERR), -EACCES (SEGV_ACCERR), -ENXIO (SIGBUS, BUS_ADRERR), -ENOMEM, -EINTR (a fatal
 * signal is pending). May sleep.
 */
[[nodiscard]] int aspace_fault(struct aspace *as, vaddr_t address, u32 fault_flags);

/*
 * Access to an address space that need not be the current one: exec's arguments, ptrace,
 * /proc/pid/mem, process_vm_readv. `force` ignores the protection as ptrace does. Bytes copied, or
 * -EFAULT if none was. May sleep.
 */
[[nodiscard]] ssize_t aspace_read(struct aspace *as, vaddr_t from, void *to, size_t size,
				  bool force);
[[nodiscard]] ssize_t aspace_write(struct aspace *as, vaddr_t to, const void *from, size_t size,
				   bool force);

/*
 * The page behind a user address, faulted in, with a reference: futex keys, pinned I/O. For shared
 * mappings *object (with a reference) and *index tell the memory object; null for private ones.
 * -EFAULT. May sleep.
 */
[[nodiscard]] int aspace_pin_page(struct aspace *as, vaddr_t address, bool write,
				  struct page **page, struct memory_object **object, u64 *index);

/* Removes all mappings that were made through the derivation. May sleep. */
void aspace_unmap_derived(struct aspace *as, const struct derivation *derivation);

/* The mapping that contains `address`, or else the next one above; null if none. Needs as->lock,
 * shared or not. */
struct vma *aspace_find(struct aspace *as, vaddr_t address);
struct vma *vma_next(struct vma *vma);

/* Write protects the entries of [start, end) bytes of the object in all mappings: the next write
 * makes the page dirty. */
void aspace_clean_object(struct memory_object *object, u64 start, u64 end);

/*
 * Removes the page table entries of [start, end) bytes of the object in all mappings; with
 * `private_copies` also those of copies made by private mappings (truncate; not for holes). May
 * sleep. */
void aspace_unmap_object(struct memory_object *object, u64 start, u64 end, bool private_copies);

/* Loads an address space on this CPU (null: only the kernel's half). Interrupts masked. The
 * scheduler's hook. */
void aspace_activate(struct aspace *as);

/* Raises resident_peak to what is resident now: before pages leave, and before it is read. */
static inline void aspace_note_peak(struct aspace *as)
{
	u64 now = as->resident_anon + as->resident_file + as->resident_shared;

	if (now > as->resident_peak)
		as->resident_peak = now;
}

/* The current thread's address space; null in a kernel thread. */
struct aspace *current_aspace(void);

/* Random offsets for exec, page aligned; 0 with norandmaps or randomize_va_space=0. */
struct aspace_randomness {
	u64 stack, mmap, brk, pie;
};
void aspace_randomize(struct aspace_randomness *out);
/* kernel.randomize_va_space: 0 none, 1 all but the heap, 2 all. */
u32 aspace_randomize_level(void);
void aspace_set_randomize_level(u32 level);

/* Upward calls of mm, filled in by proc/ and obj/ at boot. */
struct mm_hooks {
	/* A user mode fault that aspace_fault refused: queue the signal to the current thread. */
	void (*fault_signal)(int signo, int code, vaddr_t address, u32 fault_flags);
	/* No memory for a user's demand: choose and kill a process; true if memory may come free.
	 */
	bool (*out_of_memory)(void);
	/* Frees up to this many cached objects (dentries) that can be made again; how many. In a kernel thread. */
	u64 (*shrink_caches)(u64 count);
	/* A mapping with a derivation was made (it takes its reference) and is about to go. */
	void (*vma_derived)(struct vma *vma);
	void (*vma_underived)(struct vma *vma);
	/* An access of user mode where nothing is mapped, in an address space with a pager: true if it may be tried again. */
	bool (*ask_pager)(struct aspace *as, vaddr_t address, u32 fault_flags);
	/* The address space ends: its pager goes. */
	void (*drop_pager)(struct aspace *as);
	/* References of vma.file. */
	void (*file_get)(struct file *file);
	void (*file_put)(struct file *file);
	/* A fatal signal is pending for the current thread: give up long operations. */
	bool (*fatal_signal_pending)(void);
	/* RLIMIT_MEMLOCK does not bind the current thread (CAP_IPC_LOCK). */
	bool (*locks_without_limit)(void);
	/* The current thread must not wait for dirty pages to be written: it writes them. */
	bool (*writes_for_disk)(void);
};
extern struct mm_hooks mm_hooks;

/* Boot, after vmap_init. */
void aspace_init(void);
