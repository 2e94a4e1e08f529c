#include "proto/dogstatsd.h"

#include <assert.h>
#include <string.h>

#include "proto/name.h"
#include "proto/utf8.h"

#define FIELDS_ROOM 8192
#define TEXT_MAX    4000 /* bytes: Datadog's limit, in characters */

const char *const ob_dog_alerts[OB_ALERTS] = {
        [OB_ALERT_INFO] = "info",
        [OB_ALERT_SUCCESS] = "success",
        [OB_ALERT_WARNING] = "warning",
        [OB_ALERT_ERROR] = "error",
};

/* False for bytes that would end a tag, the tags, or the line. */
static bool is_tag_char(char c)
{
        return (unsigned char)c >= ' ' && c != '|' && c != ',' && c != 0x7f;
}

/* Writes '_' for invalid UTF-8 and for bytes that would end the tag. */
static void add_word(struct ob_text *out, const char *word)
{
        while (*word) {
                size_t n = is_tag_char(*word) ? ob_utf8_length(word) : 0;

                ob_text_add(out, n ? word : "_", n ? n : 1);
                word += n ? n : 1;
        }
}

/* Adds the next tag after `|#` or a comma. */
static void add_tag(struct ob_text *out, const char **between, const char *key, const char *value)
{
        ob_text_add_string(out, *between);
        add_word(out, key);
        if (value) {
                ob_text_add_char(out, ':');
                add_word(out, value);
        }
        *between = ",";
}

static bool has_key(const struct ob_tag *tags, unsigned n, const char *key)
{
        for (unsigned i = 0; i < n; i++)
                if (*tags[i].value && !strcmp(tags[i].key, key))
                        return true;
        return false;
}

static void add_tags(
        struct ob_text *out, const char *between, const struct ob_dog *dog, const struct ob_tag *tags, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                if (*tags[i].value)
                        add_tag(out, &between, tags[i].key, tags[i].value);
        for (unsigned i = 0; i < dog->n_tags; i++)
                if (!has_key(tags, n, dog->tags[i].key))
                        add_tag(out, &between, dog->tags[i].key, dog->tags[i].value);
}

static void add_field(struct ob_text *out, const char *name, const char *value)
{
        if (!*value)
                return;
        ob_text_add_string(out, name);
        ob_text_add_string(out, value);
}

static const char *type_of(const struct ob_series *series)
{
        return series->kind == OB_COUNTER ? "|c" : "|g";
}

void ob_dog_metric(struct ob_text *out, const struct ob_dog *dog, const struct ob_metric *m)
{
        ob_name_bare(out, dog->prefix, m->series);
        ob_text_add_char(out, ':');
        ob_text_add_number(out, m->value);
        ob_text_add_string(out, type_of(m->series));
        add_tags(out, "|#", dog, m->series->tags, m->series->n_tags);
        add_field(out, "|c:", dog->origin);
        ob_text_add_char(out, '\n');
}

/* A newline separates the part before the value from the part after it: neither part has one. */
void ob_dog_path(struct ob_text *out, const struct ob_dog *dog, const struct ob_series *series)
{
        ob_name_bare(out, dog->prefix, series);
        ob_text_add_char(out, '\n');
        ob_text_add_string(out, type_of(series));
        add_tags(out, "|#", dog, series->tags, series->n_tags);
}

void ob_dog_stamped(struct ob_text *out, const struct ob_dog *dog, const char *path, size_t length,
        struct ob_metric_value value, int64_t time)
{
        const char *parting = memchr(path, '\n', length);

        assert(parting);
        ob_text_add(out, path, (size_t)(parting - path));
        ob_text_add_char(out, ':');
        ob_text_add_number(out, value);
        ob_text_add(out, parting + 1, (size_t)(path + length - parting - 1));
        ob_text_add_string(out, "|T");
        ob_text_add_int(out, time);
        add_field(out, "|c:", dog->origin);
        ob_text_add_char(out, '\n');
}

/* How characters that would end a text are written in it. */
struct escape {
        const char *plain, *written;
};

static const struct escape event_escapes[] = { { "\r\n", "\\n" }, { "\n", "\\n" }, { NULL } };
static const struct escape check_escapes[] = { { "\r\n", "\\n" }, { "\n", "\\n" }, { "|", "_" }, { "m:", "m\\:" },
        { NULL } };

/* Adds at most `most` bytes of a text, as far as there is room; cuts no character and no escape. */
static void add_escaped(struct ob_text *out, const char *text, size_t most, const struct escape *escapes)
{
        char room[8];

        for (size_t took = 0; text[took];) {
                struct ob_text piece = ob_text_over(room, sizeof(room));
                const struct escape *e = escapes;
                size_t n;

                while (e->plain && strncmp(text + took, e->plain, strlen(e->plain)) != 0)
                        e++;
                n = e->plain ? strlen(e->plain) : ob_utf8_length(text + took);
                if (e->plain)
                        ob_text_add_string(&piece, e->written);
                else
                        ob_utf8_add(&piece, text + took, n ? n : 1);
                took += n ? n : 1;
                if (took > most || piece.length > out->room - out->length)
                        return;
                ob_text_add(out, room, piece.length);
        }
}

static void add_time(struct ob_text *out, int64_t time)
{
        if (time < 1)
                return;
        ob_text_add_string(out, "|d:");
        ob_text_add_int(out, time);
}

/* Adds the fields after an event's text. */
static void add_event_fields(struct ob_text *out, const struct ob_dog *dog, const struct ob_event *e)
{
        add_time(out, e->time);
        add_field(out, "|k:", e->signature);
        add_field(out, "|t:", ob_dog_alerts[e->alert]);
        ob_text_add_string(out, "|#event:");
        add_word(out, e->kind);
        add_tags(out, ",", dog, e->tags, e->n_tags);
        add_field(out, "|c:", dog->origin);
        ob_text_add_char(out, '\n');
}

/* The room that is left for a text when `used` bytes of a line are taken, up to `most`. */
static size_t room_left(const struct ob_text *out, size_t used, size_t most)
{
        size_t room = out->room - out->length;

        room = room > used ? room - used : 0;
        return room < most ? room : most;
}

void ob_dog_event(struct ob_text *out, const struct ob_dog *dog, const struct ob_event *e)
{
        char title_room[2 * OB_EVENT_TITLE_MAX], text_room[2 * TEXT_MAX], fields_room[FIELDS_ROOM];
        struct ob_text title = ob_text_over(title_room, sizeof(title_room));
        struct ob_text fields = ob_text_over(fields_room, sizeof(fields_room)), text;

        if (!*e->title)
                return;
        add_event_fields(&fields, dog, e);
        add_escaped(&title, e->title, OB_EVENT_TITLE_MAX, event_escapes);
        text = ob_text_over(text_room,
                room_left(out, sizeof("_e{123,1234}:|") - 1 + title.length + fields.length, sizeof(text_room)));
        add_escaped(&text, e->text, TEXT_MAX, event_escapes);
        out->too_long |= fields.too_long;
        ob_text_add_string(out, "_e{");
        ob_text_add_int(out, (long long)title.length);
        ob_text_add_char(out, ',');
        ob_text_add_int(out, (long long)text.length);
        ob_text_add_string(out, "}:");
        ob_text_add(out, title.data, title.length);
        ob_text_add_char(out, '|');
        ob_text_add(out, text.data, text.length);
        ob_text_add(out, fields.data, fields.length);
}

void ob_dog_check(struct ob_text *out, const struct ob_dog *dog, const struct ob_event *e)
{
        const struct ob_series name = { .name = e->check };

        if (!*e->check)
                return;
        ob_text_add_string(out, "_sc|");
        ob_name_bare(out, dog->prefix, &name);
        ob_text_add_char(out, '|');
        ob_text_add_int(out, e->status);
        add_time(out, e->time);
        add_tags(out, "|#", dog, e->tags, e->n_tags);
        add_field(out, "|c:", dog->origin);
        if (*e->text && out->room - out->length > sizeof("|m:") && !out->too_long) {
                struct ob_text line = ob_text_over(out->data, out->room - 1); /* the newline's place */

                line.length = out->length;
                ob_text_add_string(&line, "|m:");
                add_escaped(&line, e->text, TEXT_MAX, check_escapes);
                out->length = line.length;
        }
        ob_text_add_char(out, '\n');
}
