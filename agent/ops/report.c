#include "agent/ops/report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/process/terminal.h"
#include "proto/memory.h"
#include "proto/utf8.h"

#define SHOWN_MAX 4000 /* bytes of a text; a server may say more */

static const struct {
        const char *line, *json, *colour;
} words[OB_GRADES] = {
        [OB_GRADE_OK] = { "ok  ", "ok", "" },
        [OB_GRADE_WARN] = { "warn", "warn", OB_TERMINAL_YELLOW },
        [OB_GRADE_BAD] = { "BAD ", "bad", OB_TERMINAL_RED },
};

void ob_report_begin(struct ob_report *r, bool is_json)
{
        *r = (struct ob_report) { .is_json = is_json,
                .has_colours = !is_json && ob_terminal_has_colours(STDOUT_FILENO),
                .findings = is_json ? json_array() : NULL };
}

/* The agent works in spite of warnings, so the summary counts warnings only when there is no problem. */
static void print_summary(const struct ob_report *r)
{
        unsigned bad = r->counts[OB_GRADE_BAD], warn = r->counts[OB_GRADE_WARN];

        if (bad)
                printf("%u problem%s%s%s\n", bad, bad == 1 ? "" : "s", r->first_fix ? ", first fix: " : "",
                        r->first_fix ? r->first_fix : "");
        else if (warn)
                printf("no problem found, %u warning%s\n", warn, warn == 1 ? "" : "s");
        else
                puts("no problem found");
}

enum ob_grade ob_report_end(struct ob_report *r)
{
        if (r->is_json) {
                json_t *top = json_pack("{s:s, s:o}", "worst", words[r->worst].json, "findings", r->findings);

                json_dumpf(top, stdout, JSON_INDENT(2));
                putchar('\n');
                json_decref(top);
        } else {
                print_summary(r);
        }
        free(r->first_fix);
        r->first_fix = NULL;
        r->findings = NULL;
        return r->worst;
}

void ob_report_add(struct ob_report *r, enum ob_grade grade, const char *what, const char *name, const char *fix,
        const char *format, ...)
{
        ob_cleanup(ob_free_at) char *helps = ob_utf8_show_copy(fix, SHOWN_MAX),
                                    *about = ob_utf8_show_copy(name, SHOWN_MAX), *text = NULL, *said;
        const char *colour = r->has_colours ? words[grade].colour : "";
        va_list args;

        va_start(args, format);
        if (vasprintf(&text, format, args) < 0)
                text = ob_copy("");
        va_end(args);
        said = ob_utf8_show_copy(text, SHOWN_MAX);
        if (grade > r->worst)
                r->worst = grade;
        r->counts[grade]++;
        if (grade == OB_GRADE_BAD && *fix && !r->first_fix)
                r->first_fix = ob_format("%s %s: %s", what, about, helps);
        if (r->is_json)
                json_array_append_new(
                        r->findings, json_pack("{s:s, s:s, s:s, s:s, s:s}", "grade", words[grade].json, "what",
                                             what, "name", about, "said", said, "fix", helps));
        else
                printf("%s%s%s %s %s: %s%s%s\n", colour, words[grade].line, *colour ? OB_TERMINAL_PLAIN : "", what,
                        about, said, *fix ? " -> " : "", helps);
        fflush(stdout);
}
