#include "agent/ops/report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/text.h"
#include "proto/utf8.h"

#define SHOWN_MAX 4000 /* bytes of a text; a server may say more */

static const struct {
        const char *line, *json;
} words[OB_GRADES] = {
        [OB_GRADE_OK] = { "ok  ", "ok" },
        [OB_GRADE_WARN] = { "warn", "warn" },
        [OB_GRADE_BAD] = { "BAD ", "bad" },
};

void ob_report_begin(struct ob_report *r, bool is_json)
{
        *r = (struct ob_report) { .is_json = is_json, .findings = is_json ? json_array() : NULL };
}

enum ob_grade ob_report_end(struct ob_report *r)
{
        if (r->is_json) {
                json_t *top = json_pack("{s:s, s:o}", "worst", words[r->worst].json, "findings", r->findings);

                json_dumpf(top, stdout, JSON_INDENT(2));
                putchar('\n');
                json_decref(top);
        }
        r->findings = NULL;
        return r->worst;
}

/* The text as a terminal may have it, of a long one the beginning; the caller's to free. */
static char *show(const char *text)
{
        size_t length = strlen(text), most = length > SHOWN_MAX ? SHOWN_MAX : length;
        size_t room = 8 * most + sizeof("…"); /* an escape has at most 8 bytes */
        char *made = ob_alloc(room, 1);
        struct ob_text shown = ob_text_over(made, room - 1);

        ob_utf8_show(&shown, text, most);
        if (most < length)
                ob_text_add_string(&shown, "…");
        return made;
}

void ob_report_add(struct ob_report *r, enum ob_grade grade, const char *what, const char *name, const char *fix,
        const char *format, ...)
{
        ob_cleanup(ob_free_at) char *helps = show(fix), *about = show(name), *text = NULL, *said;
        va_list args;

        va_start(args, format);
        if (vasprintf(&text, format, args) < 0)
                text = ob_copy("");
        va_end(args);
        said = show(text);
        if (grade > r->worst)
                r->worst = grade;
        if (r->is_json)
                json_array_append_new(
                        r->findings, json_pack("{s:s, s:s, s:s, s:s, s:s}", "grade", words[grade].json, "what",
                                             what, "name", about, "said", said, "fix", helps));
        else
                printf("%s %s %s: %s%s%s\n", words[grade].line, what, about, said, *fix ? " -> " : "", helps);
        fflush(stdout);
}
