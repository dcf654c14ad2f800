#include "parsers/value.h"

#include <math.h>
#include <stdint.h>

#include "parsers/decimal.h"
#include "parsers/quantity.h"
#include "parsers/timestamp.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* -- numbers -------------------------------------------------------------- */

static bool is_word(struct slice text, const char *word)
{
	if (text.len != strlen(word))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((text.ptr[i] | 0x20) != word[i])
			return false;
	return true;
}

static bool parse_special(struct slice text, double *value)
{
	double sign = decimal_take_sign(&text) ? -1 : 1;

	if (is_word(text, "nan"))
		*value = copysign(NAN, sign);
	else if (is_word(text, "inf") || is_word(text, "infinity"))
		*value = copysign(INFINITY, sign);
	else
		return false;
	return true;
}

/* What logs mostly have: up to 15 digits, perhaps a point among them. */
static bool parse_plain(struct slice text, double *value)
{
	uint64_t mantissa = 0;
	size_t point = text.len, digits = 0;

	if (text.len > 16)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (is_digit(text.ptr[i])) {
			mantissa = mantissa * 10 + (uint64_t)(text.ptr[i] - '0');
			digits++;
		} else if (text.ptr[i] == '.' && point == text.len) {
			point = i;
		} else {
			return false;
		}
	}
	if (digits == 0 || digits > 15)
		return false;
	*value = point < text.len
			 ? (double)mantissa / decimal_power(text.len - point - 1)
			 : (double)mantissa;
	return true;
}

static bool parse_number(struct slice text, double *value)
{
	struct decimal d;

	if (parse_plain(text, value))
		return true;
	if (!decimal_read(text, &d))
		return parse_special(text, value);
	*value = decimal_value(&d);
	return true;
}

/* -- timestamps ----------------------------------------------------------- */

/* Seconds until year 5138; milli-, micro- and nanoseconds by their size. */
static bool parse_epoch(struct slice text, double *value)
{
	struct decimal d;
	double size;

	if (!decimal_read(text, &d))
		return false;
	size = fabs(decimal_value(&d));
	if (size >= 1e17)
		d.exponent -= 9;
	else if (size >= 1e14)
		d.exponent -= 6;
	else if (size >= 1e11)
		d.exponent -= 3;
	*value = decimal_value(&d);
	return isfinite(*value);
}

static bool parse_timestamp(struct slice text, double *value)
{
	int64_t ns;

	if (parse_epoch(text, value))
		return true;
	if (!timestamp_parse(NULL, text, 0, &ns))
		return false;
	*value = decimal_from_attos((__int128)ns * 1000000000);
	return true;
}

static const struct kind {
	const char *name;
	bool (*parse)(struct slice text, double *value);
} kinds[VALUE_KINDS] = {
	[VALUE_NUMBER] = {"number", parse_number},
	[VALUE_GROUPED] = {"grouped", grouped_parse},
	[VALUE_DURATION] = {"duration", duration_parse},
	[VALUE_BYTES] = {"bytes", bytes_parse},
	[VALUE_PERCENT] = {"percent", percent_parse},
	[VALUE_TIMESTAMP] = {"timestamp", parse_timestamp},
};

const char *value_as_name(enum value_as as)
{
	return kinds[as].name;
}

bool value_parse(enum value_as as, struct slice text, double *value)
{
	double parsed;

	if (!kinds[as].parse(text, &parsed))
		return false;
	*value = parsed;
	return true;
}
