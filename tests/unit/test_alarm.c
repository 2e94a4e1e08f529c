#include "tests/unit/unit.h"

#include <string.h>

#include "config/alarm.h"

#define HEAD "pid:3 nid:7 exception:"

/* What Otter writes, and what must not be taken for it. */
static const struct {
        bool (*part)(const char *text, struct ob_text *out);
        const char *text, *want; /* NULL: it is not in it */
} cases[] = {
        { ob_alarm_delay, "pid:3 delay_time:125 seconds", "125" },
        { ob_alarm_delay, "pid:3 delay_time:125 seconds, but delay 300 seconds no update", "125" },
        { ob_alarm_delay, "pid:3 delay 300 seconds no update", NULL },
        { ob_alarm_delay, "pid:3 delay_time: seconds", NULL },
        { ob_alarm_delay, "pid:3 delay_time:x seconds", NULL },
        { ob_alarm_delay, HEAD "setl:pid:3 delay_time:125 seconds", NULL },
        { ob_alarm_no_delay, "pid:3 delay 300 seconds no update", "300" },
        { ob_alarm_no_delay, "pid:3 delay_time:125 seconds, but delay 300 seconds no update", "300" },
        { ob_alarm_no_delay, "pid:3 delay_time:125 seconds", NULL },
        { ob_alarm_no_sync, "pid:3 elapsed 600 seconds no sync", "600" },
        { ob_alarm_no_sync, "pid:3 elapsed 1525422593 seconds no sync",
                NULL }, /* since 1970: there never was one */
        { ob_alarm_no_sync, "pid:3 elapsed 1000000000 seconds no sync", "1000000000" },
        { ob_alarm_no_sync, "pid:3 elapsed 99999999999999999999 seconds no sync", NULL },
        { ob_alarm_process, "pid:3 processIds:18,19 elapsed 61 seconds", "61" },
        { ob_alarm_process, "pid:3 elapsed 61 seconds no sync", NULL },
        { ob_alarm_position, "pid:3 position 90 seconds no update", "90" },
        { ob_alarm_position, "", NULL },
        { ob_alarm_position, "pid:", NULL },
        { ob_alarm_no_data, HEAD "mainstem:pid:3 canal elapsed 45 seconds no data", "45" },

        { ob_alarm_code, HEAD "setl:com.a.LoadException: x", "setl" },
        { ob_alarm_code, HEAD "canal:dest:stack", "canal" },
        { ob_alarm_code, "pid:-1 nid:null exception:cid:4 restart recovery successful for rid:3", "cid" },
        { ob_alarm_code, HEAD "can't restart by no select live node", NULL },
        { ob_alarm_code, HEAD "a1234567890123456789012345678901234567890:x", NULL },
        { ob_alarm_code, "pid:3 delay_time:125 seconds", NULL },

        { ob_alarm_class, HEAD "setl:com.alibaba.otter.LoadException: java.util.concurrent.ExecutionException: x",
                "LoadException" },
        { ob_alarm_class,
                HEAD "setl:com.a.LoadException: x\n\tat com.a.B.load\nCaused by: java.sql.SQLException: y\n"
                     "\tat c.d\nCaused by: com.mysql.MySQLTimeoutException: z\n",
                "MySQLTimeoutException" },
        { ob_alarm_class, HEAD "setl:java.lang.OutOfMemoryError", "OutOfMemoryError" },
        { ob_alarm_class, HEAD "setl:com.a.LoadException: x\nCaused by: ", "LoadException" },
        { ob_alarm_class, HEAD "setl:load miss data with keys:[1]", NULL },
        { ob_alarm_class, HEAD "setl:no Exception here, java.lang.Thread.run", NULL },
        { ob_alarm_class, "pid:3 com.a.LoadException", NULL },

        { ob_alarm_alert, HEAD "setl:x", "error" },
        { ob_alarm_alert, "pid:-1 nid:null exception:nid:2 is dead and restart cids:[1]", "error" },
        { ob_alarm_alert, "pid:-1 nid:null exception:cid:4 stop recovery successful for rid:-1", "success" },
        { ob_alarm_alert, "pid:3 position 90 seconds no update", "warning" },
};

static void what_an_alarm_says_is_read(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char room[80];
                struct ob_text t = ob_text_over(room, sizeof(room));
                bool found = cases[i].part(cases[i].text, &t);
                const char *want = cases[i].want ? cases[i].want : "";

                if (found != (cases[i].want != NULL) || t.length != strlen(want) ||
                        memcmp(room, want, t.length) != 0)
                        fail_msg("\"%s\": \"%.*s\"", cases[i].text, (int)t.length, room);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = { cmocka_unit_test(what_an_alarm_says_is_read) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
