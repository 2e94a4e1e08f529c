#include "tests/otter/keeper.h"

#include <stdlib.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const channel_words[] = {
        [FO_STOPPED] = "stopped",
        [FO_PAUSED] = "paused",
        [FO_RUNNING] = "running",
};

static const char *const mainstem_words[] = {
        [FO_OFF] = "off",
        [FO_LOCATING] = "locating",
        [FO_WORKING] = "working",
};

enum fo_run_state fo_keeper_channel(const struct fo_state *state, int64_t channel)
{
        for (size_t i = 0; i < COUNT_OF(channel_words); i++) {
                if (fo_state_of(state, "channel", channel, channel_words[i]))
                        return (enum fo_run_state)i;
        }
        return FO_RUNNING;
}

bool fo_keeper_node_is_up(const struct fo_state *state, int64_t node)
{
        return !fo_state_of(state, "node", node, "down");
}

int64_t fo_keeper_node_of(const struct fo_state *state, int64_t pipeline, int64_t nodes)
{
        for (int64_t i = 0; i < nodes; i++) {
                int64_t node = (pipeline - 1 + i) % nodes + 1;

                if (fo_keeper_node_is_up(state, node))
                        return node;
        }
        return 0;
}

enum fo_mainstem fo_keeper_mainstem(const struct fo_state *state, int64_t pipeline, int64_t channel, int64_t nodes)
{
        for (size_t i = 0; i < COUNT_OF(mainstem_words); i++) {
                if (fo_state_of(state, "pipeline", pipeline, mainstem_words[i]))
                        return (enum fo_mainstem)i;
        }
        if (fo_keeper_channel(state, channel) == FO_STOPPED || !fo_keeper_node_of(state, pipeline, nodes))
                return FO_OFF;
        return FO_WORKING;
}

int64_t fo_keeper_position(const struct fo_state *state, int64_t pipeline, int64_t newest)
{
        const struct fo_order *order = fo_state_of(state, "pipeline", pipeline, "position");

        return order ? strtoll(order->words[3], NULL, 10) : newest;
}
