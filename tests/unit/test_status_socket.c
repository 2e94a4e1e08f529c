/* The status page's socket: who can use it from the first moment on, and what is removed. */
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/status/socket.h"
#include "proto/memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

static const char *listened_at;  /* the path to look at */
static mode_t mode_when_listens; /* its mode at that very moment: before, nobody can connect */

/* In place of the library's. */
int listen(int fd, int backlog)
{
        struct stat at;

        assert_int_equal(lstat(listened_at, &at), 0);
        mode_when_listens = at.st_mode & 07777;
        return (int)syscall(SYS_listen, fd, backlog);
}

struct place {
        char *folder, *path, *listen;
        struct ob_status_settings settings;
};

static int set_up(void **state)
{
        struct place *p = ob_alloc(1, sizeof(*p));
        struct sockaddr_un at = { .sun_family = AF_UNIX };

        p->folder = folder_new();
        p->path = ob_format("%s/s.sock", p->folder);
        p->listen = ob_format("unix:%s", p->path);
        assert_true(strlen(p->path) < sizeof(at.sun_path));
        memcpy(at.sun_path, p->path, strlen(p->path) + 1);
        memcpy(&p->settings.address.at, &at, sizeof(at));
        p->settings.address.length = sizeof(at);
        p->settings.listen = p->listen;
        listened_at = p->path;
        *state = p;
        return 0;
}

static int tear_down(void **state)
{
        struct place *p = *state;

        folder_remove(p->folder);
        ob_free_at(&p->path);
        ob_free_at(&p->listen);
        ob_free_at(&p);
        return 0;
}

static void the_mode_is_set_before_anybody_can_connect(void **state)
{
        static const mode_t umasks[] = { 0, 022, 077, 0777 };
        struct place *p = *state;

        for (size_t i = 0; i < LENGTH(umasks); i++) {
                mode_t before = umask(umasks[i]);
                struct ob_status_socket s;
                struct ob_err err;
                int got = ob_status_socket_open(&s, &p->settings, &err);

                umask(before);
                assert_int_equal(got, 0);
                assert_int_equal(mode_when_listens, 0660);
                ob_status_socket_remove(&s);
                close(s.fd);
                assert_int_equal(access(p->path, F_OK), -1);
        }
}

static void a_dead_socket_is_replaced_and_a_successors_left(void **state)
{
        struct place *p = *state;
        struct ob_status_socket first, second;
        struct ob_err err;
        const char *what;

        assert_int_equal(ob_status_socket_open(&first, &p->settings, &err), 0);
        assert_int_equal(ob_status_socket_look(&p->settings.address, &what), OB_STANDS_LIVE);
        assert_int_equal(ob_status_socket_open(&second, &p->settings, &err), -1);
        assert_non_null(strstr(err.text, "Address already in use"));
        assert_int_equal(access(p->path, F_OK), 0);
        close(first.fd);
        assert_int_equal(ob_status_socket_look(&p->settings.address, &what), OB_STANDS_DEAD);
        assert_int_equal(ob_status_socket_open(&second, &p->settings, &err), 0);
        first.inode = second.inode + 1; /* else the number may have been given out anew */
        ob_status_socket_remove(&first);
        assert_int_equal(access(p->path, F_OK), 0);
        ob_status_socket_remove(&second);
        assert_int_equal(access(p->path, F_OK), -1);
        assert_int_equal(ob_status_socket_look(&p->settings.address, &what), OB_STANDS_NOTHING);
        close(second.fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_mode_is_set_before_anybody_can_connect, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_dead_socket_is_replaced_and_a_successors_left, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("status_socket", tests, NULL, NULL);
}
