/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DEFLATE decompression by tables.
 *
 * A code is looked up with as many bits as the first table has; longer codes (rare) lead to a second table. An entry says
 * at once what the symbol means: a literal, the base of a length or distance with its number of extra bits, or the end.
 *
 * Output goes to a buffer much larger than the window of 32 KiB. When it is full, its contents are delivered and the last
 * 32 KiB, which later matches may copy from, move to its start.
 *
 * The fast loop runs while at least IN_MARGIN input bytes and OUT_MARGIN output bytes are there, so it checks neither; the
 * careful loop does the rest. Input beyond its end reads as zeros and is counted; more than the bit buffer could hold
 * means that the stream was cut off.
 */
#include <lib/crc32.h>
#include <lib/errno.h>
#include <lib/inflate.h>
#include <lib/string.h>

#define WINDOW 32768u
#define BUFFER (8 * WINDOW)
#define MATCH_MAX 258u
#define IN_MARGIN 16
#define OUT_MARGIN (MATCH_MAX + 2 + 16)

#define LITERAL_BITS 11
#define DISTANCE_BITS 8
/* The most entries that any code can need with these first tables (enumerated by zlib's enough.c). */
#define LITERAL_ENTRIES 2342
#define DISTANCE_ENTRIES 402
#define LENGTH_CODE_BITS 7

/* Entry: bits to consume in 0-7, kind or extra bits in 8-15, value in 16-31. All zeros: no such code. */
#define KIND_LITERAL 0x80u
#define KIND_END 0x40u
#define KIND_TABLE 0x20u /* with the bits of the second table; value: its start */
#define EXTRA_MASK 0x1fu
#define ENTRY(bits, kind, value) ((u32)(bits) | (u32)(kind) << 8 | (u32)(value) << 16)

struct bit_buffer {
	u64 bits; /* of the input, lowest first */
	unsigned count;
};

struct inflate {
	const u8 *in, *in_end;
	struct bit_buffer unread;
	unsigned beyond;  /* zero bytes that were taken beyond the end of the input */
	size_t out;	  /* bytes in buffer */
	size_t delivered; /* of them */
	u64 total;
	u32 crc;
	inflate_output *output;
	void *arg;
	u32 literals[LITERAL_ENTRIES];
	u32 distances[DISTANCE_ENTRIES];
	u8 lengths[288 + 32];
	u8 buffer[BUFFER];
};

static const u16 length_base[29] = { 3,	 4,  5,	 6,   7,   8,	9,   10,  11, 13,
				     15, 17, 19, 23,  27,  31,	35,  43,  51, 59,
				     67, 83, 99, 115, 131, 163, 195, 227, 258 };
static const u8 length_extra[29] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
				     2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const u16 distance_base[30] = {
	1,   2,	  3,   4,   5,	 7,    9,    13,   17,	 25,   33,   49,   65,	  97,	 129,
	193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577
};
static const u8 distance_extra[30] = { 0, 0, 0, 0, 1, 1, 2, 2,	3,  3,	4,  4,	5,  5,	6,
				       6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };

size_t inflate_state_size(void)
{
	return sizeof(struct inflate);
}

static inline u64 load64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v)); /* both architectures are little-endian */
	return v;
}

/* Has at least 56 bits afterwards, at the end of the input zeros. */
static void refill(struct inflate *s)
{
	while (s->unread.count <= 56) {
		u64 byte = 0;

		if (s->in < s->in_end)
			byte = *s->in++;
		else
			s->beyond++;
		s->unread.bits |= byte << s->unread.count;
		s->unread.count += 8;
	}
}

static __always_inline u32 take(struct bit_buffer *unread, unsigned n)
{
	u32 value = (u32)(unread->bits & ((1ull << n) - 1));

	unread->bits >>= n;
	unread->count -= n;
	return value;
}

/* More was consumed than there is. */
static bool cut_off(const struct inflate *s)
{
	return s->beyond * 8 > s->unread.count;
}

static int deliver(struct inflate *s)
{
	const u8 *data = s->buffer + s->delivered;
	size_t size = s->out - s->delivered;
	int result = size ? s->output(s->arg, data, size) : 0;

	s->crc = crc32(s->crc, data, size);
	s->total += size;
	if (s->out > WINDOW) {
		memmove(s->buffer, s->buffer + s->out - WINDOW, WINDOW);
		s->out = WINDOW;
	}
	s->delivered = s->out;
	return result;
}

static u32 literal_entry(unsigned symbol)
{
	if (symbol < 256)
		return ENTRY(0, KIND_LITERAL, symbol);
	if (symbol == 256)
		return ENTRY(0, KIND_END, 0);
	return symbol < 286 ? ENTRY(0, length_extra[symbol - 257], length_base[symbol - 257]) : 0;
}

static u32 distance_entry(unsigned symbol)
{
	return symbol < 30 ? ENTRY(0, distance_extra[symbol], distance_base[symbol]) : 0;
}

static u32 plain_entry(unsigned symbol)
{
	return ENTRY(0, KIND_LITERAL, symbol);
}

static u32 reverse(u32 code, unsigned length)
{
	u32 r = 0;

	for (unsigned i = 0; i < length; i++)
		r |= (code >> i & 1) << (length - 1 - i);
	return r;
}

/* Symbols in the order of their codes. Returns how many have one; -EINVAL: more codes than there is room for. */
static int sort_symbols(const u8 *lengths, unsigned n, u16 *sorted, u16 counts[16], bool *complete)
{
	u16 offsets[16];
	s32 left = 1;

	memset(counts, 0, 16 * sizeof(counts[0]));
	for (unsigned i = 0; i < n; i++)
		counts[lengths[i]]++;
	counts[0] = 0;
	offsets[1] = 0;
	for (unsigned length = 1; length < 16; length++) {
		left = left * 2 - counts[length];
		if (left < 0)
			return -EINVAL;
		if (length < 15)
			offsets[length + 1] = offsets[length] + counts[length];
	}
	*complete = left == 0;
	for (unsigned i = 0; i < n; i++) {
		if (lengths[i])
			sorted[offsets[lengths[i]]++] = (u16)i;
	}
	return offsets[15];
}

/* The bits that the second table for codes of `length` and more needs. */
static unsigned second_table_bits(const u16 counts[16], unsigned length, unsigned bits, u32 used)
{
	unsigned n = length - bits;
	u32 room = counts[length] - used;

	while (room < (1u << n) && n + bits < 15) {
		n++;
		room = room * 2 + counts[n + bits];
	}
	return n;
}

/*
 * Builds the tables of a code from the lengths of its symbols. A code with one symbol of one bit may be incomplete (RFC 1951
 * allows that for distances), and so may an empty one.
 */
static int build_table(u32 *table, unsigned size, unsigned bits, const u8 *lengths, unsigned n,
		       u32 (*meaning)(unsigned))
{
	u16 sorted[288], counts[16];
	bool complete;
	int symbols = sort_symbols(lengths, n, sorted, counts, &complete);
	u32 code = 0, next = 1u << bits, prefix = UINT32_MAX, start = 0, in_length = 0;
	unsigned length = 1, table_bits = 0;

	if (symbols < 0 || (!complete && symbols > 1) || (symbols == 1 && !complete && !counts[1]))
		return -EINVAL;
	memset(table, 0, sizeof(*table) << bits);
	for (int i = 0; i < symbols; i++, code++, in_length++) {
		u32 entry = meaning(sorted[i]), reversed;

		while (in_length == counts[length]) {
			in_length = 0;
			length++;
			code <<= 1;
		}
		reversed = reverse(code, length);
		if (length <= bits) {
			entry = entry ? entry | length : 0;
			for (u32 at = reversed; at < 1u << bits; at += 1u << length)
				table[at] = entry;
			continue;
		}
		if ((reversed & ((1u << bits) - 1)) != prefix) {
			prefix = reversed & ((1u << bits) - 1);
			table_bits = second_table_bits(counts, length, bits, in_length);
			start = next;
			next += 1u << table_bits;
			if (next > size)
				return -EINVAL;
			memset(table + start, 0, sizeof(*table) << table_bits);
			table[prefix] = ENTRY(bits, KIND_TABLE | table_bits, start);
		}
		entry = entry ? entry | (length - bits) : 0;
		for (u32 at = reversed >> bits; at < 1u << table_bits; at += 1u << (length - bits))
			table[start + at] = entry;
	}
	return 0;
}

/* The entry of the next symbol, whose bits are consumed. 0: no such code. */
static __always_inline u32 next_symbol(struct bit_buffer *unread, const u32 *table, unsigned bits)
{
	u32 entry = table[unread->bits & ((1u << bits) - 1)];

	if (unlikely(entry >> 8 & KIND_TABLE) && !(entry >> 8 & (KIND_LITERAL | KIND_END))) {
		take(unread, bits);
		entry = table[(entry >> 16) +
			      (unread->bits & ((1u << (entry >> 8 & EXTRA_MASK)) - 1))];
	}
	take(unread, entry & 0xff);
	return entry;
}

static int copy_match_carefully(struct inflate *s, u32 distance, u32 length)
{
	if (distance > s->out)
		return -EINVAL;
	for (; length; length--, s->out++) {
		if (s->out == BUFFER) {
			int result = deliver(s);

			if (result)
				return result;
		}
		s->buffer[s->out] = s->buffer[s->out - distance];
	}
	return 0;
}

/* Copies a match when there is room to write up to 16 bytes too many. */
static inline u8 *copy_match(u8 *out, u32 distance, u32 length)
{
	const u8 *from = out - distance;
	u8 *end = out + length;

	if (likely(distance >= 8)) {
		do {
			memcpy(out, from, 8);
			out += 8;
			from += 8;
		} while (out < end);
	} else if (distance == 1) {
		memset(out, *from, length);
	} else {
		do
			*out++ = *from++;
		while (out < end);
	}
	return end;
}

static __always_inline const u8 *refill_whole(struct bit_buffer *unread, const u8 *in)
{
	unread->bits |= load64(in) << unread->count;
	in += (63 - unread->count) >> 3;
	unread->count |= 56;
	return in;
}

/* At most two, if they are in the first table. */
static __always_inline u8 *copy_literals(struct inflate *s, struct bit_buffer *unread, u8 *out)
{
	for (unsigned n = 0; n < 2; n++) {
		u32 entry = s->literals[unread->bits & ((1u << LITERAL_BITS) - 1)];

		if (!(entry & KIND_LITERAL << 8))
			break;
		take(unread, entry & 0xff);
		*out++ = (u8)(entry >> 16);
	}
	return out;
}

/* Returns 1 at the end of the block, 0 when a margin is reached, -EINVAL. */
static int decode_fast(struct inflate *s)
{
	const u8 *in = s->in, *in_last = s->in_end - IN_MARGIN;
	u8 *out = s->buffer + s->out, *out_last = s->buffer + BUFFER - OUT_MARGIN;
	struct bit_buffer unread = s->unread; /* in registers */
	int result = 0;

	while (in < in_last && out < out_last) {
		u32 entry, length, distance;

		in = refill_whole(&unread, in);
		out = copy_literals(s, &unread, out);
		if (unread.count < 48) /* of a whole match */
			continue;
		entry = next_symbol(&unread, s->literals, LITERAL_BITS);
		if (entry >> 8 & KIND_LITERAL) {
			*out++ = (u8)(entry >> 16);
			continue;
		}
		if (unlikely(entry >> 8 & KIND_END || !entry)) {
			result = entry ? 1 : -EINVAL;
			break;
		}
		length = (entry >> 16) + take(&unread, entry >> 8 & EXTRA_MASK);
		entry = next_symbol(&unread, s->distances, DISTANCE_BITS);
		distance = (entry >> 16) + take(&unread, entry >> 8 & EXTRA_MASK);
		if (unlikely(!entry || distance > (size_t)(out - s->buffer))) {
			result = -EINVAL;
			break;
		}
		out = copy_match(out, distance, length);
	}
	/* Whole bytes go back, so that the careful loop may refill as it likes. */
	s->in = in - (unread.count >> 3);
	s->unread.count = unread.count & 7;
	s->unread.bits = unread.bits & ((1u << s->unread.count) - 1);
	s->out = (size_t)(out - s->buffer);
	return result;
}

/* One symbol with all checks. Returns as decode_fast. */
static int decode_symbol(struct inflate *s)
{
	u32 entry, length, distance;
	int result;

	if (s->out == BUFFER) {
		result = deliver(s);
		if (result)
			return result;
	}
	refill(s);
	entry = next_symbol(&s->unread, s->literals, LITERAL_BITS);
	if (cut_off(s) || !entry)
		return -EINVAL;
	if (entry >> 8 & KIND_LITERAL) {
		s->buffer[s->out++] = (u8)(entry >> 16);
		return 0;
	}
	if (entry >> 8 & KIND_END)
		return 1;
	length = (entry >> 16) + take(&s->unread, entry >> 8 & EXTRA_MASK);
	refill(s);
	entry = next_symbol(&s->unread, s->distances, DISTANCE_BITS);
	if (!entry)
		return -EINVAL;
	distance = (entry >> 16) + take(&s->unread, entry >> 8 & EXTRA_MASK);
	return cut_off(s) ? -EINVAL : copy_match_carefully(s, distance, length);
}

static int decode_block(struct inflate *s)
{
	for (;;) {
		int result = 0;

		if (s->out >= BUFFER - OUT_MARGIN)
			result = deliver(s);
		if (!result && !s->beyond && s->in_end - s->in > IN_MARGIN)
			result = decode_fast(s);
		if (!result)
			result = decode_symbol(s);
		if (result)
			return result < 0 ? result : 0;
	}
}

/* Gives whole bytes of the bit buffer back to the input. */
static void align_to_byte(struct inflate *s)
{
	unsigned back;

	take(&s->unread, s->unread.count & 7);
	back = MIN(s->unread.count / 8, s->beyond);
	s->beyond -= back;
	s->unread.count -= back * 8;
	s->in -= s->unread.count / 8;
	s->unread.bits = 0;
	s->unread.count = 0;
}

static int stored_block(struct inflate *s)
{
	u32 size;

	align_to_byte(s);
	if (s->beyond || s->in_end - s->in < 4)
		return -EINVAL;
	size = s->in[0] | (u32)s->in[1] << 8;
	if ((size ^ 0xffff) != (s->in[2] | (u32)s->in[3] << 8))
		return -EINVAL;
	s->in += 4;
	if ((size_t)(s->in_end - s->in) < size)
		return -EINVAL;
	while (size) {
		u32 n = (u32)MIN((size_t)size, BUFFER - s->out);

		memcpy(s->buffer + s->out, s->in, n);
		s->out += n;
		s->in += n;
		size -= n;
		if (s->out == BUFFER) {
			int result = deliver(s);

			if (result)
				return result;
		}
	}
	return 0;
}

static int build_codes(struct inflate *s, unsigned literals, unsigned distances)
{
	if (!s->lengths[256])
		return -EINVAL;
	if (build_table(s->literals, LITERAL_ENTRIES, LITERAL_BITS, s->lengths, literals,
			literal_entry))
		return -EINVAL;
	return build_table(s->distances, DISTANCE_ENTRIES, DISTANCE_BITS, s->lengths + literals,
			   distances, distance_entry);
}

static int fixed_codes(struct inflate *s)
{
	for (unsigned i = 0; i < 288; i++)
		s->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	memset(s->lengths + 288, 5, 32);
	return build_codes(s, 288, 32);
}

/* RFC 1951, 3.2.7. */
static int dynamic_codes(struct inflate *s)
{
	static const u8 order[19] = { 16, 17, 18, 0, 8,	 7, 9,	6, 10, 5,
				      11, 4,  12, 3, 13, 2, 14, 1, 15 };
	unsigned literals, distances, codes, n = 0;
	u8 code_lengths[19] = {};
	u32 *table = s->distances; /* not in use yet */

	refill(s);
	literals = 257 + take(&s->unread, 5);
	distances = 1 + take(&s->unread, 5);
	codes = 4 + take(&s->unread, 4);
	if (literals > 286 || distances > 30)
		return -EINVAL;
	for (unsigned i = 0; i < codes; i++) {
		refill(s);
		code_lengths[order[i]] = (u8)take(&s->unread, 3);
	}
	if (build_table(table, DISTANCE_ENTRIES, LENGTH_CODE_BITS, code_lengths, 19, plain_entry))
		return -EINVAL;
	while (n < literals + distances) {
		u32 entry, symbol, repeat = 1;
		u8 value;

		refill(s);
		entry = next_symbol(&s->unread, table, LENGTH_CODE_BITS);
		symbol = entry >> 16;
		if (!entry || cut_off(s) || (symbol == 16 && !n))
			return -EINVAL;
		value = symbol < 16 ? (u8)symbol : symbol == 16 ? s->lengths[n - 1] : 0;
		if (symbol >= 16)
			repeat = symbol == 16	? 3 + take(&s->unread, 2)
				 : symbol == 17 ? 3 + take(&s->unread, 3)
						: 11 + take(&s->unread, 7);
		if (n + repeat > literals + distances)
			return -EINVAL;
		while (repeat--)
			s->lengths[n++] = value;
	}
	return build_codes(s, literals, distances);
}

static int inflate_blocks(struct inflate *s)
{
	bool last;
	int result;

	do {
		u32 type;

		refill(s);
		last = take(&s->unread, 1);
		type = take(&s->unread, 2);
		if (cut_off(s))
			return -EINVAL;
		if (type == 0) {
			result = stored_block(s);
		} else {
			result = type == 1   ? fixed_codes(s)
				 : type == 2 ? dynamic_codes(s)
					     : -EINVAL;
			if (!result)
				result = decode_block(s);
		}
	} while (!result && !last);
	align_to_byte(s);
	return result;
}

int inflate(struct inflate *s, const u8 *data, size_t size, size_t *used, inflate_output *output,
	    void *arg)
{
	int result, last;

	s->in = data;
	s->in_end = data + size;
	s->unread = (struct bit_buffer){};
	s->total = 0;
	s->beyond = s->crc = 0;
	s->out = s->delivered = 0;
	s->output = output;
	s->arg = arg;
	result = inflate_blocks(s);
	last = deliver(s);
	*used = (size_t)(s->in - data);
	return result ? result : last;
}

u32 inflate_crc(const struct inflate *s)
{
	return s->crc;
}

u64 inflate_length(const struct inflate *s)
{
	return s->total;
}
