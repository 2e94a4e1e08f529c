#include "proto/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define LENGTH_MAX 32 /* bytes; no name of ours is longer */
#define ROWS       3  /* a swap looks two rows back */

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

static bool is_same(char a, char b)
{
        return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * The edit distance of `a` and `b`, where a swap of two neighbours is one edit. Row `i` has the distances of the
 * first `i` letters of `a` from all prefixes of `b`. Only the last three rows are kept.
 */
static size_t count_changes(const char *a, size_t n, const char *b, size_t m)
{
        size_t rows[ROWS][LENGTH_MAX + 1];

        for (size_t j = 0; j <= m; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t *now = rows[i % ROWS], *above = rows[(i - 1) % ROWS], *two_above = rows[(i + 1) % ROWS];

                now[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        now[j] =
                                least(least(above[j], now[j - 1]) + 1, above[j - 1] + !is_same(a[i - 1], b[j - 1]));
                        if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) && is_same(a[i - 2], b[j - 1]))
                                now[j] = least(now[j], two_above[j - 2] + 1);
                }
        }
        return rows[n % ROWS][m];
}

void ob_nearest_try(struct ob_nearest *n, const char *name)
{
        const char *word = n->word + strspn(n->word, "-"), *bare = name + strspn(name, "-");
        size_t length = strlen(word), other = strlen(bare), distance;
        bool is_beginning;

        if (!length || length > LENGTH_MAX || other > LENGTH_MAX)
                return;
        is_beginning = !strncasecmp(word, bare, length);
        distance = is_beginning ? length < other : count_changes(word, length, bare, other);
        if (!is_beginning && distance > (length + 1) / 3)
                return;
        if (!n->name || distance < n->distance) {
                n->name = name;
                n->distance = distance;
        }
}
