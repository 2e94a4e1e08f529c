#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "agent/store/connection.h"
#include "agent/store/lease.h"
#include "agent/store/lease_rows.h"
#include "agent/store/schema.h"
#include "agent/store/sql.h"
#include "agent/store/store.h"
#include "config/file.h"
#include "proto/memory.h"

#define OWNERS 0600 /* the mode of every file here: nobody else may read what the tables and batches hold */

static int make_folder(const char *dir, struct ob_err *err)
{
        if (mkdir(dir, 0700) && errno != EEXIST)
                return ob_fail(err, "state_dir %s: %m", dir);
        return 0;
}

/* Sets the error with the number of the process that holds the lock: that process wrote the number into the file.
 */
static int refuse_second(int fd, const char *dir, struct ob_err *err)
{
        char pid[16] = "";
        ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

        pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
        return ob_fail(err, "state_dir %s is used by another otterbeat%s%s: stop it, or give this one its own", dir,
                *pid ? ", process " : "", pid);
}

static int take_lock(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/otterbeat.lock", dir);

        state_dir->lock_fd = ob_file_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, OWNERS, err);
        if (state_dir->lock_fd < 0)
                return -1;
        if (flock(state_dir->lock_fd, LOCK_EX | LOCK_NB))
                return refuse_second(state_dir->lock_fd, dir, err);
        if (fchmod(state_dir->lock_fd, OWNERS) || ftruncate(state_dir->lock_fd, 0) ||
                dprintf(state_dir->lock_fd, "%d\n", (int)getpid()) < 0)
                return ob_fail(err, "%s: %m", path);
        return 0;
}

/* Checks the file, and upgrades a store of the version before this one. */
static int check_file(const char *path, struct ob_err *err)
{
        ob_cleanup(ob_connection_close) sqlite3 *db = NULL;
        int64_t version = OB_STORE_VERSION;
        int got = ob_connection_open(path, &db, err);

        if (!got)
                got = ob_schema_check(db, err);
        if (!got)
                got = ob_connection_number(db, "PRAGMA user_version", &version, err);
        if (got || version == OB_STORE_VERSION)
                return got;
        got = ob_schema_make(db, err);
        return got ? got : ob_schema_check(db, err);
}

/* The ends of the names of a store's files: the file itself, the write-ahead log and the index of the log. */
static const char *const parts[] = { "", "-wal", "-shm" };

static int set_aside(struct ob_state_dir *state_dir, const char *why, struct ob_err *err)
{
        snprintf(state_dir->why, sizeof(state_dir->why), "%s", why);
        snprintf(state_dir->aside, sizeof(state_dir->aside), "%s.aside-%lld", state_dir->path,
                (long long)time(NULL));
        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
                ob_cleanup(ob_free_at) char *from = ob_format("%s%s", state_dir->path, parts[i]);
                ob_cleanup(ob_free_at) char *to = ob_format("%s%s", state_dir->aside, parts[i]);

                if (rename(from, to) && errno != ENOENT)
                        return ob_fail(err, "%s can't be used (%s) and can't be renamed: %m", state_dir->path, why);
        }
        return 0;
}

/* Makes a file under another name, and renames it when it is whole: so an empty file is always a corrupt one. */
static int make_file(const char *path, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *fresh = ob_format("%s.new", path);
        sqlite3 *db;
        int got, fd;

        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
                ob_cleanup(ob_free_at) char *part = ob_format("%s%s", fresh, parts[i]);

                if (unlink(part) && errno != ENOENT)
                        return ob_fail(err, "%s: %m", part);
        }
        fd = ob_file_open(fresh, O_RDWR | O_CREAT | O_EXCL, OWNERS, err); /* SQLite makes the other parts like it */
        if (fd < 0)
                return -1;
        close(fd);
        if (ob_connection_open(fresh, &db, err))
                return -1;
        got = ob_schema_make(db, err);
        ob_connection_close(&db);
        if (!got && rename(fresh, path))
                got = ob_fail(err, "%s can't be renamed: %m", fresh);
        return got;
}

/*
 * Sets the mode of the files, whatever umask they were made with. The files are not opened for that: closing one
 * would release the locks that SQLite has on that file.
 */
static int own_parts(const char *path, struct ob_err *err)
{
        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
                ob_cleanup(ob_free_at) char *part = ob_format("%s%s", path, parts[i]);
                struct stat s;

                if (lstat(part, &s))
                        continue;
                if (S_ISLNK(s.st_mode))
                        return ob_fail(err, "%s: it is a symbolic link, which is not followed", part);
                if (ob_file_check(part, err))
                        return -1;
                if ((s.st_mode & 07777) != OWNERS && chmod(part, OWNERS))
                        return ob_fail(err, "%s: %m", part);
        }
        return 0;
}

/* Uses the file that is there, or makes a new one in place of a file that cannot be used. */
static int find_file(struct ob_state_dir *state_dir, struct ob_err *err)
{
        struct ob_err why;
        int got;

        if (access(state_dir->path, F_OK))
                return make_file(state_dir->path, err);
        if (own_parts(state_dir->path, err))
                return -1;
        got = check_file(state_dir->path, &why);
        if (!got)
                return 0;
        if (got == -1 || access(state_dir->path, R_OK | W_OK))
                return ob_fail(err, "%s: %s", state_dir->path, why.text);
        return set_aside(state_dir, why.text, err) ? -1 : make_file(state_dir->path, err);
}

bool ob_state_dir_room(struct ob_state_dir *state_dir, int64_t *bytes)
{
        ob_cleanup(ob_free_at) char *log = ob_format("%s-wal", state_dir->path);
        struct statvfs disk;
        struct stat of_log;
        struct ob_err ignored;
        int64_t unused;

        if (state_dir->lease || statvfs(state_dir->path, &disk) || stat(log, &of_log) ||
                ob_store_unused(state_dir->anchor, &unused, &ignored))
                return false;
        *bytes = (int64_t)(disk.f_bavail * disk.f_frsize) + unused + of_log.st_size - OB_STORE_MARGIN;
        return true;
}

static int name_file(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err)
{
        if (strlen(dir) > sizeof(state_dir->path) - 32)
                return ob_fail(err, "state_dir: the path is too long");
        snprintf(state_dir->path, sizeof(state_dir->path), "%s/" OB_STORE_FILE, dir);
        return 0;
}

int ob_state_dir_open_whole(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err)
{
        struct ob_err why;
        int got;

        *state_dir = (struct ob_state_dir) { .lock_fd = -1 };
        if (name_file(state_dir, dir, err))
                return -1;
        if (access(state_dir->path, F_OK))
                return ob_fail(err, "%s: %m", state_dir->path);
        if (take_lock(state_dir, dir, err) || own_parts(state_dir->path, err))
                return -1;
        got = check_file(state_dir->path, &why);
        if (got)
                return ob_fail(
                        err, got == OB_CORRUPT ? "%s can't be used: %s" : "%s: %s", state_dir->path, why.text);
        state_dir->anchor = ob_store_open(state_dir, err);
        return state_dir->anchor ? 0 : -1;
}

int ob_state_dir_open(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err)
{
        *state_dir = (struct ob_state_dir) { .lock_fd = -1 };
        if (!*dir) {
                /* Every store in memory has a name of its own, also in one process. */
                snprintf(state_dir->path, sizeof(state_dir->path), "file:/otterbeat-%p?vfs=memdb",
                        (void *)state_dir);
        } else {
                if (name_file(state_dir, dir, err) || make_folder(dir, err) || take_lock(state_dir, dir, err) ||
                        find_file(state_dir, err))
                        return -1;
        }
        state_dir->anchor = ob_store_open(state_dir, err);
        return state_dir->anchor ? 0 : -1;
}

int ob_state_dir_copy(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/" OB_STORE_FILE, dir);
        ob_cleanup(ob_connection_close) sqlite3 *empty =
                NULL; /* a connection must be open while the anchor is replaced */

        if (!*dir || (access(path, F_OK) && errno == ENOENT))
                return 0;
        ob_store_close(ob_take(state_dir->anchor));
        if (ob_connection_open(state_dir->path, &empty, err) || ob_connection_copy(path, state_dir->path, err))
                return -1;
        state_dir->anchor = ob_store_open(state_dir, err);
        return state_dir->anchor ? 0 : -1;
}

int ob_state_dir_share(struct ob_state_dir *state_dir, struct ob_lease *lease, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *place = ob_state_place(lease->holder->settings);

        *state_dir = (struct ob_state_dir) { .lock_fd = -1, .lease = lease };
        snprintf(state_dir->path, sizeof(state_dir->path), "%s", place);
        state_dir->anchor = ob_store_open(state_dir, err);
        return state_dir->anchor ? 0 : -1;
}

static int fill(struct ob_store *from, struct ob_store *to, bool is_whole, struct ob_err *err)
{
        struct ob_copied done = { .rows = 0 };
        int got;

        if (ob_store_begin(to, err))
                return -1;
        got = is_whole ? ob_store_copy(from, to, &done, err) : ob_store_copy_sources(from, to, &done, err);
        if (!got)
                return ob_store_commit(to, err);
        ob_store_rollback(to);
        return -1;
}

static int copy_unit(struct ob_state_dir *state_dir, const struct ob_state_settings *settings, int64_t unit,
        bool is_whole, struct ob_err *err)
{
        atomic_bool is_corrupt = false; /* of the original, which its owner repairs */
        struct ob_store *from;
        struct ob_stop never;
        int got;

        ob_stop_init(&never);
        from = ob_store_open_unit(settings, unit, &never, &is_corrupt, err);
        got = from && !ob_store_begin(from, err) ? fill(from, state_dir->anchor, is_whole, err) : -1;
        if (from)
                ob_store_rollback(from);
        ob_store_close(from);
        ob_stop_fini(&never);
        return got;
}

/* A manager that no agent has ever owned has no rows. */
int ob_state_dir_copy_shared(struct ob_state_dir *state_dir, const struct ob_state_settings *settings,
        const struct ob_manager *managers, size_t n_managers, struct ob_err *err)
{
        struct ob_lease_rows rows = { .leases = NULL };
        int got = ob_lease_rows_read_once(settings, &rows, err);

        for (size_t i = 0; i < n_managers && !got; i++) {
                const struct ob_lease_row *row = ob_lease_rows_find(&rows, managers[i].name);

                if (row)
                        got = copy_unit(state_dir, settings, row->unit, n_managers == 1, err);
        }
        ob_lease_rows_free(&rows);
        return got;
}

int ob_state_dir_copy_of(
        struct ob_state_dir *state_dir, const char *dir, const struct ob_config *config, struct ob_err *err)
{
        if (!config->state.n_hosts)
                return ob_state_dir_copy(state_dir, dir, err);
        return ob_state_dir_copy_shared(state_dir, &config->state, config->managers, config->n_managers, err);
}

void ob_state_dir_close(struct ob_state_dir *state_dir)
{
        ob_store_close(state_dir->anchor);
        state_dir->anchor = NULL;
        if (state_dir->lock_fd >= 0)
                close(state_dir->lock_fd);
        state_dir->lock_fd = -1;
}
