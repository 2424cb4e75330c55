/* SPDX-License-Identifier: GPL-2.0-or-later */
/* printf-like formatting into a bounded buffer. */
#include <lib/format.h>
#include <lib/string.h>

/* Where the text goes; `length` counts what did not fit too. */
struct sink {
	char *buf;
	size_t size, length;
};

struct spec {
	bool left, plus, space, alternate, zero;
	int width, precision; /* -1: not given */
	unsigned size;	      /* bytes of an integer argument */
};

static void put(struct sink *out, char c)
{
	if (out->length < out->size)
		out->buf[out->length] = c;
	out->length++;
}

static void pad(struct sink *out, char c, int n)
{
	for (; n > 0; n--)
		put(out, c);
}

static void put_text(struct sink *out, const struct spec *sp, const char *s)
{
	size_t n;

	if (!s)
		s = "(null)";
	n = strnlen(s, sp->precision >= 0 ? (size_t)sp->precision : SIZE_MAX);
	if (!sp->left)
		pad(out, ' ', sp->width - (int)n);
	for (size_t i = 0; i < n; i++)
		put(out, s[i]);
	if (sp->left)
		pad(out, ' ', sp->width - (int)n);
}

static void put_number(struct sink *out, const struct spec *sp, u64 value, unsigned base,
		       bool upper, const char *sign)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	int n = 0, zeros, total;

	/* A constant divisor becomes a multiplication, which matters: %u is most of /proc. */
	for (; value; value = base == 10 ? value / 10 : base == 16 ? value >> 4 : value >> 3)
		text[n++] = digits[base == 10 ? value % 10 : value & (base - 1)];
	if (!n && sp->precision != 0)
		text[n++] = '0';
	zeros = sp->precision > n ? sp->precision - n : 0;
	if (base == 8 && sp->alternate && !zeros && (!n || text[n - 1] != '0'))
		zeros = 1;
	total = n + zeros + (int)strlen(sign);
	if (sp->zero && !sp->left && sp->precision < 0 && sp->width > total) {
		zeros += sp->width - total;
		total = sp->width;
	}
	if (!sp->left)
		pad(out, ' ', sp->width - total);
	while (*sign)
		put(out, *sign++);
	pad(out, '0', zeros);
	while (n)
		put(out, text[--n]);
	if (sp->left)
		pad(out, ' ', sp->width - total);
}

static int parse_count(const char **fmt, va_list *ap)
{
	int n = 0;

	if (**fmt == '*') {
		(*fmt)++;
		return va_arg(*ap, int);
	}
	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		n = n * 10 + (**fmt - '0');
	return n;
}

/* Parses what stands between '%' and the conversion character. */
static struct spec parse_spec(const char **fmt, va_list *ap)
{
	struct spec sp = { .precision = -1, .size = sizeof(int) };

	for (;; (*fmt)++) {
		switch (**fmt) {
		case '-':
			sp.left = true;
			continue;
		case '+':
			sp.plus = true;
			continue;
		case ' ':
			sp.space = true;
			continue;
		case '#':
			sp.alternate = true;
			continue;
		case '0':
			sp.zero = true;
			continue;
		}
		break;
	}
	sp.width = parse_count(fmt, ap);
	if (sp.width < 0) {
		sp.left = true;
		sp.width = -sp.width;
	}
	if (**fmt == '.') {
		(*fmt)++;
		sp.precision = parse_count(fmt, ap);
	}
	for (;; (*fmt)++) {
		switch (**fmt) {
		case 'h':
			sp.size /= 2;
			continue;
		case 'l':
		case 'z':
		case 't':
		case 'j':
			sp.size = sizeof(long);
			continue;
		}
		return sp;
	}
}

static u64 unsigned_argument(const struct spec *sp, va_list *ap)
{
	switch (sp->size) {
	case 1:
		return (u8)va_arg(*ap, unsigned);
	case 2:
		return (u16)va_arg(*ap, unsigned);
	case 4:
		return va_arg(*ap, unsigned);
	default:
		return va_arg(*ap, unsigned long);
	}
}

static s64 signed_argument(const struct spec *sp, va_list *ap)
{
	switch (sp->size) {
	case 1:
		return (s8)va_arg(*ap, int);
	case 2:
		return (s16)va_arg(*ap, int);
	case 4:
		return va_arg(*ap, int);
	default:
		return va_arg(*ap, long);
	}
}

static void put_signed(struct sink *out, const struct spec *sp, va_list *ap)
{
	s64 value = signed_argument(sp, ap);
	const char *sign = value < 0 ? "-" : sp->plus ? "+" : sp->space ? " " : "";

	put_number(out, sp, value < 0 ? 0 - (u64)value : (u64)value, 10, false, sign);
}

static void put_hex(struct sink *out, const struct spec *sp, va_list *ap, bool upper)
{
	u64 value = unsigned_argument(sp, ap);
	const char *prefix = !sp->alternate || !value ? "" : upper ? "0X" : "0x";

	put_number(out, sp, value, 16, upper, prefix);
}

static void put_pointer(struct sink *out, struct spec *sp, va_list *ap)
{
	sp->size = sizeof(void *);
	sp->precision = 16;
	put_number(out, sp, (u64)(uintptr_t)va_arg(*ap, void *), 16, false, "");
}

static void put_char(struct sink *out, const struct spec *sp, char c)
{
	if (!sp->left)
		pad(out, ' ', sp->width - 1);
	put(out, c);
	if (sp->left)
		pad(out, ' ', sp->width - 1);
}

static void put_conversion(struct sink *out, const char **fmt, va_list *ap)
{
	struct spec sp = parse_spec(fmt, ap);
	char c = **fmt;

	if (c)
		(*fmt)++;
	switch (c) {
	case 'd':
	case 'i':
		put_signed(out, &sp, ap);
		break;
	case 'u':
		put_number(out, &sp, unsigned_argument(&sp, ap), 10, false, "");
		break;
	case 'o':
		put_number(out, &sp, unsigned_argument(&sp, ap), 8, false, "");
		break;
	case 'x':
	case 'X':
		put_hex(out, &sp, ap, c == 'X');
		break;
	case 'p':
		put_pointer(out, &sp, ap);
		break;
	case 's':
		put_text(out, &sp, va_arg(*ap, const char *));
		break;
	case 'c':
		put_char(out, &sp, (char)va_arg(*ap, int));
		break;
	case '%':
		put(out, '%');
		break;
	default: /* not a conversion: shown as it stands, the compiler has warned */
		put(out, '%');
		if (c)
			put(out, c);
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct sink out = { buf, size, 0 };
	va_list ap;

	va_copy(ap, args);
	while (*fmt) {
		if (*fmt == '%') {
			fmt++;
			put_conversion(&out, &fmt, &ap);
		} else {
			put(&out, *fmt++);
		}
	}
	va_end(ap);
	if (size)
		buf[MIN(out.length, size - 1)] = 0;
	return (int)out.length;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return (size_t)n < size ? n : size ? (int)size - 1 : 0;
}
