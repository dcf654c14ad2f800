#include "parsers/format.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "parsers/json.h"
#include "parsers/logfmt.h"

struct format_fields {
	enum format format;
	const struct wanted *wanted;
	struct format_value *values; /* one a leaf */
	size_t capacity;
	size_t text_bytes;
	size_t malformed_at;
	struct strbuf decoded, key;
};

static bool read_json(struct format_fields *fields, struct slice text)
{
	return json_read(text, fields->wanted, fields->values, &fields->key,
			 &fields->malformed_at);
}

static bool read_logfmt(struct format_fields *fields, struct slice text)
{
	return logfmt_read(text, fields->wanted, fields->values, &fields->malformed_at);
}

static const struct {
	const char *name;
	bool nested;
	const char *implied_value;
	bool (*read)(struct format_fields *fields, struct slice text);
	size_t (*decode)(struct slice text, char *out);
} formats[FORMATS] = {
	[FORMAT_PLAIN] = {"plain"},
	[FORMAT_JSON] = {"json", true, NULL, read_json, json_decode},
	[FORMAT_LOGFMT] = {"logfmt", false, "true", read_logfmt, logfmt_decode},
};

const char *format_name(enum format format)
{
	return formats[format].name;
}

bool format_is_nested(enum format format)
{
	return formats[format].nested;
}

const char *format_implied_value(enum format format)
{
	return formats[format].implied_value;
}

struct format_fields *format_fields_create(void)
{
	struct format_fields *fields = xcalloc(1, sizeof(*fields));

	fields->decoded = fields->key = (struct strbuf)STRBUF_INIT;
	return fields;
}

void format_fields_destroy(struct format_fields *fields)
{
	if (!fields)
		return;
	free(fields->values);
	strbuf_finish(&fields->decoded);
	strbuf_finish(&fields->key);
	free(fields);
}

static void forget(struct format_fields *fields)
{
	memset(fields->values, 0,
	       wanted_leaf_count(fields->wanted) * sizeof(*fields->values));
}

bool format_read(struct format_fields *fields, enum format format,
		 const struct wanted *wanted, struct slice text)
{
	size_t leaves = wanted_leaf_count(wanted);

	if (fields->capacity < leaves || !fields->values) {
		fields->values = xreallocarray(fields->values, leaves + 1,
					       sizeof(*fields->values));
		fields->capacity = leaves;
	}
	fields->format = format;
	fields->wanted = wanted;
	fields->text_bytes = text.len;
	strbuf_clear(&fields->decoded);
	forget(fields);
	if (formats[format].read(fields, text))
		return true;
	forget(fields);
	return false;
}

size_t format_malformed_at(const struct format_fields *fields)
{
	return fields->malformed_at;
}

/* Values do not overlap and none becomes longer: the first makes room for all. */
static void decode(struct format_fields *fields, struct format_value *value)
{
	struct strbuf *out = &fields->decoded;
	char *text = strbuf_room(out, fields->text_bytes - out->len);
	size_t len = formats[fields->format].decode(value->text, text);

	out->len += len;
	out->ptr[out->len] = '\0';
	*value = (struct format_value){{text, len}, false};
}

struct slice format_field(struct format_fields *fields, size_t name)
{
	size_t count;
	const size_t *leaves = wanted_leaves(fields->wanted, name, &count);

	for (size_t i = 0; i < count; i++) {
		struct format_value *value = &fields->values[leaves[i]];

		if (!value->text.ptr)
			continue;
		if (value->has_escapes)
			decode(fields, value);
		return value->text;
	}
	return (struct slice){NULL, 0};
}
