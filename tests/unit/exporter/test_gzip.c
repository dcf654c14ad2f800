#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/strbuf.h"
#include "exporter/gzip.h"

Test(gzip, is_used_where_it_is_accepted)
{
	static const struct {
		const char *header;
		bool accepted;
	} rows[] = {
		{NULL, false},
		{"", false},
		{"gzip", true},
		{"GZip", true},
		{"x-gzip", true},
		{"identity", false},
		{"deflate, br", false},
		{"deflate,gzip", true},
		{"gzip;q=0", false},
		{"gzip; q=0.000", false},
		{"gzip ; Q=0.001", true},
		{"gzip;q=1.0, *;q=0", true},
		{"*", true},
		{"*;q=0", false},
		{"*, gzip;q=0", false},
		{"gzip;q=0, *", false},
		{"gzipped", false},
		{", ,;,", false},
		{"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
		{"gzip;x=y;q=0", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(gzip_accepted(rows[i].header), rows[i].accepted, "%s",
			     rows[i].header);
}

/* Gives pieces of uneven length. */
struct source {
	const char *text;
	size_t len, at;
};

static size_t read_source(void *ctx, char *out, size_t size_bytes)
{
	struct source *source = ctx;
	size_t n = source->at % 977 + 1;

	if (n > size_bytes)
		n = size_bytes;
	if (n > source->len - source->at)
		n = source->len - source->at;
	memcpy(out, source->text + source->at, n);
	source->at += n;
	return n;
}

static struct strbuf compress_in(struct source *source, size_t piece_bytes)
{
	struct gzip *gzip = gzip_create(read_source, source);
	struct strbuf out = STRBUF_INIT;
	size_t n;

	while ((n = gzip_read(gzip, strbuf_room(&out, piece_bytes), piece_bytes)) > 0) {
		cr_assert_leq(n, piece_bytes);
		out.len += n;
	}
	cr_expect_eq(gzip_read(gzip, strbuf_room(&out, 1), 1), 0, "the end stays");
	gzip_destroy(gzip);
	return out;
}

static void expect_gunzips_to(const struct strbuf *file, const struct source *source)
{
	char *plain = malloc(source->len + 1);
	z_stream z = {.next_in = (Bytef *)file->ptr,
		      .avail_in = (uInt)file->len,
		      .next_out = (Bytef *)plain,
		      .avail_out = (uInt)source->len + 1};

	cr_assert_eq(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	cr_expect_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	cr_expect_eq(z.avail_in, 0, "nothing after the trailer");
	cr_expect_eq(z.total_out, source->len);
	cr_expect_eq(memcmp(plain, source->text, source->len), 0);
	inflateEnd(&z);
	free(plain);
}

Test(gzip, gives_the_same_text_back_however_it_is_read)
{
	static const size_t lengths[] = {0, 1, 1000, 300000};
	static const size_t pieces[] = {1, 7, 4096, 65536, 1000000};
	char *text = malloc(300000);

	for (size_t i = 0; i < 300000; i++)
		text[i] = (char)('a' + i * i % 23);
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < 5; j++) {
			struct source source = {.text = text, .len = lengths[i]};
			struct strbuf file = compress_in(&source, pieces[j]);

			expect_gunzips_to(&file, &source);
			strbuf_finish(&file);
		}
	}
	free(text);
}
