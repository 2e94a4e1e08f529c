#include "config/zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/file.h"
#include "config/zone_rule.h"
#include "proto/memory.h"

#define FOLDER   "/usr/share/zoneinfo"
#define FILE_MAX 262144
#define DAY      86400

struct change {
        int64_t from;   /* seconds since 1970 */
        int32_t offset; /* seconds east of Greenwich */
};

struct ob_zone {
        struct change *changes; /* owned; in the order of time; the first one begins at INT64_MIN */
        size_t n;
        struct ob_zone_rule rule; /* holds from the last change on; when it is not set, the last offset stays */
};

/* The counts in the header of a block, and where the block is. */
struct block {
        char version;
        uint32_t utc_marks, standard_marks, leaps, times, types, letters;
        const unsigned char *at; /* behind the header */
        size_t size;             /* with the header */
};

static uint32_t read_32(const unsigned char *at)
{
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_64(const unsigned char *at)
{
        return (int64_t)((uint64_t)read_32(at) << 32 | read_32(at + 4));
}

/* `width` is the bytes of a time: 4 in the first block of a file, 8 in the second. */
static bool read_block(const unsigned char *at, size_t left, size_t width, struct block *b)
{
        if (left < 44 || memcmp(at, "TZif", 4) != 0)
                return false;
        *b = (struct block) {
                .version = (char)at[4],
                .utc_marks = read_32(at + 20),
                .standard_marks = read_32(at + 24),
                .leaps = read_32(at + 28),
                .times = read_32(at + 32),
                .types = read_32(at + 36),
                .letters = read_32(at + 40),
                .at = at + 44,
        };
        if ((b->utc_marks | b->standard_marks | b->leaps | b->times | b->types | b->letters) > FILE_MAX)
                return false;
        b->size = 44 + (size_t)b->times * (width + 1) + (size_t)b->types * 6 + b->letters +
                  (size_t)b->leaps * (width + 4) + b->standard_marks + b->utc_marks;
        return b->types && b->size <= left;
}

static int32_t offset_of(const struct block *b, size_t width, size_t type)
{
        return (int32_t)read_32(b->at + b->times * (width + 1) + type * 6);
}

static bool take_changes(struct ob_zone *z, const struct block *b)
{
        const unsigned char *types = b->at + (size_t)b->times * 8;

        z->changes = ob_alloc(b->times + 1, sizeof(*z->changes));
        z->changes[z->n++] = (struct change) { INT64_MIN, offset_of(b, 8, 0) };
        for (size_t i = 0; i < b->times; i++) {
                struct change c = { read_64(b->at + i * 8), 0 };

                if (types[i] >= b->types || (z->n > 1 && c.from <= z->changes[z->n - 1].from))
                        return false;
                c.offset = offset_of(b, 8, types[i]);
                z->changes[z->n++] = c;
        }
        for (size_t i = 0; i < z->n; i++)
                if (z->changes[i].offset <= -2 * DAY || z->changes[i].offset >= 2 * DAY)
                        return false;
        return true;
}

/* The line behind the second block, like "\nCET-1CEST,M3.5.0,M10.5.0/3\n". */
static bool take_rule(struct ob_zone *z, const unsigned char *at, const unsigned char *end)
{
        const unsigned char *newline =
                at < end && *at == '\n' ? memchr(at + 1, '\n', (size_t)(end - at) - 1) : NULL;
        char text[80];

        if (!newline || (size_t)(newline - at) > sizeof(text))
                return false;
        memcpy(text, at + 1, (size_t)(newline - at) - 1);
        text[newline - at - 1] = '\0';
        return !*text || ob_zone_rule_read(&z->rule, text);
}

struct ob_zone *ob_zone_read(const void *bytes, size_t length, struct ob_err *err)
{
        ob_cleanup(ob_zone_free_at) struct ob_zone *z = ob_alloc(1, sizeof(*z));
        const unsigned char *at = bytes;
        struct block first, second;

        if (!read_block(at, length, 4, &first) || first.version < '2' ||
                !read_block(at + first.size, length - first.size, 8, &second) || !take_changes(z, &second) ||
                !take_rule(z, at + first.size + second.size, at + length)) {
                ob_fail(err, "the file is not valid zoneinfo");
                return NULL;
        }
        return ob_take(z);
}

/* Whether a text can be the name of a zone, and not a path to a file outside the folder. */
static bool is_name(const char *name)
{
        if (!*name || *name == '/' || strstr(name, "..") || strlen(name) > 64)
                return false;
        return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-") == strlen(name);
}

struct ob_zone *ob_zone_load(const char *name, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = ob_format(FOLDER "/%s", name);
        ob_cleanup(ob_free_at) char *bytes = ob_alloc(FILE_MAX, 1);
        struct ob_zone *z = NULL;
        size_t n;
        FILE *f;

        f = is_name(name) ? ob_file_read(path, err) : NULL;
        if (!f) {
                ob_fail(err, "there is no time zone \"%s\" in " FOLDER, name);
                return NULL;
        }
        n = fread(bytes, 1, FILE_MAX, f);
        fclose(f);
        z = ob_zone_read(bytes, n, err);
        if (!z)
                ob_fail_in(err, path);
        return z;
}

void ob_zone_free(struct ob_zone *z)
{
        if (!z)
                return;
        free(z->changes);
        free(z);
}

void ob_zone_free_at(struct ob_zone **z)
{
        ob_zone_free(*z);
}

int64_t ob_zone_offset(const struct ob_zone *z, int64_t epoch)
{
        size_t low = 0, high = z->n;

        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;

                if (z->changes[middle].from <= epoch)
                        low = middle;
                else
                        high = middle;
        }
        if (low == z->n - 1 && z->rule.is_set)
                return ob_zone_rule_offset(&z->rule, epoch);
        return z->changes[low].offset;
}

int64_t ob_zone_epoch(const struct ob_zone *z, int64_t local, int64_t now)
{
        int64_t before = ob_zone_offset(z, local - DAY), after = ob_zone_offset(z, local + DAY);
        int64_t smaller = before < after ? before : after, larger = before < after ? after : before;
        int64_t late = local - smaller, early = local - larger;

        if (ob_zone_offset(z, late) == smaller && (late <= now || ob_zone_offset(z, early) != larger))
                return late;
        if (ob_zone_offset(z, early) == larger)
                return early;
        return local - before;
}
