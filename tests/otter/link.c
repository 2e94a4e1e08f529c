#include "tests/otter/link.h"

#include <inttypes.h>
#include <stdio.h>

#define PAUSE_SECONDS 0.2

static void tell(const struct fo_link *link, const char *event, const char *text)
{
        fprintf(stderr, "%s=%" PRId64 " event=%s%s\n", link->role, link->number, event, text);
}

static int set_session(struct fo_link *link)
{
        return fo_db_runf(&link->db,
                       "set session auto_increment_increment = %" PRId64 ", auto_increment_offset = %" PRId64,
                       link->masters, link->master ? link->master : link->number % link->masters + 1) ||
               fo_db_runf(&link->db, "set session transaction isolation level %s", link->isolation);
}

bool fo_link_is_ready(struct fo_link *link)
{
        if (link->open)
                return true;
        link->open = true; /* even a failed open wants its close */
        if (fo_db_open(&link->db, link->where, link->where->database) || set_session(link)) {
                fo_link_drop(link);
                return false;
        }
        if (link->told)
                tell(link, "connected", "");
        link->told = false;
        return true;
}

void fo_link_drop(struct fo_link *link)
{
        char text[sizeof(link->db.error) + 8];

        if (!link->told) {
                snprintf(text, sizeof(text), " err=\"%s\"", link->db.error);
                tell(link, "broken", text);
                link->breaks++;
        }
        link->told = true;
        fo_link_close(link);
        fo_stop_wait(link->stop, fo_clock_after(PAUSE_SECONDS));
}

void fo_link_close(struct fo_link *link)
{
        if (link->open)
                fo_db_close(&link->db);
        link->open = false;
}
