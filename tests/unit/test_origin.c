#include "tests/unit/unit.h"

#include <string.h>

#include "agent/sink/origin.h"

#define ID   "34dc0b5e626f2c5c4c5170e34b10e7654ce36f0fcd532739f4445baabea03376"
#define UUID "34dc0b5e-626f-2c5c-4c51-70e34b10e765"

static const struct {
        bool (*of)(const char *text, char origin[OB_ORIGIN_MAX]);
        const char *text, *want; /* NULL: there is none */
} cases[] = {
        { ob_origin_of_cgroup, "12:pids:/docker/" ID "\n", "ci-" ID },
        { ob_origin_of_cgroup, "1:name=systemd:/\n0::/system.slice/docker-" ID ".scope\n", "ci-" ID },
        { ob_origin_of_cgroup, "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope", "ci-" ID },
        { ob_origin_of_cgroup, "1:x:/garden/" UUID "\n", "ci-" UUID },
        { ob_origin_of_cgroup, "0::/\n", NULL },
        { ob_origin_of_cgroup, "0::/user.slice/user-1000.slice/session-2.scope\n", NULL },
        { ob_origin_of_cgroup, "0::/docker/" ID "0\n", NULL }, /* 65 digits are no id */
        { ob_origin_of_cgroup, "0::/docker/z" ID "\n", NULL },
        { ob_origin_of_cgroup, "", NULL },
        { ob_origin_of_cgroup, ID, NULL }, /* no path */
        { ob_origin_of_mounts,
                "9 8 0:1 / / rw - overlay overlay rw\n"
                "608 554 8:1 /var/lib/docker/containers/" ID "/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n",
                "ci-" ID },
        { ob_origin_of_mounts, "9 8 0:1 /docker/containers/" ID "/other /etc/other rw - ext4 x rw\n", NULL },
        { ob_origin_of_mounts, "9 8 0:1 /etc/hostname /etc/hostname rw - ext4 x rw\n", NULL },
};

static void an_id_is_found_where_one_is(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char origin[OB_ORIGIN_MAX] = "";
                bool found = cases[i].of(cases[i].text, origin);
                const char *want = cases[i].want ? cases[i].want : "";

                if (found != (cases[i].want != NULL) || strcmp(origin, want) != 0)
                        fail_msg("\"%s\": \"%s\"", cases[i].text, origin);
        }
}

static void what_is_set_stands(void **state)
{
        char origin[OB_ORIGIN_MAX];

        (void)state;
        ob_origin_find("", origin);
        assert_string_equal(origin, "");
        ob_origin_find(ID, origin);
        assert_string_equal(origin, "ci-" ID);
        ob_origin_find("auto", origin); /* in a container or not: nothing else comes out */
        assert_true(!*origin || !strncmp(origin, "ci-", 3) || !strncmp(origin, "in-", 3));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_id_is_found_where_one_is),
                cmocka_unit_test(what_is_set_stands),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
