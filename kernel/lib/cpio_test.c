/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpio archives in pieces of every size, and damaged ones. */
#include <lib/cpio.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/test.h>

struct seen {
	char text[512];
	int used;
};

static int begin(void *arg, const struct cpio_entry *e)
{
	struct seen *s = arg;

	s->used += scnprintf(s->text + s->used, sizeof(s->text) - (size_t)s->used,
			     "%s %o %u:", e->name, e->mode, e->size);
	return 0;
}

static int data(void *arg, const u8 *bytes, size_t size)
{
	struct seen *s = arg;

	s->used += scnprintf(s->text + s->used, sizeof(s->text) - (size_t)s->used, "%.*s",
			     (int)size, (const char *)bytes);
	return 0;
}

static int end(void *arg)
{
	struct seen *s = arg;

	s->used += scnprintf(s->text + s->used, sizeof(s->text) - (size_t)s->used, ";");
	return 0;
}

static const struct cpio_ops ops = { begin, data, end };

static size_t add(char *to, const char *name, unsigned mode, const char *contents)
{
	size_t size = strlen(contents), n = 0;

	n += (size_t)scnprintf(to, 200,
			       "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1u,
			       mode, 0u, 0u, 1u, 0u, size, 0u, 0u, 0u, 0u, strlen(name) + 1, 0u);
	memcpy(to + n, name, strlen(name) + 1);
	n += strlen(name) + 1;
	while (n & 3)
		to[n++] = 0;
	memcpy(to + n, contents, size);
	n += size;
	while (n & 3)
		to[n++] = 0;
	return n;
}

static size_t make(char *to)
{
	size_t n = add(to, "a", 0100644, "hello");

	n += add(to + n, "directory", 040755, "");
	n += add(to + n, "name.to", 0100755, "1234");
	return n + add(to + n, "TRAILER!!!", 0, "");
}

#define EXPECTED "a 100644 5:hello;directory 40755 0:;name.to 100755 4:1234;"

TEST(cpio_reads_pieces_of_every_size)
{
	char archive[1024] = {};
	size_t size = make(archive);

	for (size_t piece = 1; piece <= size; piece++) {
		static struct cpio c;
		struct seen s = {};

		cpio_init(&c, &ops, &s);
		for (size_t at = 0; at < size;) {
			size_t n = MIN(piece, size - at);
			ssize_t used = cpio_feed(&c, (const u8 *)archive + at, n);

			REQUIRE(used > 0 && (size_t)used <= n);
			at += (size_t)used;
		}
		EXPECT(cpio_at_end(&c));
		EXPECT_STREQ(s.text, EXPECTED);
	}
}

TEST(cpio_stops_after_the_trailer)
{
	char archive[1024] = {};
	size_t size = make(archive);
	static struct cpio c;
	struct seen s = {};

	cpio_init(&c, &ops, &s);
	EXPECT_EQ(cpio_feed(&c, (const u8 *)archive, sizeof(archive)), (ssize_t)size);
}

TEST(cpio_knows_when_it_was_cut_off)
{
	char archive[1024] = {};
	size_t size = make(archive);

	for (size_t cut = 1; cut + 4 < size; cut++) {
		static struct cpio c;
		struct seen s = {};

		cpio_init(&c, &ops, &s);
		EXPECT_EQ(cpio_feed(&c, (const u8 *)archive, cut), (ssize_t)cut);
		EXPECT(!cpio_at_end(&c));
	}
}

TEST(cpio_survives_any_changed_byte)
{
	char archive[1024] = {};
	size_t size = make(archive);

	for (size_t at = 0; at < size; at++) {
		for (unsigned value = 0; value < 256; value += 5) {
			static struct cpio c;
			struct seen s = {};
			char old = archive[at];

			archive[at] = (char)value;
			cpio_init(&c, &ops, &s);
			for (size_t done = 0; done < size;) {
				ssize_t n = cpio_feed(&c, (const u8 *)archive + done, size - done);

				EXPECT(n > 0 || n == -EINVAL);
				if (n <= 0)
					break;
				done += (size_t)n;
			}
			archive[at] = old;
		}
	}
}

TEST(cpio_refuses_names_without_end)
{
	char archive[1024] = {};
	static struct cpio c;
	struct seen s = {};

	make(archive);
	archive[CPIO_HEADER_SIZE + 1] = 'x';
	cpio_init(&c, &ops, &s);
	EXPECT_EQ(cpio_feed(&c, (const u8 *)archive, 200), -EINVAL);
}
