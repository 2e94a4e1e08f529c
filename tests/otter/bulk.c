#include "tests/otter/bulk.h"

/* Well under the smallest max_allowed_packet in the field (1 MB), and long enough. */
enum { ENOUGH = 256 * 1024 };

void fo_bulk_begin(struct fo_bulk *bulk, struct fo_db *db, const char *head)
{
        bulk->db = db;
        bulk->head = head;
        bulk->rows = 0;
        fo_text_clear(&bulk->sql);
}

void fo_bulk_fini(struct fo_bulk *bulk)
{
        fo_text_fini(&bulk->sql);
}

struct fo_text *fo_bulk_row_begin(struct fo_bulk *bulk)
{
        fo_text_add(&bulk->sql, bulk->rows ? "," : bulk->head);
        return &bulk->sql;
}

int fo_bulk_row_end(struct fo_bulk *bulk)
{
        bulk->rows++;
        return bulk->sql.length < ENOUGH ? 0 : fo_bulk_end(bulk);
}

int fo_bulk_end(struct fo_bulk *bulk)
{
        int failed = bulk->rows ? fo_db_run(bulk->db, &bulk->sql) : 0;

        bulk->rows = 0;
        fo_text_clear(&bulk->sql);
        return failed;
}
