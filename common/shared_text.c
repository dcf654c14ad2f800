#include "common/shared_text.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

struct shared {
	atomic_uint refs;
	char text[];
};

static struct shared *shared_of(const char *text)
{
	return (struct shared *)(void *)((char *)(uintptr_t)text -
					 offsetof(struct shared, text));
}

const char *shared_text_create(struct slice text)
{
	struct shared *shared = xmalloc(sizeof(*shared) + text.len + 1);

	atomic_init(&shared->refs, 1);
	if (text.len > 0)
		memcpy(shared->text, text.ptr, text.len);
	shared->text[text.len] = '\0';
	return shared->text;
}

const char *shared_text_ref(const char *text)
{
	atomic_fetch_add_explicit(&shared_of(text)->refs, 1, memory_order_relaxed);
	return text;
}

void shared_text_unref(const char *text)
{
	if (text && atomic_fetch_sub_explicit(&shared_of(text)->refs, 1,
					      memory_order_acq_rel) == 1)
		free(shared_of(text));
}
