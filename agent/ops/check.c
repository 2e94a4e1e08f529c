#include "agent/ops/check.h"

#include <stdint.h>
#include <string.h>

#include "agent/ops/check_parts.h"
#include "agent/ops/exit.h"
#include "agent/source/mysql/session.h"
#include "agent/source/reader.h"
#include "agent/source/web/pages.h"
#include "agent/source/web/zone.h"

/* A part of the error that a page gives, and what helps. */
static const struct {
        const char *says, *fix;
} fixes[] = {
        { "HTTP 302", "set page.user and its password, or use another page.url" },
        { "does not accept page.user", "set page.user and its password to those of a user of the manager" },
        { "HTTP 404", "set page.url to the address of the manager, without the name of a page" },
        { "onnect", "is the manager running, at page.url?" },
        { "imed out", "has the manager lost its ZooKeeper? then it does not answer; or make page.timeout longer" },
        { "not all pages", "the lines above say why; set page.words, if this manager uses other words" },
};

static const char *fix_for(const char *text)
{
        for (size_t i = 0; i < sizeof(fixes) / sizeof(*fixes); i++)
                if (strstr(text, fixes[i].says))
                        return fixes[i].fix;
        return "";
}

/* Reads every page once. */
static void check_page(struct ob_report *r, const struct ob_source *source, struct ob_reader *reader)
{
        struct ob_reading at;
        struct ob_rows rows;
        struct ob_err err;

        if (reader->ops->open(reader, &err) || reader->ops->read_clock(reader, &at, &err) ||
                reader->ops->read(reader, INT64_MIN, (unsigned)source->batch, &rows, &err)) {
                ob_report_add(r, OB_GRADE_BAD, "source", source->name, fix_for(err.text), "%s", err.text);
                return;
        }
        ob_fail(&err, "%s%zu rows read: %s", reader->is_partial ? "not all pages could be read; " : "", rows.n,
                reader->plan);
        if (reader->is_partial)
                ob_report_add(r, OB_GRADE_BAD, "source", source->name, fix_for(err.text), "%s", err.text);
        else
                ob_report_add(r, OB_GRADE_OK, "source", source->name, "", "%s", err.text);
}

static void check_zone(struct ob_report *r, const char *name, struct ob_pages *pages, struct ob_session *session)
{
        struct ob_zone_check zone = { .manager = "", .pages = pages, .session = session };
        struct ob_err err;
        int64_t skew;
        int got;

        ob_zone_check_init(&zone);
        got = ob_zone_check_measure(&zone, &skew, &err);
        if (got < 0)
                ob_report_add(r, OB_GRADE_BAD, "source", name, fix_for(err.text), "%s", err.text);
        else if (got)
                ob_report_add(r, OB_GRADE_OK, "source", name, "",
                        "no date on the Pipeline pages can be compared with THROUGHPUT_STAT yet");
        else
                ob_report_add(r, OB_GRADE_OK, "source", name, "",
                        "the dates on the Pipeline pages are %lld s from the times in THROUGHPUT_STAT",
                        (long long)skew);
        ob_zone_check_fini(&zone);
}

void ob_check_pages(
        struct ob_report *r, const struct ob_config *c, const struct ob_manager *m, struct ob_session_turns *turns)
{
        struct ob_source_counters counters = { .name = "page" };
        struct ob_pages *pages = ob_pages_new(&(struct ob_pages_setting) {
                .config = c, .manager = m, .name = "page", .counters = &counters, .is_patient = true });
        struct ob_session session;

        ob_session_init(&session, &m->mysql, NULL);
        ob_pages_begin(pages);
        session.turn.turns = turns;
        for (size_t i = 0; i < c->n_sources; i++) {
                const struct ob_source *s = &c->sources[i];

                if (s->enabled && s->kind == OB_SOURCE_PAGE) {
                        struct ob_reader *reader = ob_reader_page_new(s, pages);

                        check_page(r, s, reader);
                        ob_reader_free(reader);
                }
                if (s->enabled && s->kind == OB_SOURCE_ZONE)
                        check_zone(r, s->name, pages, &session);
        }
        ob_pages_free(pages);
        ob_session_fini(&session);
}

/* The server may count a session for a moment after we have closed it. So the sessions take turns here, too. */
static void check_manager(struct ob_report *r, const struct ob_config *c, const struct ob_manager *m)
{
        struct ob_session_turns turns;

        ob_session_turns_init(&turns, c, m);
        ob_check_database(r, c, m, &turns);
        ob_check_pages(r, c, m, &turns);
        ob_session_turns_fini(&turns);
}

int ob_check(const struct ob_config *c, bool is_json)
{
        struct ob_report r;

        ob_report_begin(&r, is_json);
        ob_check_machine(&r, c);
        for (size_t i = 0; i < c->n_managers; i++)
                check_manager(&r, c, &c->managers[i]);
        for (size_t i = 0; i < c->n_sinks; i++)
                ob_check_sink(&r, &c->sinks[i]);
        return ob_report_end(&r) == OB_GRADE_BAD ? EXIT_UNREACHED : EXIT_FINE;
}

int ob_check_config_failed(const char *file, const struct ob_err *err, bool is_json)
{
        struct ob_report r;

        if (!is_json)
                return EXIT_CONFIG; /* main has printed the error */
        ob_report_begin(&r, true);
        ob_report_add(&r, OB_GRADE_BAD, "config", file, "see the comments in the file that --init writes", "%s",
                err->text);
        ob_report_end(&r);
        return EXIT_CONFIG;
}
