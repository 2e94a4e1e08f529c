#include "tests/otter/state.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/memory.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { FILE_MOST = 1 << 16 };

/* "#" is a number, "@" a page, "*" any word. */
static const char *const known[][FO_WORDS] = {
        { "channel", "#", "running" },
        { "channel", "#", "paused" },
        { "channel", "#", "stopped" },
        { "pipeline", "#", "working" },
        { "pipeline", "#", "locating" },
        { "pipeline", "#", "off" },
        { "pipeline", "#", "position", "#" },
        { "node", "#", "up" },
        { "node", "#", "down" },
        { "zookeeper", "down" },
        { "login", "required" },
        { "session", "expired" },
        { "latency", "#" },
        { "decimal", "comma" },
        { "skew", "#" },
        { "hang", "@" },
        { "error", "#", "@" },
        { "drift", "@", "*" },
        { "drift", "@", "*", "*" },
        { "empty", "@" },
        { "truncate", "@" },
        { "huge", "@" },
        { "bomb", "@" },
        { "slow", "body", "@" },
        { "latin1", "@" },
        { "gbk", "@" },
};

static const char *const pages[] = { "channelList", "pipelineList", "nodeList", "analysisStageStat", "login" };

static bool is_number(const char *word)
{
        char *end;

        strtoll(word, &end, 10);
        return end != word && !*end;
}

static bool is_page(const char *word)
{
        size_t i = 0;

        while (i < COUNT_OF(pages) && strcmp(pages[i], word) != 0)
                i++;
        return i < COUNT_OF(pages);
}

static bool word_fits(const char *pattern, const char *word)
{
        if (!pattern || !word)
                return !pattern && !word;
        switch (*pattern) {
        case '#':
                return is_number(word);
        case '@':
                return is_page(word);
        case '*':
                return true;
        default:
                return strcmp(pattern, word) == 0;
        }
}

static bool is_known(const struct fo_order *order)
{
        for (size_t i = 0; i < COUNT_OF(known); i++) {
                size_t word = 0;

                while (word < FO_WORDS && word_fits(known[i][word], order->words[word]))
                        word++;
                if (word == FO_WORDS)
                        return true;
        }
        return false;
}

static int add_order(struct fo_state *state, char *line)
{
        struct fo_order order = { { NULL } };
        size_t count = 0;
        char *rest = line;
        char *word;

        while ((word = strsep(&rest, " \t\r"))) {
                if (*word && count < FO_WORDS)
                        order.words[count] = word;
                count += *word != 0;
        }
        if (!count)
                return 0;
        state->orders = ob_grow(state->orders, &state->room, state->count, sizeof(order));
        state->orders[state->count++] = order;
        return count <= FO_WORDS && is_known(&order) ? 0 : -1;
}

static void load(struct fo_state *state, int file)
{
        struct stat about;
        ssize_t length;

        if (fstat(file, &about))
                return;
        state->written = (uint64_t)about.st_ino * 1000003 + (uint64_t)about.st_mtim.tv_sec * 1000000007 +
                         (uint64_t)about.st_mtim.tv_nsec;
        length = read(file, fo_text_reserve(&state->text, FILE_MOST), FILE_MOST);
        state->text.length = length > 0 ? (size_t)length : 0;
        state->text.bytes[state->text.length] = 0;
}

int fo_state_read(struct fo_state *state, const char *path)
{
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        int failed = 0;
        char *rest;
        char *line;

        memset(state, 0, sizeof(*state));
        if (file < 0)
                return 0;
        load(state, file);
        close(file);
        rest = state->text.bytes;
        while (!failed && (line = strsep(&rest, "\n")))
                failed = add_order(state, line);
        return failed;
}

void fo_state_fini(struct fo_state *state)
{
        fo_text_fini(&state->text);
        free(state->orders);
        memset(state, 0, sizeof(*state));
}

static bool is_meant(const char *wanted, const char *word)
{
        return !wanted || (word && strcmp(wanted, word) == 0);
}

const struct fo_order *fo_state_find(const struct fo_state *state, const char *a, const char *b, const char *c)
{
        for (size_t i = 0; i < state->count; i++) {
                const struct fo_order *order = &state->orders[i];

                if (is_meant(a, order->words[0]) && is_meant(b, order->words[1]) && is_meant(c, order->words[2]))
                        return order;
        }
        return NULL;
}

const struct fo_order *fo_state_of(const struct fo_state *state, const char *kind, int64_t id, const char *word)
{
        char number[24];

        snprintf(number, sizeof(number), "%" PRId64, id);
        return fo_state_find(state, kind, number, word);
}

int64_t fo_state_number(const struct fo_state *state, const char *word)
{
        const struct fo_order *order = fo_state_find(state, word, NULL, NULL);

        return order ? strtoll(order->words[1], NULL, 10) : 0;
}
