#include "tests/otter/sessions.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { RANDOM_SIZE = FO_SESSION_SIZE - 1 };

void fo_sessions_init(struct fo_sessions *sessions)
{
        memset(sessions, 0, sizeof(*sessions));
        pthread_mutex_init(&sessions->lock, NULL);
}

void fo_sessions_fini(struct fo_sessions *sessions)
{
        pthread_mutex_destroy(&sessions->lock);
}

void fo_sessions_name(char *id)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab";
        unsigned char random[RANDOM_SIZE];

        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                abort();
        for (size_t i = 0; i < RANDOM_SIZE; i++)
                id[i] = letters[random[i] % 64];
        id[RANDOM_SIZE] = 0;
}

void fo_sessions_begin(struct fo_sessions *sessions, char *id)
{
        fo_sessions_name(id);
        pthread_mutex_lock(&sessions->lock);
        memcpy(sessions->ids[sessions->made++ % FO_SESSIONS], id, FO_SESSION_SIZE);
        pthread_mutex_unlock(&sessions->lock);
}

bool fo_sessions_has(struct fo_sessions *sessions, const char *id)
{
        bool found = false;

        if (!id || !*id)
                return false;
        pthread_mutex_lock(&sessions->lock);
        for (size_t i = 0; i < FO_SESSIONS && !found; i++)
                found = strcmp(sessions->ids[i], id) == 0;
        pthread_mutex_unlock(&sessions->lock);
        return found;
}

void fo_sessions_end_all(struct fo_sessions *sessions, uint64_t order)
{
        pthread_mutex_lock(&sessions->lock);
        if (sessions->ended_by != order)
                memset(sessions->ids, 0, sizeof(sessions->ids));
        sessions->ended_by = order;
        pthread_mutex_unlock(&sessions->lock);
}
