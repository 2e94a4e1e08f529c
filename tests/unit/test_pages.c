/* What a worker promises of its pages is what their deadlines allow. */
#include "tests/unit/unit.h"

#include "agent/source/web/fetch.h"
#include "agent/source/web/pages.h"

static const struct {
        int timeout, budget; /* seconds */
        int64_t want;        /* milliseconds */
} cases[] = {
        { 5, 20, 80000 }, /* a page of each of three kinds: three requests, and it is read */
        { 1, 1, 13000 },
        { 3600, 3600, 46800000 },
};

static void the_longest_is_the_sum_of_all_deadlines(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const struct ob_manager manager = { .page = { .url = "http://127.0.0.1:1",
                                                            .user = "",
                                                            .password = "",
                                                            .zone = "UTC",
                                                            .proxy = "",
                                                            .ca = "",
                                                            .cert = "",
                                                            .key = "",
                                                            .timeout = cases[i].timeout,
                                                            .budget = cases[i].budget } };
                const struct ob_config config = { .n_sources = 0 };
                struct ob_pages *pages = ob_pages_new(
                        &(struct ob_pages_setting) { .config = &config, .manager = &manager, .name = "page" });

                assert_int_equal(ob_pages_longest(pages), cases[i].want);
                ob_pages_free(pages);
        }
}

static int begin(void **state)
{
        (void)state;
        ob_fetch_begin();
        return 0;
}

static int end(void **state)
{
        (void)state;
        ob_fetch_end();
        return 0;
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_longest_is_the_sum_of_all_deadlines),
        };

        return cmocka_run_group_tests(tests, begin, end);
}
