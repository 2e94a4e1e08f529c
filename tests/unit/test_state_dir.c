/* The place of the store: who may use it, what survives, and what is set aside. */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/store/connection.h"
#include "proto/memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/world.h"

static void must_open(struct ob_state_dir *state_dir, const char *dir)
{
        struct ob_err err;

        if (ob_state_dir_open(state_dir, dir, &err))
                fail_msg("%s", err.text);
}

static void must_not_open(const char *dir, const char *says)
{
        struct ob_state_dir state_dir;
        struct ob_err err = { .text = "" };

        assert_int_equal(ob_state_dir_open(&state_dir, dir, &err), -1);
        ob_state_dir_close(&state_dir);
        if (!strstr(err.text, says))
                fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void put_batches(struct ob_state_dir *state_dir, int n)
{
        const struct ob_bytes body =
                world_bytes("a body that is long enough to fill a page with some others of its kind");
        struct ob_err err;

        for (int i = 0; i < n; i++)
                assert_int_equal(ob_store_put_batch(state_dir->anchor, 1, &body, &err), 0);
}

static int64_t count_batches(struct ob_state_dir *state_dir)
{
        int64_t points, bytes;
        struct ob_err err;

        if (ob_store_sum_batches(state_dir->anchor, 0, &points, &bytes, &err))
                fail_msg("%s", err.text);
        return points;
}

static void a_store_is_there_when_it_is_opened_again(void **state)
{
        struct ob_state_dir state_dir;

        must_open(&state_dir, *state);
        assert_int_equal(count_batches(&state_dir), 0);
        put_batches(&state_dir, 3);
        ob_state_dir_close(&state_dir);
        must_open(&state_dir, *state);
        assert_string_equal(state_dir.aside, "");
        assert_int_equal(count_batches(&state_dir), 3);
        ob_state_dir_close(&state_dir);
        ob_state_dir_close(&state_dir);
}

/* The child is killed with one transaction committed and another one begun. */
static void a_kill_loses_only_what_was_not_committed(void **state)
{
        struct ob_state_dir state_dir;
        struct ob_err err;
        pid_t child = fork();
        int status;

        if (!child) {
                if (ob_state_dir_open(&state_dir, *state, &err) || ob_store_begin(state_dir.anchor, &err))
                        _exit(1);
                put_batches(&state_dir, 3);
                if (ob_store_commit(state_dir.anchor, &err) || ob_store_begin(state_dir.anchor, &err))
                        _exit(1);
                put_batches(&state_dir, 1000);
                raise(SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        must_open(&state_dir, *state);
        assert_string_equal(state_dir.aside, "");
        assert_int_equal(count_batches(&state_dir), 3);
        ob_state_dir_close(&state_dir);
}

static void a_second_agent_is_refused(void **state)
{
        struct ob_state_dir state_dir;

        must_open(&state_dir, *state);
        must_not_open(*state, "is used by another otterbeat");
        put_batches(&state_dir, 1);
        must_not_open(*state, "is used by another otterbeat");
        ob_state_dir_close(&state_dir);
        must_open(&state_dir, *state);
        assert_int_equal(count_batches(&state_dir), 1);
        ob_state_dir_close(&state_dir);
}

static void the_folder_is_made(void **state)
{
        ob_cleanup(ob_free_at) char *dir = ob_format("%s/state", (char *)*state);
        ob_cleanup(ob_free_at) char *file = ob_format("%s/otterbeat.db", dir);
        struct ob_state_dir state_dir;

        must_open(&state_dir, dir);
        ob_state_dir_close(&state_dir);
        assert_int_equal(access(file, F_OK), 0);
}

static void must_have_mode(const char *dir, const char *name, mode_t mode)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s%s", dir, name);
        struct stat s;

        assert_int_equal(stat(path, &s), 0);
        if ((s.st_mode & 07777) != mode)
                fail_msg("%s has mode %o", path, s.st_mode & 07777);
}

static void set_mode(const char *dir, const char *name, mode_t mode)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s%s", dir, name);

        assert_int_equal(chmod(path, mode), 0);
}

/* Whatever umask there is, and whatever modes an earlier version, or somebody, left. */
static void all_is_the_owners_alone(void **state)
{
        static const char *const files[] = { "/otterbeat.db", "/otterbeat.db-wal", "/otterbeat.db-shm",
                "/otterbeat.lock" };
        ob_cleanup(ob_free_at) char *dir = ob_format("%s/state", (char *)*state);
        mode_t before = umask(0);
        struct ob_state_dir state_dir;

        if (!fork()) { /* the log of a process that was killed stays */
                must_open(&state_dir, dir);
                put_batches(&state_dir, 1);
                _exit(0);
        }
        wait(NULL);
        for (size_t i = 0; i < LENGTH(files); i++)
                set_mode(dir, files[i], 0644);
        for (int round = 0; round < 2; round++) {
                must_open(&state_dir, dir);
                put_batches(&state_dir, 1);
                must_have_mode(dir, "", 0700);
                for (size_t i = 0; i < LENGTH(files); i++)
                        must_have_mode(dir, files[i], 0600);
                for (size_t i = 0; i < LENGTH(files); i++)
                        set_mode(dir, files[i], 0666);
                ob_state_dir_close(&state_dir);
        }
        umask(before);
}

/* A pipe would be waited for, and a link is another file of somebody's. */
static void what_is_no_file_is_refused(void **state)
{
        static const char *const files[] = { "otterbeat.lock", "otterbeat.db", "otterbeat.db-wal" };

        for (size_t i = 0; i < LENGTH(files); i++) {
                ob_cleanup(ob_free_at) char *dir = ob_format("%s/%zu", (char *)*state, i);
                ob_cleanup(ob_free_at) char *path = ob_format("%s/%s", dir, files[i]);
                ob_cleanup(ob_free_at) char *other = folder_write(*state, "other", "theirs", 6);
                struct ob_state_dir state_dir;

                must_open(&state_dir, dir);
                ob_state_dir_close(&state_dir);
                unlink(path);
                assert_int_equal(mkfifo(path, 0600), 0);
                must_not_open(dir, "it is a pipe, not a regular file");
                unlink(path);
                assert_int_equal(symlink(other, path), 0);
                must_not_open(dir, "it is a symbolic link, which is not followed");
                assert_int_equal(truncate(other, 6), 0);
        }
}

static void the_one_who_has_it_is_named(void **state)
{
        ob_cleanup(ob_free_at) char *says = ob_format("is used by another otterbeat, process %d", (int)getpid());
        struct ob_state_dir state_dir;

        must_open(&state_dir, *state);
        must_not_open(*state, says);
        ob_state_dir_close(&state_dir);
}

static void a_folder_that_can_not_be_is_told(void **state)
{
        ob_cleanup(ob_free_at) char *no_parent = ob_format("%s/no/state", (char *)*state);
        ob_cleanup(ob_free_at) char *file = folder_write(*state, "file", "", 0);
        ob_cleanup(ob_free_at) char *too_long = ob_format("/%05000d", 1);

        must_not_open(no_parent, "No such file or directory");
        must_not_open(file, "Not a directory");
        must_not_open(too_long, "too long");
}

/* How a file comes to be of no use. Each begins with a good store of 3 batches, closed. */
static void write_text(const char *path)
{
        FILE *f = fopen(path, "we");

        fputs("this is no database, but it is longer than the header of one, which is of a hundred bytes, and "
              "a bit more to come to that",
                f);
        fclose(f);
}

static void run_sql(const char *path, const char *sql)
{
        sqlite3 *db;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
}

static void make_foreign(const char *path)
{
        remove(path);
        run_sql(path, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (42)");
}

static void make_later(const char *path)
{
        run_sql(path, "PRAGMA user_version = 99");
}

static void cut_short(const char *path)
{
        assert_int_equal(truncate(path, 6000), 0);
}

/* Every page but the first, which says what the file is. */
static void scribble(const char *path)
{
        FILE *f = fopen(path, "r+e");
        char noise[4096];

        memset(noise, 0xa5, sizeof(noise));
        for (long page = 1; page < 6; page++) {
                fseek(f, page * 4096, SEEK_SET);
                fwrite(noise, 1, sizeof(noise), f);
        }
        fclose(f);
}

static const struct {
        const char *name;
        void (*spoil)(const char *path);
        const char *why;
} corrupt[] = {
        { "some text", write_text, "not a database" },
        { "another program's database", make_foreign, "not a store of otterbeat's" },
        { "a later version's store", make_later, "written by another version (99, this one knows 4)" },
        { "a store that is cut short", cut_short, "malformed" },
        { "a store with pages of noise", scribble, "damaged" },
};

static char *slurp(const char *path, size_t *length)
{
        char *bytes = ob_alloc(1 << 20, 1);
        FILE *f = fopen(path, "re");

        assert_non_null(f);
        *length = fread(bytes, 1, 1 << 20, f);
        fclose(f);
        return bytes;
}

static void what_can_not_be_used_is_set_aside(void **state)
{
        for (size_t i = 0; i < LENGTH(corrupt); i++) {
                ob_cleanup(ob_free_at) char *dir = ob_format("%s/%zu", (char *)*state, i);
                ob_cleanup(ob_free_at) char *path = ob_format("%s/otterbeat.db", dir);
                ob_cleanup(ob_free_at) char *before = NULL;
                ob_cleanup(ob_free_at) char *after = NULL;
                struct ob_state_dir state_dir;
                size_t was, is;

                must_open(&state_dir, dir);
                put_batches(&state_dir, 300);
                ob_state_dir_close(&state_dir);
                corrupt[i].spoil(path);
                before = slurp(path, &was);

                must_open(&state_dir, dir);
                if (!*state_dir.aside || !strstr(state_dir.why, corrupt[i].why))
                        fail_msg("%s: aside \"%s\", why \"%s\"", corrupt[i].name, state_dir.aside, state_dir.why);
                assert_memory_equal(state_dir.aside, path, strlen(path));
                after = slurp(state_dir.aside, &is);
                assert_int_equal(is, was);
                assert_memory_equal(after, before, was);
                assert_int_equal(count_batches(&state_dir), 0);
                put_batches(&state_dir, 1);
                ob_state_dir_close(&state_dir);

                must_open(&state_dir, dir);
                assert_string_equal(state_dir.aside, "");
                assert_int_equal(count_batches(&state_dir), 1);
                ob_state_dir_close(&state_dir);
        }
}

/* What a process left that ended while it made one is no store yet; one without a byte was spoilt. */
static void a_file_is_there_when_it_is_whole(void **state)
{
        struct ob_state_dir state_dir;

        free(folder_write(*state, "otterbeat.db.new", "half", 0));
        must_open(&state_dir, *state);
        assert_string_equal(state_dir.aside, "");
        ob_state_dir_close(&state_dir);

        free(folder_write(*state, "otterbeat.db", "", 0));
        must_open(&state_dir, *state);
        assert_non_null(strstr(state_dir.why, "not a store of otterbeat's"));
        put_batches(&state_dir, 1);
        assert_int_equal(count_batches(&state_dir), 1);
        ob_state_dir_close(&state_dir);
}

static void state_dirs_in_memory_are_their_own(void **state)
{
        struct ob_state_dir a, b;

        (void)state;
        must_open(&a, "");
        must_open(&b, "");
        put_batches(&a, 1);
        assert_int_equal(count_batches(&a), 1);
        assert_int_equal(count_batches(&b), 0);
        ob_state_dir_close(&a);
        ob_state_dir_close(&b);
        must_open(&a, "");
        assert_int_equal(count_batches(&a), 0);
        ob_state_dir_close(&a);
}

static void a_copy_in_memory_moves_nothing(void **state)
{
        ob_cleanup(ob_free_at) char *nowhere = ob_format("%s/nowhere", (char *)*state);
        struct ob_state_dir state_dir, copy;
        struct ob_err err;

        must_open(&state_dir, *state);
        put_batches(&state_dir, 3);
        ob_state_dir_close(&state_dir);

        must_open(&copy, "");
        assert_int_equal(ob_state_dir_copy(&copy, *state, &err), 0);
        assert_int_equal(count_batches(&copy), 3);
        put_batches(&copy, 1);
        assert_int_equal(count_batches(&copy), 4);
        ob_state_dir_close(&copy);

        must_open(&copy, "");
        assert_int_equal(ob_state_dir_copy(&copy, nowhere, &err), 0);
        assert_int_equal(ob_state_dir_copy(&copy, "", &err), 0);
        assert_int_equal(count_batches(&copy), 0);
        ob_state_dir_close(&copy);

        must_open(&state_dir, *state);
        assert_int_equal(count_batches(&state_dir), 3);
        ob_state_dir_close(&state_dir);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                IN_A_FOLDER(a_store_is_there_when_it_is_opened_again),
                IN_A_FOLDER(a_kill_loses_only_what_was_not_committed),
                IN_A_FOLDER(a_second_agent_is_refused),
                IN_A_FOLDER(the_folder_is_made),
                IN_A_FOLDER(all_is_the_owners_alone),
                IN_A_FOLDER(what_is_no_file_is_refused),
                IN_A_FOLDER(the_one_who_has_it_is_named),
                IN_A_FOLDER(a_folder_that_can_not_be_is_told),
                IN_A_FOLDER(what_can_not_be_used_is_set_aside),
                IN_A_FOLDER(a_file_is_there_when_it_is_whole),
                cmocka_unit_test(state_dirs_in_memory_are_their_own),
                IN_A_FOLDER(a_copy_in_memory_moves_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
