#include "proto/pipeline_state.h"

static const struct {
        const char *word;
        enum ob_check check;
} states[OB_STATES] = {
        [OB_STATE_OK] = { "ok", OB_CHECK_OK },
        [OB_STATE_IDLE] = { "idle", OB_CHECK_OK },
        [OB_STATE_PAUSED] = { "paused", OB_CHECK_WARNING },
        [OB_STATE_STOPPED] = { "stopped", OB_CHECK_WARNING },
        [OB_STATE_LOCATING] = { "locating", OB_CHECK_WARNING },
        [OB_STATE_LAGGING] = { "lagging", OB_CHECK_WARNING },
        [OB_STATE_SKEWED] = { "skewed", OB_CHECK_WARNING },
        [OB_STATE_STALLED] = { "stalled", OB_CHECK_CRITICAL },
        [OB_STATE_HUNG] = { "hung", OB_CHECK_CRITICAL },
};

const char *ob_state_word(enum ob_state state)
{
        return state < OB_STATES ? states[state].word : "unknown";
}

enum ob_check ob_state_check(enum ob_state state)
{
        return state < OB_STATES ? states[state].check : OB_CHECK_UNKNOWN;
}

bool ob_state_is_bad(enum ob_state state)
{
        return state >= OB_STATE_LOCATING && state < OB_STATES;
}
