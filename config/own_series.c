#include "config/own_series.h"

#define OF_SOURCE .tags = { "agent", "source" }
#define OF_SINK   .tags = { "agent", "sink" }

const struct ob_own_series ob_own_series[OB_OWN_SERIES] = {
        [OB_OWN_POLL_MS] = { "agent.poll_ms", OB_GAUGE, OF_SOURCE },
        [OB_OWN_SOURCE_AGE] = { "agent.source_age_s", OB_GAUGE, OF_SOURCE },
        [OB_OWN_ROWS] = { "agent.rows", OB_COUNTER, OF_SOURCE },
        [OB_OWN_LATE_ROWS] = { "agent.late_rows", OB_COUNTER, OF_SOURCE },
        [OB_OWN_ERRORS] = { "agent.errors", OB_COUNTER, OF_SOURCE },

        [OB_OWN_POINTS] = { "agent.points", OB_COUNTER, OF_SINK },
        [OB_OWN_SENT] = { "agent.sent", OB_COUNTER, OF_SINK },
        [OB_OWN_FOLDED] = { "agent.folded", OB_COUNTER, OF_SINK },
        [OB_OWN_LATE] = { "agent.late", OB_COUNTER, OF_SINK },
        [OB_OWN_LOST] = { "agent.lost", OB_COUNTER, OF_SINK },
        [OB_OWN_UNCERTAIN] = { "agent.uncertain", OB_COUNTER, OF_SINK },
        [OB_OWN_RECONNECTS] = { "agent.reconnects", OB_COUNTER, OF_SINK },
        [OB_OWN_BEHIND] = { "agent.behind", OB_GAUGE, OF_SINK },

        [OB_OWN_QUEUE_POINTS] = { "agent.queue_points", OB_GAUGE, .tags = { "agent" } },
        [OB_OWN_QUEUE_BYTES] = { "agent.queue_bytes", OB_GAUGE, .tags = { "agent" } },

        [OB_OWN_LEASE] = { "agent.lease", OB_GAUGE, .is_of_cluster = true, .tags = { "agent" } },
        [OB_OWN_LEASE_AGE] = { "agent.lease_age_s", OB_GAUGE, .is_of_cluster = true, .tags = { "agent" } },
        [OB_OWN_MANAGERS] = { "agent.managers", OB_GAUGE, .is_of_cluster = true, .tags = { "agent" } },
        [OB_OWN_UNOWNED] = { "agent.managers_unowned", OB_GAUGE, .is_of_cluster = true, .tags = { "agent" } },

        [OB_OWN_STATE] = { "state", OB_GAUGE, .is_of_manager = true, .tags = { "pipeline" } },
        [OB_OWN_ZONE_SKEW] = { "page.zone_skew_s", OB_GAUGE, .is_of_manager = true },
};
