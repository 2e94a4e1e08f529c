#include "agent/source/web/pages.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/http.h"
#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "agent/source/web/fetch.h"
#include "proto/hash.h"
#include "proto/memory.h"

#define HOME_ZONE  "Asia/Shanghai"
#define SILENT_MAX 2         /* unanswered requests in a row: the rest of the cycle is left out */
#define TOLD_MAX   5         /* failed pages that are logged in a cycle */
#define ROUND_MAX  (8 << 20) /* bytes of a cycle's pages; 2,000 working pipelines take 6 MiB */
#define KEPT_MAX   (2 << 20) /* bytes of pages that are kept for the next cycle; the others are parsed again */
#define PAGE_BYTES 512
#define MEMOS_MAX  20000 /* pages that are remembered from cycle to cycle */
#define LEFT_OUT   "the rest of this cycle is left out"

/* A page may be requested, report the end of the session, and be requested again after a login. */
#define REQUESTS_MAX 3

/* Kinds of pages on the way to a page, itself included: a page of each is read however late it is. */
#define KINDS_MAX 3

/* The state of a page from cycle to cycle. */
struct memo {
        UT_hash_handle hh;
        char *key;     /* ours */
        size_t had;    /* rows */
        unsigned seen; /* the cycle that used the page last */
        bool is_bad, is_logged;
        /* Of a kind of pages: */
        unsigned cycle;
        char *start, *next; /* ours: the first page of this cycle and the next; NULL: the list's first */
};

struct ob_pages {
        struct ob_pages_setting setting;
        struct ob_fetch *fetch; /* ours */
        struct ob_bytes body;   /* ours */
        unsigned cycle, n_silent, n_told;
        size_t bytes;                    /* of the cells of this cycle */
        struct ob_fetched_page *fetched; /* ours; of this cycle */
        struct ob_fetched_page *kept;    /* ours; of the last cycle: pages that were not fetched yet in this one */
        struct memo *memos;              /* ours */
        struct ob_zone *zone;            /* ours */
        bool is_auto, knows_skew;
        int64_t skew;
};

struct ob_pages *ob_pages_new(const struct ob_pages_setting *setting)
{
        const struct ob_page_settings *page = &setting->manager->page;
        struct ob_pages *p = ob_alloc(1, sizeof(*p));
        struct ob_err err;

        p->setting = *setting;
        p->fetch = ob_fetch_new(page, setting->stop);
        p->is_auto = !strcmp(page->zone, "auto");
        p->zone = ob_zone_load(p->is_auto ? HOME_ZONE : page->zone, &err);
        if (!p->zone)
                ob_log(OB_LOG_WARN, "source=%s event=no_zone err=\"%s\"", setting->name, err.text);
        return p;
}

static void free_fetched(struct ob_fetched_page *s)
{
        ob_page_rows_free(&s->rows);
        free(s->key);
        free(s->address);
        free(s->why);
        free(s);
}

/* Frees the memos that were not used since a cycle. */
static void forget_memos(struct ob_pages *p, unsigned since)
{
        struct memo *m, *next;

        HASH_ITER (hh, p->memos, m, next) {
                if (m->seen >= since)
                        continue;
                HASH_DEL(p->memos, m);
                free(m->key);
                free(m->start);
                free(m->next);
                free(m);
        }
}

void ob_pages_free(struct ob_pages *p)
{
        if (!p)
                return;
        OB_HASH_FREE_ALL(p->fetched, free_fetched);
        OB_HASH_FREE_ALL(p->kept, free_fetched);
        forget_memos(p, UINT_MAX);
        ob_fetch_free(p->fetch);
        ob_bytes_free(&p->body);
        ob_zone_free(p->zone);
        free(p);
}

/* Keeps pages with rows for the next cycle, up to KEPT_MAX bytes, and frees the others. */
static void keep_fetched(struct ob_pages *p)
{
        struct ob_fetched_page *s, *next;
        size_t bytes = 0;

        OB_HASH_FREE_ALL(p->kept, free_fetched);
        HASH_ITER (hh, p->fetched, s, next) {
                HASH_DEL(p->fetched, s);
                bytes += PAGE_BYTES + s->rows.bytes;
                if (s->why || bytes > KEPT_MAX)
                        free_fetched(s);
                else
                        HASH_ADD_KEYPTR(hh, p->kept, s->key, strlen(s->key), s);
        }
}

void ob_pages_begin(struct ob_pages *p)
{
        keep_fetched(p);
        if (HASH_COUNT(p->memos) > MEMOS_MAX) /* names that change with each cycle must not fill the memory */
                forget_memos(p, p->cycle);
        p->cycle++;
        p->n_silent = p->n_told = 0;
        p->bytes = 0;
}

int64_t ob_pages_longest(const struct ob_pages *p)
{
        const struct ob_page_settings *page = &p->setting.manager->page;
        int64_t one = REQUESTS_MAX * page->timeout + page->timeout; /* requests, and then parsing */

        return (page->budget + KINDS_MAX * one) * INT64_C(1000);
}

static struct memo *remember(struct ob_pages *p, const char *key)
{
        struct memo *m;

        HASH_FIND_STR(p->memos, key, m);
        if (!m) {
                m = ob_alloc(1, sizeof(*m));
                m->key = ob_copy(key);
                HASH_ADD_KEYPTR(hh, p->memos, m->key, strlen(m->key), m);
        }
        m->seen = p->cycle;
        return m;
}

const char *ob_pages_start(struct ob_pages *p, const struct ob_page *page)
{
        struct memo *m = remember(p, page->name);

        if (m->cycle != p->cycle) {
                free(m->start);
                m->start = ob_take(m->next);
                m->cycle = p->cycle;
        }
        return m->start;
}

void ob_pages_leave(struct ob_pages *p, const struct ob_page *page, const char *next)
{
        struct memo *m = remember(p, page->name);

        free(m->next);
        m->next = next ? ob_copy(next) : NULL;
}

static void count_error(struct ob_pages *p)
{
        if (p->setting.counters)
                p->setting.counters->errors++;
}

/* Logs a page when it fails first, but at most TOLD_MAX pages in a cycle. */
void ob_pages_tell_bad(struct ob_pages *p, const char *key, const char *event, const char *address, const char *why)
{
        ob_cleanup(ob_free_at) char *url = ob_http_url(p->setting.manager->page.url, address);
        struct memo *m = remember(p, key);

        count_error(p);
        if (p->setting.tell && !m->is_bad) {
                p->setting.tell(p->setting.ctx, key, why);
        } else if (!m->is_bad && p->n_told < TOLD_MAX) {
                p->n_told++;
                ob_log(OB_LOG_ERROR, "source=%s event=%s page=%s err=\"%s\" url=%s", p->setting.name, event, key,
                        why, url);
                if (p->n_told == TOLD_MAX)
                        ob_log(OB_LOG_ERROR,
                                "source=%s event=pages_not_logged why=\"further ones of this round are not logged\"",
                                p->setting.name);
                m->is_logged = true;
        }
        m->is_bad = true;
}

void ob_pages_tell_good(struct ob_pages *p, const char *key)
{
        struct memo *m;

        HASH_FIND_STR(p->memos, key, m);
        if (!m || !m->is_bad)
                return;
        if (ob_log_change(&m->is_logged, false))
                ob_log(OB_LOG_INFO, "source=%s event=page_recovered page=%s", p->setting.name, key);
        m->is_bad = false;
}

/* A list with rows that becomes empty may be correct, but may also be a failure: logged as a warning. */
static void count_rows(struct ob_pages *p, const struct ob_page *page, const struct ob_fetched_page *s)
{
        struct memo *m;

        if (!p->setting.counters)
                return;
        p->setting.counters->rows += (int64_t)s->rows.n;
        if (!ob_page_has_headers(page))
                return;
        m = remember(p, s->key);
        if (m->had && !s->rows.n) {
                count_error(p);
                ob_log(OB_LOG_WARN, "source=%s event=page_empty page=%s had=%zu", p->setting.name, s->key, m->had);
        }
        m->had = s->rows.n;
}

static char *make_key(const struct ob_page *page, const char *asked)
{
        return ob_format("%s%s%s", page->name, *asked ? ":" : "", asked);
}

static char *make_address(const struct ob_page *page, const char *asked)
{
        const char *at = strstr(page->address, "{}");

        if (!at)
                return ob_copy(page->address);
        return ob_format("%.*s%s%s", (int)(at - page->address), page->address, asked, at + 2);
}

static struct ob_fetched_page *find(struct ob_pages *p, const struct ob_page *page, const char *asked)
{
        ob_cleanup(ob_free_at) char *key = make_key(page, asked);
        struct ob_fetched_page *s;

        HASH_FIND_STR(p->fetched, key, s);
        return s;
}

static struct ob_fetched_page *add_fetched(struct ob_pages *p, const struct ob_page *page, const char *asked)
{
        struct ob_fetched_page *s = ob_alloc(1, sizeof(*s));

        s->key = make_key(page, asked);
        s->address = make_address(page, asked);
        HASH_ADD_KEYPTR(hh, p->fetched, s->key, strlen(s->key), s);
        return s;
}

static bool is_wanted(const struct ob_pages *p, const struct ob_page *page)
{
        for (size_t i = 0; i < p->setting.config->n_sources; i++)
                if (p->setting.config->sources[i].enabled && p->setting.config->sources[i].table &&
                        !strcmp(p->setting.config->sources[i].table, page->name))
                        return true;
        return false;
}

/* A page that was fetched; it may have several tables. */
struct answer {
        uint64_t body;      /* the fingerprint of its bytes */
        bool is_same;       /* the last cycle's rows of all its tables are kept, and are used again */
        struct ob_doc *doc; /* ours; NULL: is_same, or the page is not valid */
};

static struct ob_fetched_page *find_kept(struct ob_pages *p, const struct ob_page *page, const char *asked)
{
        ob_cleanup(ob_free_at) char *key = make_key(page, asked);
        struct ob_fetched_page *kept;

        HASH_FIND_STR(p->kept, key, kept);
        return kept;
}

/* Moves the rows of the last cycle to `rows`; NULL: only frees them. */
static void take_kept(struct ob_pages *p, const struct ob_page *page, const char *asked, struct ob_page_rows *rows)
{
        struct ob_fetched_page *kept = find_kept(p, page, asked);

        if (!kept)
                return;
        HASH_DEL(p->kept, kept);
        if (rows) {
                *rows = kept->rows;
                kept->rows = (struct ob_page_rows) { .n = 0 };
        }
        free_fetched(kept);
}

static bool is_kept(struct ob_pages *p, const struct ob_page *page, const char *asked, uint64_t body)
{
        const struct ob_fetched_page *kept = find_kept(p, page, asked);

        return kept && kept->body == body;
}

/* The next table, from index `*i` on, that has the address of `page` and is not `page`; NULL: there are no more. */
static const struct ob_page *next_other(const struct ob_pages *p, const struct ob_page *page, size_t *i)
{
        const struct ob_config *c = p->setting.config;

        while (*i < c->n_pages) {
                const struct ob_page *other = &c->pages[(*i)++];

                if (other != page && !strcmp(other->address, page->address) && is_wanted(p, other))
                        return other;
        }
        return NULL;
}

static bool are_all_kept(struct ob_pages *p, const struct ob_page *page, const char *asked, uint64_t body)
{
        const struct ob_page *other;
        size_t i = 0;

        if (!is_kept(p, page, asked, body))
                return false;
        while ((other = next_other(p, page, &i)))
                if (!find(p, other, asked) && !is_kept(p, other, asked, body))
                        return false;
        return true;
}

/* Reads a fetched page as one table. */
static void read_fetched(struct ob_pages *p, const struct ob_page *page, const char *asked,
        const struct answer *answer, struct ob_fetched_page *s)
{
        struct ob_err err;

        s->body = answer->body;
        take_kept(p, page, asked, answer->is_same ? &s->rows : NULL);
        if (answer->doc && ob_page_read(page, answer->doc, &p->setting.manager->page, &s->rows, &err)) {
                s->why = ob_copy(err.text);
                return;
        }
        if (p->bytes + PAGE_BYTES + s->rows.bytes <= ROUND_MAX) {
                p->bytes += PAGE_BYTES + s->rows.bytes;
                count_rows(p, page, s);
                return;
        }
        ob_page_rows_free(&s->rows);
        s->why = ob_format(
                "the pages of this round hold more than %d MiB: read fewer page sources, or see what answers "
                "at page.url",
                ROUND_MAX >> 20);
}

/* Logs a failure once for all sources of the page. A request that a stop ended is no failure. */
static void log_fetched(struct ob_pages *p, const struct ob_fetched_page *s)
{
        if (s->why && !(p->setting.stop && ob_stop_is_wanted(p->setting.stop)))
                ob_pages_tell_bad(p, s->key, "page_failed", s->address, s->why);
}

/* Reads the other tables of the page. */
static void read_others(struct ob_pages *p, const struct ob_page *page, const char *asked,
        const struct answer *answer, const struct ob_fetched_page *first)
{
        const struct ob_page *other;
        size_t i = 0;

        while ((other = next_other(p, page, &i))) {
                struct ob_fetched_page *s = find(p, other, asked);

                if (s)
                        continue;
                s = add_fetched(p, other, asked);
                s->now = first->now;
                if (answer->is_same || answer->doc)
                        read_fetched(p, other, asked, answer, s);
                else
                        s->why = ob_copy(first->why);
                if (!first->why)
                        log_fetched(p, s);
        }
}

/* NULL: the body is no valid page. The document borrows the terms. */
static struct ob_doc *parse(struct ob_pages *p, struct ob_terms *terms, const char *address, struct ob_err *err)
{
        struct ob_doc *doc;

        *terms = (struct ob_terms) {
                .stop = p->setting.stop,
                .deadline = ob_clock_ms() + p->setting.manager->page.timeout * INT64_C(1000),
                .pages = p->setting.config->pages,
                .n_pages = p->setting.config->n_pages,
        };
        doc = ob_doc_parse(p->body.data, p->body.length, terms, err);
        if (!doc)
                ob_fail_in(err, address);
        return doc;
}

static void fetch(struct ob_pages *p, const struct ob_page *page, const char *asked, struct ob_fetched_page *s)
{
        struct answer answer = { .is_same = false };
        struct ob_terms terms;
        struct ob_err err;
        enum ob_fetched got = ob_fetch_get(p->fetch, s->address, &p->body, &s->now, &err);

        p->n_silent = got == OB_FETCH_UNREACHED ? SILENT_MAX : got == OB_FETCH_SILENT ? p->n_silent + 1 : 0;
        if (got == OB_FETCHED) {
                answer.body = ob_bytes_fingerprint(0, p->body.data, p->body.length);
                answer.is_same = are_all_kept(p, page, asked, answer.body);
        }
        if (got == OB_FETCHED && !answer.is_same)
                answer.doc = parse(p, &terms, s->address, &err);
        ob_bytes_free(&p->body); /* a large body is not kept */
        if (answer.is_same || answer.doc)
                read_fetched(p, page, asked, &answer, s);
        else
                s->why = ob_format("%s%s", err.text, p->n_silent < SILENT_MAX ? "" : "; " LEFT_OUT);
        log_fetched(p, s);
        read_others(p, page, asked, &answer, s);
        ob_doc_free(answer.doc);
}

struct ob_fetched_page *ob_pages_get(struct ob_pages *p, const struct ob_page *page, const char *asked)
{
        struct ob_fetched_page *s = find(p, page, asked);

        if (!s && p->n_silent < SILENT_MAX) {
                s = add_fetched(p, page, asked);
                fetch(p, page, asked, s);
        }
        return s;
}

const struct ob_pages_setting *ob_pages_setting(const struct ob_pages *p)
{
        return &p->setting;
}

struct ob_cell_world ob_pages_world(const struct ob_pages *p, int64_t now)
{
        bool is_known = !p->is_auto || p->knows_skew;

        return (struct ob_cell_world) {
                .settings = &p->setting.manager->page,
                .zone = is_known ? p->zone : NULL,
                .skew = p->is_auto ? p->skew : 0,
                .now = now,
        };
}

const struct ob_zone *ob_pages_zone(const struct ob_pages *p)
{
        return p->zone;
}

bool ob_pages_is_auto(const struct ob_pages *p)
{
        return p->is_auto;
}

/* Logs a changed skew; with "auto" also the first one. */
void ob_pages_set_skew(struct ob_pages *p, int64_t seconds)
{
        bool is_news = p->knows_skew ? seconds != p->skew : seconds != 0 || p->is_auto;

        p->knows_skew = true;
        p->skew = seconds;
        if (!is_news)
                return;
        ob_log(seconds ? OB_LOG_WARN : OB_LOG_INFO, "source=%s event=zone_skew zone=%s seconds=%lld why=\"%s\"",
                p->setting.name, p->setting.manager->page.zone, (long long)seconds,
                p->is_auto ? "the pages' dates are so far from the tables', read as " HOME_ZONE
                             "; ages are corrected by it"
                           : "the pages' dates are so far from the tables': page.zone is not the manager's, or its "
                             "session with the database has another one");
}
