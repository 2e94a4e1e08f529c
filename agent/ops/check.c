#include "agent/ops/check.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ops/check_parts.h"
#include "agent/ops/exit.h"
#include "agent/process/log.h"
#include "agent/source/mysql/session.h"
#include "agent/source/reader.h"
#include "agent/source/web/pages.h"
#include "agent/source/web/zone.h"
#include "proto/memory.h"

/* A part of the error that a page gives, and what helps. */
static const struct fix {
        const char *says, *fix;
        bool is_of_manager; /* all pages of the manager fail for this one cause */
} fixes[] = {
        { "HTTP 302", "set page.user and its password, or use another page.url", true },
        { "does not accept page.user", "set page.user and its password to those of a user of the manager", true },
        { "HTTP 404", "set page.url to the address of the manager, without the name of a page", true },
        { "onnect", "is the manager running, at page.url?", true },
        { "not resolve host", "is the host in page.url right? see /etc/resolv.conf and /etc/hosts", true },
        { "imed out", "has the manager lost its ZooKeeper? then it does not answer; or make page.timeout longer",
                true },
        { "layout has changed", "set page.words, if this manager uses other words" },
};
static const struct fix no_fix = { "", "" };

static const struct fix *fix_for(const char *text)
{
        for (size_t i = 0; i < sizeof(fixes) / sizeof(*fixes); i++)
                if (strstr(text, fixes[i].says))
                        return &fixes[i];
        return &no_fix;
}

/* Why pages of a manager cannot be read. Pages that fail in the same way have one cause. */
struct cause {
        const struct fix *fix;
        char *page, *why; /* ours: of the first of these pages */
        unsigned more;    /* further pages */
};

struct causes {
        struct cause *all; /* ours */
        size_t n, room;
};

/* The error without the address of the page, "channelList.htm?pageIndex=1: ". */
static const char *without_address(const char *why)
{
        const char *colon = strstr(why, ": ");

        return colon ? colon + 2 : why;
}

static void note_cause(void *ctx, const char *page, const char *why)
{
        struct causes *c = ctx;
        const struct fix *fix = fix_for(why);

        for (size_t i = 0; i < c->n; i++) {
                struct cause *known = &c->all[i];

                if (known->fix == fix &&
                        (fix->is_of_manager || !strcmp(without_address(known->why), without_address(why)))) {
                        known->more++;
                        return;
                }
        }
        c->all = ob_grow(c->all, &c->room, c->n, sizeof(*c->all));
        c->all[c->n++] = (struct cause) { .fix = fix, .page = ob_copy(page), .why = ob_copy(why) };
}

static void report_causes(struct ob_report *r, const struct ob_manager *m, struct causes *c)
{
        for (size_t i = 0; i < c->n; i++) {
                struct cause *cause = &c->all[i];
                bool is_of_manager = cause->fix->is_of_manager;
                ob_cleanup(ob_free_at) char *page = ob_format("%s%s%s", m->name, *m->name ? "/" : "", cause->page);
                ob_cleanup(ob_free_at) char *more =
                        cause->more && !is_of_manager
                                ? ob_format("; %u more pages fail in the same way", cause->more)
                                : ob_copy("");

                ob_report_add(r, OB_GRADE_BAD, is_of_manager ? "manager" : "page",
                        is_of_manager ? ob_check_name(m) : page, cause->fix->fix, "%s%s", cause->why, more);
                free(cause->page);
                free(cause->why);
        }
        free(c->all);
}

/* Reads every page of a source once. Causes of failed pages are reported later, once for all sources. */
static void check_page(
        struct ob_report *r, const struct ob_source *source, struct ob_reader *reader, const struct causes *causes)
{
        struct ob_reading at;
        struct ob_rows rows;
        struct ob_err err;

        if (reader->ops->open(reader, &err) || reader->ops->read_clock(reader, &at, &err) ||
                reader->ops->read(reader, INT64_MIN, (unsigned)source->batch, &rows, &err)) {
                if (!reader->is_logged || !causes->n)
                        ob_report_add(
                                r, OB_GRADE_BAD, "source", source->name, fix_for(err.text)->fix, "%s", err.text);
                return;
        }
        if (!reader->is_partial)
                ob_report_add(
                        r, OB_GRADE_OK, "source", source->name, "", "%zu rows read: %s", rows.n, reader->plan);
        else if (!causes->n)
                ob_report_add(r, OB_GRADE_BAD, "source", source->name, "", "not all pages could be read: %s",
                        reader->plan);
}

static void report_skew(struct ob_report *r, const char *name, const struct ob_manager *m, int64_t skew)
{
        bool is_wrong = skew && strcmp(m->page.zone, "auto") != 0;

        ob_report_add(r, is_wrong ? OB_GRADE_WARN : OB_GRADE_OK, "source", name,
                is_wrong ? "set page.zone to the time zone of the manager, or to \"auto\"" : "",
                "the dates on the Pipeline pages are %lld s from the times in THROUGHPUT_STAT", (long long)skew);
}

static void check_zone(struct ob_report *r, const char *name, const struct ob_manager *m, struct ob_pages *pages,
        struct ob_session *session)
{
        struct ob_zone_check zone = { .manager = "", .pages = pages, .session = session };
        struct ob_err err;
        int64_t skew;
        int got;

        ob_zone_check_init(&zone);
        got = ob_zone_check_measure(&zone, &skew, &err);
        if (!got)
                report_skew(r, name, m, skew);
        else if (got > 0)
                ob_report_add(r, OB_GRADE_OK, "source", name, "",
                        "no date on the Pipeline pages can be compared with THROUGHPUT_STAT yet");
        else if (!zone.is_logged)
                ob_report_add(r, OB_GRADE_BAD, "source", name, "", "%s", err.text);
        ob_zone_check_fini(&zone);
}

/* The time zone is checked only when the log-in to the manager's database succeeded. */
static void check_pages(struct ob_report *r, const struct ob_config *c, const struct ob_manager *m,
        struct ob_session_turns *turns, bool has_database)
{
        struct ob_source_counters counters = { .name = "page" };
        struct causes causes = { .n = 0 };
        struct ob_pages *pages = ob_pages_new(&(struct ob_pages_setting) { .config = c,
                .manager = m,
                .name = "page",
                .counters = &counters,
                .is_patient = true,
                .tell = note_cause,
                .ctx = &causes });
        struct ob_session session;

        ob_session_init(&session, &m->mysql, NULL);
        ob_pages_begin(pages);
        session.turn.turns = turns;
        for (size_t i = 0; i < c->n_sources; i++) {
                const struct ob_source *s = &c->sources[i];

                if (s->enabled && s->kind == OB_SOURCE_PAGE) {
                        struct ob_reader *reader = ob_reader_page_new(s, pages);

                        check_page(r, s, reader, &causes);
                        ob_reader_free(reader);
                }
                if (s->enabled && s->kind == OB_SOURCE_ZONE && has_database)
                        check_zone(r, s->name, m, pages, &session);
        }
        report_causes(r, m, &causes);
        ob_pages_free(pages);
        ob_session_fini(&session);
}

const char *ob_check_name(const struct ob_manager *m)
{
        return *m->name ? m->name : m->mysql.database;
}

/* The server may count a session for a moment after we have closed it. So the sessions take turns here, too. */
static void check_manager(struct ob_report *r, const struct ob_config *c, const struct ob_manager *m)
{
        struct ob_session_turns turns;

        ob_session_turns_init(&turns, c, m);
        check_pages(r, c, m, &turns, ob_check_database(r, c, m, &turns));
        ob_session_turns_fini(&turns);
}

int ob_check(const struct ob_config *c, bool is_json)
{
        struct ob_report r;

        ob_log_silence();
        ob_report_begin(&r, is_json);
        ob_check_machine(&r, c);
        for (size_t i = 0; i < c->n_managers; i++)
                check_manager(&r, c, &c->managers[i]);
        for (size_t i = 0; i < c->n_sinks; i++)
                ob_check_sink(&r, c, &c->sinks[i]);
        return ob_report_end(&r) == OB_GRADE_BAD ? EXIT_UNREACHED : EXIT_FINE;
}

int ob_check_config_failed(const char *file, const struct ob_err *err, bool is_json)
{
        bool is_missing = access(file, F_OK) && errno == ENOENT;
        struct ob_report r;

        ob_report_begin(&r, is_json);
        ob_report_add(&r, OB_GRADE_BAD, "config", "file",
                is_missing ? "`otterbeat --init` writes a config"
                           : "`man otterbeat.cfg` and otterbeat.cfg.example explain every setting",
                "%s", err->text);
        ob_report_end(&r);
        return EXIT_CONFIG;
}
