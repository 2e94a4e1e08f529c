#include "agent/ops/report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "proto/error.h"
#include "proto/memory.h"
#include "proto/text.h"
#include "proto/utf8.h"

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

void ob_report_add(struct ob_report *r, enum ob_grade grade, const char *what, const char *name, const char *fix,
        const char *format, ...)
{
        struct ob_err said, about;
        size_t room = 8 * strlen(fix) + 1; /* an escape has at most 8 bytes */
        ob_cleanup(ob_free_at) char *helps = ob_alloc(room, 1);
        struct ob_text shown = ob_text_over(helps, room - 1);
        va_list args;

        va_start(args, format);
        vsnprintf(said.text, sizeof(said.text), format, args);
        va_end(args);
        ob_fail(&about, "%s", name);
        ob_utf8_show_in(said.text, sizeof(said.text));
        ob_utf8_show(&shown, fix, SIZE_MAX);
        if (grade > r->worst)
                r->worst = grade;
        if (r->is_json)
                json_array_append_new(
                        r->findings, json_pack("{s:s, s:s, s:s, s:s, s:s}", "grade", words[grade].json, "what",
                                             what, "name", about.text, "said", said.text, "fix", helps));
        else
                printf("%s %s %s: %s%s%s\n", words[grade].line, what, about.text, said.text, *fix ? " -> " : "",
                        helps);
        fflush(stdout);
}
