#include "tailer/rotation.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Most digits of a number: as many as Unix seconds have. */
#define NUMBER_DIGITS 10

static const struct {
	const char *suffix;
	enum rotation_content content;
} suffixes[] = {
	{".gz", ROTATION_ARCHIVE},
	{".zst", ROTATION_ARCHIVE},
	{".old", ROTATION_PLAIN},
	{"~", ROTATION_PLAIN},
	/* Not parts of a rotation: what they hold cannot be read. */
	{".xz", ROTATION_UNREADABLE},
	{".bz2", ROTATION_UNREADABLE},
	{".lz4", ROTATION_UNREADABLE},
	{".lzma", ROTATION_UNREADABLE},
	{".zip", ROTATION_UNREADABLE},
	{".Z", ROTATION_UNREADABLE},
};

/* Unix seconds after a `-`; after a `.` they are a number. */
#define EPOCH_LEAST_DIGITS 9
#define EPOCH_MOST_DIGITS 11

/* Of a stamp, with all that it may have. */
#define STAMP_MOST_BYTES 24

/* In a layout a letter stands for two digits, ? for one of "-_T". */
static const struct {
	char letter;
	int least, most;
} fields[] = {
	{'C', 19, 20}, /* the century */
	{'Y', 0, 99},  {'M', 1, 12}, {'D', 1, 31},
	{'h', 0, 23},  {'m', 0, 59}, {'s', 0, 60},
};

/*
 * A stamp is a date and a time of these.  A time that begins with - may itself
 * look like a stamp: rotation_base() then takes it off alone, and the date
 * remains.  So each date must be a stamp without a time, too.
 */
static const char *const dates[] = {
	"CYMD", "CYMDh", "CYMDhm", "CYMDhms", "CYM", "CY-M-D", "CY_M_D", "CY-M",
};

static const char *const times[] = {
	"", "?h", "?hm", "?hms", "?h-m", "?h-m-s", "?h_m", "?h_m_s", "?h:m", "?h:m:s",
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_digits(struct slice text, size_t least, size_t most)
{
	size_t n = 0;

	while (n < text.len && is_digit(text.ptr[n]))
		n++;
	return n == text.len && n >= least && n <= most;
}

/* Takes the two digits of a field off the front. */
static bool take_field(struct slice *text, size_t field)
{
	int value;

	if (text->len < 2 || !is_digit(text->ptr[0]) || !is_digit(text->ptr[1]))
		return false;
	value = (text->ptr[0] - '0') * 10 + (text->ptr[1] - '0');
	*text = (struct slice){text->ptr + 2, text->len - 2};
	return value >= fields[field].least && value <= fields[field].most;
}

static bool take_literal(struct slice *text, char wanted)
{
	struct slice any = wanted == '?' ? slice_of("-_T") : (struct slice){&wanted, 1};

	if (text->len == 0 || !memchr(any.ptr, *text->ptr, any.len))
		return false;
	*text = (struct slice){text->ptr + 1, text->len - 1};
	return true;
}

/* Takes what the layout describes off the front. */
static bool take_layout(struct slice *text, const char *layout)
{
	for (; *layout; layout++) {
		size_t i = 0;

		while (i < COUNT(fields) && fields[i].letter != *layout)
			i++;
		if (i < COUNT(fields) ? !take_field(text, i)
				      : !take_literal(text, *layout))
			return false;
	}
	return true;
}

static bool is_time(struct slice text)
{
	for (size_t i = 0; i < COUNT(times); i++) {
		struct slice rest = text;

		if (take_layout(&rest, times[i]) && rest.len == 0)
			return true;
	}
	return false;
}

static bool is_stamp(struct slice text)
{
	for (size_t i = 0; i < COUNT(dates); i++) {
		struct slice rest = text;

		if (take_layout(&rest, dates[i]) && is_time(rest))
			return true;
	}
	return false;
}

static bool is_part(char separator, struct slice text)
{
	if (separator == '.' && is_digits(text, 1, NUMBER_DIGITS))
		return true;
	if (separator == '-' && is_digits(text, EPOCH_LEAST_DIGITS, EPOCH_MOST_DIGITS))
		return true;
	return (separator == '.' || separator == '-') && is_stamp(text);
}

/* Names are neither empty nor "." nor "..". */
static bool is_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '.')
			return true;
	return false;
}

/* The length before the part; 0: there is none. */
static size_t before_number(struct slice name)
{
	if (name.len == 0 || !is_digit(name.ptr[name.len - 1]))
		return 0;
	for (size_t n = 1; n <= STAMP_MOST_BYTES && n < name.len; n++) {
		size_t at = name.len - n - 1;

		if (is_part(name.ptr[at], (struct slice){name.ptr + at + 1, n}))
			return at;
	}
	return 0;
}

/* The row of `suffixes` that the name ends in; their number: none. */
static size_t suffix_of(struct slice name)
{
	size_t i = 0;

	while (i < COUNT(suffixes) && !slice_ends(name, suffixes[i].suffix))
		i++;
	return i;
}

static size_t before_suffix(struct slice name, size_t row)
{
	return name.len - strlen(suffixes[row].suffix);
}

bool rotation_base(struct slice name, size_t *base_len)
{
	size_t row = suffix_of(name);
	struct slice base = {name.ptr, 0};

	if (row == COUNT(suffixes))
		base.len = before_number(name);
	else if (suffixes[row].content != ROTATION_UNREADABLE)
		base.len = before_suffix(name, row);
	if (!is_name(base))
		return false;
	*base_len = base.len;
	return true;
}

bool rotation_strip(struct slice *name)
{
	return rotation_base(*name, &name->len);
}

enum rotation_content rotation_content(struct slice name, size_t *base_len)
{
	size_t row = suffix_of(name);

	*base_len = name.len;
	if (row == COUNT(suffixes) || suffixes[row].content == ROTATION_PLAIN ||
	    !is_name((struct slice){name.ptr, before_suffix(name, row)}))
		return ROTATION_PLAIN;
	*base_len = before_suffix(name, row);
	return suffixes[row].content;
}
