#include "agent/process/log_once.h"

#include "agent/process/clock.h"

#define EVERY_MS 60000

int64_t ob_log_once(struct ob_log_once *t, int64_t n)
{
        int64_t now = ob_clock_ms(), n_logged;

        t->unlogged += n;
        if (!t->unlogged || (t->logged_at && now - t->logged_at < EVERY_MS))
                return 0;
        n_logged = t->unlogged;
        t->unlogged = 0;
        t->logged_at = now;
        return n_logged;
}

bool ob_log_change(bool *was, bool is)
{
        bool is_changed = *was != is;

        *was = is;
        return is_changed;
}
