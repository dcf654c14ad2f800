#include "parsers/window.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/hashmap.h"
#include "common/xalloc.h"
#include "parsers/rarity.h"

/* So many bits of rarity make up for twice as many literals that share a window. */
#define BITS_OF_DOUBLING 4

struct windows {
	struct hashmap *uses; /* from a window's bytes to how often it is met */
};

struct windows *windows_create(void)
{
	struct windows *windows = xcalloc(1, sizeof(*windows));

	windows->uses = hashmap_create();
	return windows;
}

void windows_destroy(struct windows *windows)
{
	hashmap_destroy(windows->uses);
	free(windows);
}

static uintptr_t uses_of(const struct windows *windows, struct slice window)
{
	return (uintptr_t)hashmap_get(windows->uses, window);
}

void windows_count(struct windows *windows, struct literal literal)
{
	for (size_t i = 0; i + WINDOW_BYTES <= literal.text.len; i++) {
		struct slice window = {literal.text.ptr + i, WINDOW_BYTES};
		uintptr_t uses = uses_of(windows, window) + 1;

		hashmap_put(windows->uses, window, (void *)uses);
	}
}

static int value_of(const struct windows *windows, struct slice window)
{
	int value = (int)rarity_bits(window);

	for (uintptr_t uses = uses_of(windows, window); uses > 1; uses /= 2)
		value -= BITS_OF_DOUBLING;
	return value;
}

struct slice windows_choose(const struct windows *windows, struct literal literal)
{
	struct slice best = literal.text;
	int best_value = INT32_MIN;

	for (size_t i = 0; i + WINDOW_BYTES <= literal.text.len; i++) {
		struct slice window = {literal.text.ptr + i, WINDOW_BYTES};
		int value = value_of(windows, window);

		if (value <= best_value)
			continue;
		best_value = value;
		best = window;
	}
	return best;
}
