/* helper/lean/memory.c - memory for a process that ends in a moment. */

/*
 * In place of musl's malloc, which asks the kernel for pages and gives them back a dozen times in a
 * login; in a virtual machine each time costs as much as five system calls. Here the first few
 * pages are had in one call when the program starts, and what is freed stays until the end, unless
 * it was the last that was given. That nothing is given out twice also takes the point out of using
 * memory that was freed. What is large is the kernel's from the start, and goes back to it.
 */
#include <stdlib.h> /* which tells whose library this is */

#if !defined(__GLIBC__) || defined(ARENA_UNDER_TEST)

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT   ((size_t)16)
#define ARENA_SIZE  (512u << 10)
#define LARGE       (48u << 10)
#define TOUCHED     (108u << 10) /* of the arena, by most logins */
#define STACK_DEPTH (40u << 10)
#define PAGE        ((uintptr_t)4096)

/* Linux 5.14; the headers of musl 1.2.3 do not have them. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

struct block {
	alignas(ALIGNMENT) size_t size; /* of what follows, a multiple of ALIGNMENT */
};

static alignas(4096) char first_arena[ARENA_SIZE];
static char *arena = first_arena;
static size_t used, fresh_from; /* from fresh_from on the arena was never given out: it is zero */

static struct block *block_of(void *memory)
{
	return (struct block *)memory - 1;
}

static bool is_last(const struct block *block)
{
	return (const char *)(block + 1) + block->size == arena + used;
}

static void *map(size_t size)
{
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mapped == MAP_FAILED ? NULL : mapped;
}

/* A size that does not fit into a block is one that no machine has. */
static bool round_size(size_t *size)
{
	if (*size > PTRDIFF_MAX - ALIGNMENT - sizeof(struct block)) {
		errno = ENOMEM;
		return false;
	}
	*size = (*size + ALIGNMENT) & ~(ALIGNMENT - 1); /* at least one, also of nothing */
	return true;
}

static bool next_arena(void)
{
	char *next = map(ARENA_SIZE);

	if (!next)
		return false;
	arena = next;
	used = fresh_from = 0;
	return true;
}

/* *dirty: how many of the bytes may be anything; the others are zero. */
static void *take(size_t size, size_t *dirty)
{
	struct block *block;
	size_t begin;

	*dirty = 0;
	if (!round_size(&size))
		return NULL;
	if (size >= LARGE) {
		block = map(sizeof(*block) + size);
		if (!block)
			return NULL;
		block->size = size;
		return block + 1;
	}
	if (ARENA_SIZE - used < sizeof(*block) + size && !next_arena())
		return NULL;
	block = (struct block *)(arena + used);
	begin = used + sizeof(*block);
	block->size = size;
	used = begin + size;
	if (fresh_from > begin)
		*dirty = fresh_from - begin < size ? fresh_from - begin : size;
	if (used > fresh_from)
		fresh_from = used;
	return block + 1;
}

void *malloc(size_t size)
{
	size_t dirty;

	return take(size, &dirty);
}

void *calloc(size_t count, size_t size)
{
	size_t bytes, dirty;
	void *memory;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	memory = take(bytes, &dirty);
	if (memory)
		memset(memory, 0, dirty);
	return memory;
}

void free(void *memory)
{
	struct block *block;

	if (!memory)
		return;
	block = block_of(memory);
	if (block->size >= LARGE) {
		int error = errno; /* which free(3) leaves alone */

		(void)munmap(block, sizeof(*block) + block->size);
		errno = error;
	} else if (is_last(block)) {
		used = (size_t)((char *)block - arena);
	}
}

void *realloc(void *memory, size_t size)
{
	struct block *block;
	size_t dirty, had, used_before = used;
	void *grown;

	if (!memory)
		return malloc(size);
	block = block_of(memory);
	had = block->size;
	if (size < had)
		return memory;
	if (had < LARGE && is_last(block))
		used = (size_t)((char *)block - arena); /* it may just grow where it is */
	grown = take(size, &dirty);
	if (!grown)
		used = used_before;
	if (!grown || grown == memory)
		return grown;
	memcpy(grown, memory, had);
	if (had >= LARGE)
		free(memory);
	return grown;
}

/*
 * One page fault takes longer than to map all of these pages at once. All of it is advice: where it
 * cannot be had, the pages come one by one.
 */
__attribute__((constructor)) static void have_pages_ready(void)
{
	extern const char __ehdr_start[] __attribute__((visibility("hidden")));
	extern const char __init_array_end[] __attribute__((visibility("hidden")));
	const uintptr_t code = (uintptr_t)__ehdr_start & ~(PAGE - 1);
	const uintptr_t end = (uintptr_t)__init_array_end & ~(PAGE - 1);
	const uintptr_t stack = (uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1);

	/* NOLINTBEGIN(performance-no-int-to-ptr) */
	(void)madvise((void *)code, end - code, MADV_POPULATE_READ);
	(void)madvise(first_arena, TOUCHED, MADV_POPULATE_WRITE);
	(void)madvise((void *)(stack - STACK_DEPTH), STACK_DEPTH, MADV_POPULATE_WRITE);
	/* NOLINTEND(performance-no-int-to-ptr) */
}

#endif
