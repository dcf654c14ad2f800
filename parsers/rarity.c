#include "parsers/rarity.h"

#include <stdint.h>

/*
 * What logs are full of counts as little, however long it is.  A text that is in
 * every second line is still better than none: 8 bits or more.
 */
static const struct {
	const char *word;
	unsigned bits;
} words[] = {
	{"INFO", 5},      {"info", 6},      {"DEBUG", 7},   {"debug", 7},
	{"WARN", 9},      {"ERROR", 9},     {"error", 9},   {"GET ", 6},
	{"POST ", 7},     {"HTTP/", 6},     {"http", 6},    {"status", 8},
	{"level", 6},     {"message", 6},   {"time", 6},    {"Mozilla/", 7},
	{" - ", 4},       {"msg=", 7},      {"user", 8},    {"200", 7},
	{"127.0.0.1", 8}, {"localhost", 8}, {"request", 8}, {"true", 8},
	{"false", 8},
};

/* In logs: spaces above all, digits, the letters of English, then the rest. */
static unsigned byte_bits(unsigned char c)
{
	if (c == ' ')
		return 3;
	if ((c >= '0' && c <= '9') || strchr("etaoinsr", c))
		return c ? 4 : 9;
	if ((c >= 'a' && c <= 'z') || strchr("-:./,\"=", c))
		return 5;
	if (c >= 'A' && c <= 'Z')
		return 6;
	return strchr("_()[]{}'", c) ? 6 : 8;
}

/* The word that stands at the beginning, or 0. */
static size_t word_bits(struct slice text, unsigned *bits)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].word[0] != text.ptr[0] ||
		    !slice_starts(text, words[i].word))
			continue;
		*bits = words[i].bits;
		return strlen(words[i].word);
	}
	return 0;
}

unsigned rarity_bits(struct slice text)
{
	unsigned total = 0;

	while (text.len > 0) {
		unsigned bits = byte_bits((unsigned char)text.ptr[0]);
		size_t len = word_bits(text, &bits);

		len = len > 0 ? len : 1;
		total += bits;
		text.ptr += len;
		text.len -= len;
	}
	return total;
}
