#include "parsers/envelope.h"

#include "common/clock.h"
#include "parsers/envelope_json.h"
#include "parsers/zone.h"

const char *const envelope_names[ENVELOPES] = {"auto", "none", "docker", "cri"};

static const char *const stream_names[STREAMS] = {NULL, "stdout", "stderr"};

bool envelope_by_name(struct slice name, enum envelope *envelope)
{
	for (int i = 0; i < ENVELOPES; i++) {
		if (slice_is(name, envelope_names[i])) {
			*envelope = (enum envelope)i;
			return true;
		}
	}
	return false;
}

struct slice envelope_stream_name(enum envelope_stream stream)
{
	if (stream == STREAM_NONE)
		return (struct slice){NULL, 0};
	return slice_of(stream_names[stream]);
}

static enum envelope_stream stream_of(struct slice name)
{
	for (int i = STREAM_STDOUT; i < STREAMS; i++)
		if (slice_is(name, stream_names[i]))
			return (enum envelope_stream)i;
	return STREAM_NONE;
}

/* -- times: RFC 3339, which both write ------------------------------------ */

/* Takes `digits` digits and, unless it is 0, the character behind them. */
static bool take_number(struct slice *rest, size_t digits, char behind, int *number)
{
	size_t n = digits + (behind != '\0');

	if (rest->len < n || (behind && rest->ptr[digits] != behind))
		return false;
	*number = 0;
	for (size_t i = 0; i < digits; i++) {
		if (rest->ptr[i] < '0' || rest->ptr[i] > '9')
			return false;
		*number = *number * 10 + (rest->ptr[i] - '0');
	}
	rest->ptr += n;
	rest->len -= n;
	return true;
}

static bool take_fraction(struct slice *rest, int64_t *ns)
{
	int64_t unit_ns = NS_PER_SECOND / 10;
	size_t n = 1;

	*ns = 0;
	if (rest->len == 0 || rest->ptr[0] != '.')
		return true;
	for (; n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9'; n++) {
		*ns += (rest->ptr[n] - '0') * unit_ns;
		unit_ns /= 10;
	}
	rest->ptr += n;
	rest->len -= n;
	return n > 1;
}

static bool take_offset(struct slice *rest, int *seconds)
{
	int sign, hours, minutes;

	*seconds = 0;
	if (slice_is(*rest, "Z"))
		return true;
	if (rest->len != 6 || !memchr("+-", rest->ptr[0], 2))
		return false;
	sign = rest->ptr[0] == '-' ? -1 : 1;
	rest->ptr++;
	rest->len--;
	if (!take_number(rest, 2, ':', &hours) || !take_number(rest, 2, '\0', &minutes))
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

static bool parse_time(struct slice text, int64_t *ns)
{
	int year, month, day, hour, minute, second, offset;
	int64_t fraction_ns, seconds;

	if (!take_number(&text, 4, '-', &year) || !take_number(&text, 2, '-', &month) ||
	    !take_number(&text, 2, 'T', &day) || !take_number(&text, 2, ':', &hour) ||
	    !take_number(&text, 2, ':', &minute) ||
	    !take_number(&text, 2, '\0', &second) ||
	    !take_fraction(&text, &fraction_ns) || !take_offset(&text, &offset))
		return false;
	if (year < 1700 || year > 2250 || month < 1 || month > 12 || day < 1 ||
	    day > 31 || hour > 23 || minute > 59 || second > 60)
		return false;
	seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 +
		  minute * 60 + second - offset;
	*ns = seconds * NS_PER_SECOND + fraction_ns;
	return true;
}

/* -- docker --------------------------------------------------------------- */

struct docker_line {
	struct slice log, stream, time; /* as written; ptr NULL: not there */
};

static bool read_member(struct slice *rest, struct docker_line *line)
{
	struct slice key, *value = NULL;

	if (!json_take_raw(rest, &key) || !json_take(rest, ':'))
		return false;
	if (slice_is(key, "log"))
		value = &line->log;
	else if (slice_is(key, "stream"))
		value = &line->stream;
	else if (slice_is(key, "time"))
		value = &line->time;
	return value ? json_take_raw(rest, value) : json_pass_over(rest);
}

static bool read_docker(struct slice rest, struct docker_line *line)
{
	*line = (struct docker_line){{NULL, 0}, {NULL, 0}, {NULL, 0}};
	if (!json_take(&rest, '{'))
		return false;
	do {
		if (!read_member(&rest, line))
			return false;
	} while (json_take(&rest, ','));
	if (!json_take(&rest, '}'))
		return false;
	return json_at_end(&rest) && line->log.ptr != NULL;
}

/* Cuts the newline off what was appended after `before`; false: there is none. */
static bool cut_newline(struct strbuf *text, size_t before)
{
	if (text->len == before || text->ptr[text->len - 1] != '\n')
		return false;
	text->len--;
	if (text->len > before && text->ptr[text->len - 1] == '\r')
		text->len--;
	return true;
}

static bool open_docker(struct slice line, struct envelope_line *out,
			struct strbuf *text)
{
	struct docker_line parts;
	size_t before = text->len;

	if (!read_docker(line, &parts) ||
	    (parts.time.ptr && !parse_time(parts.time, &out->time_ns)) ||
	    !json_decode_raw(parts.log, text))
		return false;
	out->stream = stream_of(parts.stream);
	out->goes_on = !cut_newline(text, before);
	return true;
}

/* -- cri ------------------------------------------------------------------ */

/* What stands before the next space, which is taken too. */
static struct slice take_word(struct slice *rest)
{
	const char *space = memchr(rest->ptr, ' ', rest->len);
	struct slice word = {rest->ptr,
			     space ? (size_t)(space - rest->ptr) : rest->len};
	size_t n = word.len + (space != NULL);

	rest->ptr += n;
	rest->len -= n;
	return word;
}

static bool open_cri(struct slice line, struct envelope_line *out, struct strbuf *text)
{
	struct slice time = take_word(&line), stream = take_word(&line);
	struct slice tags = take_word(&line);

	if (!parse_time(time, &out->time_ns) || tags.len == 0 ||
	    !memchr("PF", tags.ptr[0], 2) || (tags.len > 1 && tags.ptr[1] != ':'))
		return false;
	out->stream = stream_of(stream);
	out->goes_on = tags.ptr[0] == 'P';
	if (!out->goes_on && line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	strbuf_add_slice(text, line);
	return out->stream != STREAM_NONE;
}

bool envelope_open(enum envelope envelope, struct slice line, struct envelope_line *out,
		   struct strbuf *text)
{
	size_t before = text->len;

	*out = (struct envelope_line){.time_ns = ENVELOPE_NO_TIME};
	if (envelope == ENVELOPE_DOCKER ? open_docker(line, out, text)
					: open_cri(line, out, text))
		return true;
	text->len = before;
	return false;
}

bool envelope_may_be_docker(struct slice beginning)
{
	struct slice key;

	return json_take(&beginning, '{') && json_take_raw(&beginning, &key) &&
	       slice_is(key, "log");
}

enum envelope envelope_of(struct slice line)
{
	struct strbuf unused = STRBUF_INIT;
	struct docker_line docker;
	struct envelope_line parts;
	enum envelope found = ENVELOPE_NONE;

	if (line.len > 0 && line.ptr[0] == '{') {
		if (read_docker(line, &docker) && docker.stream.ptr &&
		    docker.time.ptr && open_docker(line, &parts, &unused))
			found = ENVELOPE_DOCKER;
	} else if (open_cri(line, &parts, &unused)) {
		found = ENVELOPE_CRI;
	}
	strbuf_finish(&unused);
	return found;
}
