#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/store/connection.h"
#include "agent/store/store.h"
#include "proto/memory.h"

#define FILE_NAME "otterbeat.db"

static int make_folder(const char *dir, struct ob_err *err)
{
        if (mkdir(dir, 0750) && errno != EEXIST)
                return ob_fail(err, "state_dir %s: %m", dir);
        return 0;
}

static int take_lock(struct ob_store_place *place, const char *dir, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/otterbeat.lock", dir);

        place->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
        if (place->lock_fd < 0)
                return ob_fail(err, "%s: %m", path);
        if (flock(place->lock_fd, LOCK_EX | LOCK_NB))
                return ob_fail(
                        err, "state_dir %s is used by another otterbeat: stop it, or give this one its own", dir);
        return 0;
}

/* Whether the file can be read through and is a store of ours; says why not. */
static int look_over(const char *path, struct ob_err *err)
{
        ob_cleanup(ob_connection_close) sqlite3 *db = NULL;
        int64_t id, version, pages;
        char verdict[OB_ERR_MAX];

        if (ob_connection_open(path, &db, err))
                return -1;
        if (ob_connection_pragma(db, "application_id", &id, err) ||
                ob_connection_pragma(db, "user_version", &version, err) ||
                ob_connection_pragma(db, "page_count", &pages, err))
                return -1;
        if (pages && id != OB_STORE_APPLICATION_ID)
                return ob_fail(err, "it is not a store of otterbeat's");
        if (pages && version != OB_STORE_VERSION)
                return ob_fail(err, "it was written by another version (%d, this one knows %d)", (int)version,
                        OB_STORE_VERSION);
        if (ob_connection_text(db, "PRAGMA quick_check(1)", verdict, sizeof(verdict), err))
                return -1;
        if (strcmp(verdict, "ok") != 0)
                return ob_fail(err, "it is damaged: %s", verdict);
        return 0;
}

/* The write-ahead log and its index belong to the file, so they go with it. */
static int set_aside(struct ob_store_place *place, const char *why, struct ob_err *err)
{
        static const char *const parts[] = { "", "-wal", "-shm" };

        snprintf(place->why, sizeof(place->why), "%s", why);
        snprintf(place->aside, sizeof(place->aside), "%s.aside-%lld", place->path, (long long)time(NULL));
        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
                ob_cleanup(ob_free_at) char *from = ob_format("%s%s", place->path, parts[i]);
                ob_cleanup(ob_free_at) char *to = ob_format("%s%s", place->aside, parts[i]);

                if (rename(from, to) && errno != ENOENT)
                        return ob_fail(err, "%s can't be used (%s) and can't be renamed: %m", place->path, why);
        }
        return 0;
}

/* A full or read-only disk, or too few rights, say nothing about the file itself. */
static bool is_the_files_fault(const char *path)
{
        return !access(path, R_OK | W_OK);
}

int ob_store_place_open(struct ob_store_place *place, const char *dir, struct ob_err *err)
{
        struct ob_err why;

        *place = (struct ob_store_place) { .lock_fd = -1 };
        if (!*dir) {
                /* Every place in memory is one of its own, also in one process. */
                snprintf(place->path, sizeof(place->path), "file:/otterbeat-%p?vfs=memdb", (void *)place);
        } else {
                if (strlen(dir) > sizeof(place->path) - 32)
                        return ob_fail(err, "state_dir: the path is too long");
                if (make_folder(dir, err) || take_lock(place, dir, err))
                        return -1;
                snprintf(place->path, sizeof(place->path), "%s/" FILE_NAME, dir);
                if (!access(place->path, F_OK) && look_over(place->path, &why)) {
                        if (!is_the_files_fault(place->path))
                                return ob_fail(err, "%s: %s", place->path, why.text);
                        if (set_aside(place, why.text, err))
                                return -1;
                }
        }
        place->anchor = ob_store_open(place, err);
        return place->anchor ? 0 : -1;
}

int ob_store_place_copy(struct ob_store_place *place, const char *dir, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/" FILE_NAME, dir);
        ob_cleanup(ob_connection_close) sqlite3 *empty = NULL; /* there must be one while the anchor is replaced */

        if (!*dir || access(path, R_OK))
                return 0;
        ob_store_close(ob_take(place->anchor));
        if (ob_connection_open(place->path, &empty, err) || ob_connection_copy(path, place->path, err))
                return -1;
        place->anchor = ob_store_open(place, err);
        return place->anchor ? 0 : -1;
}

void ob_store_place_close(struct ob_store_place *place)
{
        ob_store_close(place->anchor);
        place->anchor = NULL;
        if (place->lock_fd >= 0)
                close(place->lock_fd);
        place->lock_fd = -1;
}
