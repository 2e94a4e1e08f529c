/*
 * The bare fetch loop: fetch HOST PORT USER DATABASE SQL. Reads every row of a query as it comes and does nothing
 * with it but add up its bytes: nobody who reads this table through libmariadb can be faster. The password is
 * $MYSQL_PWD. Prints rows and bytes.
 */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(MYSQL *db)
{
        fprintf(stderr, "fetch: %s\n", mysql_error(db));
        return 1;
}

int main(int argc, char **argv)
{
        MYSQL *db = mysql_init(NULL);
        unsigned long long rows = 0, bytes = 0;
        unsigned columns;
        MYSQL_RES *result;

        if (argc != 6)
                return 64;
        if (!mysql_real_connect(db, argv[1], argv[3], getenv("MYSQL_PWD"), argv[4],
                    (unsigned)strtoul(argv[2], NULL, 10), NULL, 0) ||
                mysql_query(db, "SET time_zone = '+00:00'") || mysql_real_query(db, argv[5], strlen(argv[5])))
                return fail(db);
        result = mysql_use_result(db);
        if (!result)
                return fail(db);
        columns = mysql_num_fields(result);
        for (; mysql_fetch_row(result); rows++) {
                const unsigned long *lengths = mysql_fetch_lengths(result);

                for (unsigned i = 0; i < columns; i++)
                        bytes += lengths[i];
        }
        if (mysql_errno(db))
                return fail(db);
        mysql_free_result(result);
        mysql_close(db);
        printf("%llu %llu\n", rows, bytes);
        return 0;
}
