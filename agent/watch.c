#include "agent/agent.h"
#include "agent/process/log.h"

static void watch_disk(struct ob_agent *a, bool is_waited_for)
{
        bool is_low;
        int64_t room;

        if (!ob_state_dir_room(&a->state_dir, &room))
                return;
        ob_queue_set_room(&a->queue, room);
        /* More than none, so that it is not told again and again. */
        is_low = is_waited_for || room < (a->is_disk_low ? OB_STORE_MARGIN / 16 : 0);
        if (is_low == a->is_disk_low)
                return;
        a->is_disk_low = is_low;
        if (is_low)
                ob_log(OB_LOG_ERROR,
                        "store=%s event=disk_low margin=%lld why=\"sinks deliver, and reading waits until there is "
                        "more room: the tables keep the rows\"",
                        a->state_dir.path, (long long)OB_STORE_MARGIN);
        else
                ob_log(OB_LOG_INFO, "store=%s event=disk_recovered", a->state_dir.path);
}

static void watch_queue(struct ob_agent *a, bool is_waited_for)
{
        int64_t max = a->config->queue_max_bytes, points, bytes;
        bool is_full;

        ob_queue_size(&a->queue, &points, &bytes);
        is_full = is_waited_for || (a->is_queue_full && bytes > max / 2);
        if (is_full == a->is_queue_full)
                return;
        a->is_queue_full = is_full;
        if (is_full)
                ob_log(OB_LOG_WARN,
                        "sink=%s event=queue_full max_bytes=%lld why=\"reading waits until this sink has acknowledged its "
                        "oldest points, which Graphite does one horizon after they were sent; the tables keep the rows\"",
                        a->counters.sinks[ob_queue_keeper(&a->queue)].name, (long long)max);
        else
                ob_log(OB_LOG_INFO, "event=queue_recovered");
}

void ob_agent_watch(struct ob_agent *a)
{
        struct ob_queue_waits waits = ob_queue_take_waits(&a->queue);

        watch_disk(a, waits.disk);
        watch_queue(a, waits.sinks);
}
