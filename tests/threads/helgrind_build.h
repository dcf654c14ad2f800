/*
 * For a build that helgrind looks at (-include): it takes C11 atomics for plain
 * accesses.  Here they say that they are none, and in which order a store and
 * the load that sees it stand; what they publish is then checked like the rest.
 */
#ifndef HELGRIND_BUILD_H
#define HELGRIND_BUILD_H

#include <pthread.h>
#include <stdatomic.h>
#include <valgrind/helgrind.h>

/* It does not know a join with a deadline, and saw races with threads that have ended. */
#define pthread_timedjoin_np(thread, result, until) ((void)(until), pthread_join(thread, result))

/* Nor does it know that what pthread_once() calls has ended before any of its callers goes on; a lock says so. */
static inline int helgrind_once(pthread_once_t *once, void (*call)(void))
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int result;

	pthread_mutex_lock(&lock);
	result = pthread_once(once, call);
	pthread_mutex_unlock(&lock);
	return result;
}
#define pthread_once(once, call) helgrind_once(once, call)

#define HG_STORE_(p, operation) \
	__extension__({ \
		__auto_type hg_p = (p); \
		VALGRIND_HG_DISABLE_CHECKING(hg_p, sizeof(*hg_p)); \
		ANNOTATE_HAPPENS_BEFORE(hg_p); \
		operation; \
	})
#define HG_LOAD_(p, operation) \
	__extension__({ \
		__auto_type hg_p = (p); \
		VALGRIND_HG_DISABLE_CHECKING(hg_p, sizeof(*hg_p)); \
		__auto_type hg_value = operation; \
		ANNOTATE_HAPPENS_AFTER(hg_p); \
		hg_value; \
	})
#define HG_BOTH_(p, operation) \
	__extension__({ \
		__auto_type hg_q = (p); \
		ANNOTATE_HAPPENS_BEFORE(hg_q); \
		HG_LOAD_(hg_q, operation); \
	})

#undef atomic_store_explicit
#define atomic_store_explicit(p, v, order) HG_STORE_(p, __atomic_store_n(hg_p, v, order))
#undef atomic_store
#define atomic_store(p, v) atomic_store_explicit(p, v, __ATOMIC_SEQ_CST)
#undef atomic_load_explicit
#define atomic_load_explicit(p, order) HG_LOAD_(p, __atomic_load_n(hg_p, order))
#undef atomic_load
#define atomic_load(p) atomic_load_explicit(p, __ATOMIC_SEQ_CST)
#undef atomic_fetch_add_explicit
#define atomic_fetch_add_explicit(p, v, order) HG_BOTH_(p, __atomic_fetch_add(hg_p, v, order))
#undef atomic_fetch_add
#define atomic_fetch_add(p, v) atomic_fetch_add_explicit(p, v, __ATOMIC_SEQ_CST)
#undef atomic_fetch_sub_explicit
#define atomic_fetch_sub_explicit(p, v, order) HG_BOTH_(p, __atomic_fetch_sub(hg_p, v, order))
#undef atomic_fetch_sub
#define atomic_fetch_sub(p, v) atomic_fetch_sub_explicit(p, v, __ATOMIC_SEQ_CST)
#undef atomic_fetch_or_explicit
#define atomic_fetch_or_explicit(p, v, order) HG_BOTH_(p, __atomic_fetch_or(hg_p, v, order))
#undef atomic_fetch_or
#define atomic_fetch_or(p, v) atomic_fetch_or_explicit(p, v, __ATOMIC_SEQ_CST)
#undef atomic_exchange_explicit
#define atomic_exchange_explicit(p, v, order) HG_BOTH_(p, __atomic_exchange_n(hg_p, v, order))
#undef atomic_exchange
#define atomic_exchange(p, v) atomic_exchange_explicit(p, v, __ATOMIC_SEQ_CST)

#endif
