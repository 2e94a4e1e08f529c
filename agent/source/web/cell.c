#include "agent/source/web/cell.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/date.h"
#include "proto/number.h"

#define DIGITS_MAX          18 /* a number with so many digits fits 64 bits */
#define DURATION_DIGITS_MAX 12

/* Separators between groups of three digits in some countries: , . ' ’ and several blanks. */
static const char *const marks[] = { ",", ".", "'", " ", "\xe2\x80\x99", "\xc2\xa0", "\xe2\x80\xaf",
        "\xe2\x80\x89" };

/* Decimal marks. */
static const char *const points[] = { ".", ",", "\xd9\xab" };

static size_t begins_with(const char *text, const char *const *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!strncmp(text, words[i], strlen(words[i])))
                        return strlen(words[i]);
        return 0;
}

static size_t count_digits(const char *text)
{
        return strspn(text, "0123456789");
}

const char *ob_cell_word(const struct ob_page_settings *settings, const char *ours)
{
        for (unsigned i = 0; settings && i < settings->n_words; i++)
                if (!strcmp(settings->words[i].ours, ours))
                        return settings->words[i].theirs;
        return ours;
}

/* Copies digits without the separators of groups. Returns the end of the digits; NULL: no number. */
static const char *copy_whole(const char *text, char *out, size_t *length)
{
        size_t n = count_digits(text), mark;

        *length = 0;
        if (!n)
                return NULL;
        for (;;) {
                if (*length + n > DIGITS_MAX)
                        return NULL;
                memcpy(out + *length, text, n);
                *length += n;
                text += n;
                mark = begins_with(text, marks, sizeof(marks) / sizeof(*marks));
                if (!mark || n > 3 || count_digits(text + mark) != 3)
                        return text;
                text += mark;
                n = 3;
        }
}

static bool read_whole(const char *raw, int64_t *number)
{
        char digits[DIGITS_MAX + 1];
        bool is_negative = *raw == '-';
        size_t length;
        const char *end = copy_whole(raw + is_negative, digits, &length);

        if (!end || *end)
                return false;
        digits[length] = '\0';
        if (!ob_number_parse_int(digits, number))
                return false;
        *number = is_negative ? -*number : *number;
        return true;
}

/* Copies up to six decimals. False: the text is no decimal mark followed by digits. */
static bool copy_places(const char *text, char *out, size_t *length)
{
        size_t point = begins_with(text, points, sizeof(points) / sizeof(*points));
        size_t n = count_digits(text + point);

        if (!point || !n || text[point + n])
                return false;
        n = n > 6 ? 6 : n;
        out[(*length)++] = '.';
        memcpy(out + *length, text + point, n);
        *length += n;
        return true;
}

/* "1,234.5", "1234,5". A single "1.234" has decimals, "1,234" is a thousand, as in China. */
static bool read_number(const char *raw, char room[OB_CELL_MAX])
{
        bool is_negative = *raw == '-';
        const char *text = raw + is_negative, *end;
        size_t length = 0, n = count_digits(text);
        struct ob_metric_value value;

        room[0] = '-';
        room += is_negative;
        if (n && n <= DIGITS_MAX && text[n] == '.' && count_digits(text + n + 1) &&
                !text[n + 1 + count_digits(text + n + 1)]) {
                memcpy(room, text, n);
                length = n;
                end = text + n;
        } else {
                end = copy_whole(text, room, &length);
        }
        if (!end || (*end && !copy_places(end, room, &length)))
                return false;
        room[length] = '\0';
        return ob_number_parse(room, &value, NULL);
}

/* ".456" as milliseconds; nothing is 0. */
static bool read_places(const char **at, int64_t *ms)
{
        size_t point = begins_with(*at, points, sizeof(points) / sizeof(*points));
        size_t n = point ? count_digits(*at + point) : 0;

        if (point && (n < 1 || n > 3))
                return false;
        *ms = 0;
        for (size_t i = 0; i < 3; i++)
                *ms = *ms * 10 + (i < n ? (*at)[point + i] - '0' : 0);
        *at += point + n;
        return true;
}

static const struct {
        const char *word;
        int64_t ms;
} units[] = { { " h", 3600000 }, { " m", 60000 }, { " s", 1000 } };

/* Each unit at most once, in descending order. A number without a unit is milliseconds, such as a negative one. */
static bool read_duration(const char *raw, int64_t *ms)
{
        size_t unit = 0;

        if (read_whole(raw, ms))
                return true;
        for (*ms = 0; *raw; raw += *raw == ' ') {
                size_t n = count_digits(raw);
                char digits[DURATION_DIGITS_MAX + 1];
                int64_t whole, parts;

                if (!n || n > DURATION_DIGITS_MAX)
                        return false;
                memcpy(digits, raw, n);
                digits[n] = '\0';
                if (!ob_number_parse_int(digits, &whole))
                        return false;
                raw += n;
                if (!read_places(&raw, &parts))
                        return false;
                while (unit < 3 && strncmp(raw, units[unit].word, 2) != 0)
                        unit++;
                if (unit == 3 || (parts && unit != 2))
                        return false;
                *ms += whole * units[unit++].ms + parts;
                raw += 2;
                if (*raw && (*raw != ' ' || !raw[1]))
                        return false;
        }
        return unit > 0;
}

bool ob_cell_date(const char *text, int64_t *local)
{
        static const char form[] = "dddd-dd-dd dd:dd:dd";

        for (size_t i = 0; i < sizeof(form) - 1; i++)
                if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
                        return false;
        return !text[sizeof(form) - 1] && ob_date_parse(text, local) && *local >= 0;
}

static bool read_epoch(const struct ob_cell_world *w, const char *raw, int64_t *epoch)
{
        int64_t local;

        if (!ob_cell_date(raw, &local))
                return false;
        *epoch = ob_zone_epoch(w->zone, local, w->now + w->skew) - w->skew;
        return true;
}

static int64_t not_negative(int64_t n)
{
        return n < 0 ? 0 : n;
}

/* Converts each kind of cell to a number. False: the cell has no number. */
static bool read_kind(const struct ob_page_column *c, const struct ob_cell_world *w, const char *raw, int64_t *n)
{
        switch (c->cell) {
        case OB_CELL_WHOLE:
                return read_whole(raw, n);
        case OB_CELL_DURATION:
                return read_duration(raw, n);
        case OB_CELL_WORD:
                for (const struct ob_word *word = c->words; word && word->word; word++)
                        if (!strcmp(raw, ob_cell_word(w->settings, word->word))) {
                                *n = word->number;
                                return true;
                        }
                return false;
        case OB_CELL_DATE:
                return read_epoch(w, raw, n);
        case OB_CELL_AGE:
                if (!read_epoch(w, raw, n))
                        return false;
                *n = not_negative(w->now - *n);
                return true;
        case OB_CELL_LAG:
                if (!read_whole(raw, n))
                        return false;
                *n = not_negative(ob_number_minus(w->now * 1000, *n));
                return true;
        default:
                return false;
        }
}

/* "$node.description" */
static bool is_reference(const char *raw)
{
        static const char in_name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.!{}()";

        return raw[0] == '$' && (isalpha((unsigned char)raw[1]) || raw[1] == '!' || raw[1] == '{') &&
               !raw[1 + strspn(raw + 1, in_name)];
}

/* Cells without a value: a date without a zone, and the time of a source whose events have no time. */
static bool is_missing(const struct ob_page_column *c, const struct ob_cell_world *w, const char *raw)
{
        if (!raw || !*raw || is_reference(raw))
                return true;
        if (c->cell == OB_CELL_LAG)
                return !strcmp(raw, "0") || !strcmp(raw, "NaN");
        return (c->cell == OB_CELL_DATE || c->cell == OB_CELL_AGE) && !w->zone;
}

const char *ob_cell_read(const struct ob_page_column *column, const struct ob_cell_world *world, const char *raw,
        char room[OB_CELL_MAX])
{
        int64_t n;

        if (is_missing(column, world, raw))
                return NULL;
        if (column->cell == OB_CELL_TEXT)
                return raw;
        if (column->cell == OB_CELL_NUMBER)
                return read_number(raw, room) ? room : "?";
        if (!read_kind(column, world, raw, &n))
                return "?";
        snprintf(room, OB_CELL_MAX, "%" PRId64, n);
        return room;
}
