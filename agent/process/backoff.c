#include "agent/process/backoff.h"

#include <stdlib.h>
#include <sys/random.h>

#define FIRST_MS INT64_C(1000)
#define LAST_MS  INT64_C(60000)

static int64_t jittered(int64_t ms)
{
        uint32_t random = 0;

        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
                random = UINT32_MAX / 2;
        return ms * 4 / 5 + ms * 2 / 5 * random / UINT32_MAX;
}

int64_t ob_backoff_next(struct ob_backoff *b)
{
        b->wait_ms = b->wait_ms ? b->wait_ms * 2 : FIRST_MS;
        if (b->wait_ms > LAST_MS)
                b->wait_ms = LAST_MS;
        return jittered(b->wait_ms);
}

void ob_backoff_reset(struct ob_backoff *b)
{
        b->wait_ms = 0;
}
