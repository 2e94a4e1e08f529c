/*
 * Chance from a seed (splitmix64): one state a thread, so that a run with the same seed makes
 * the same choices however the threads are scheduled.
 */
#ifndef FO_RANDOM_H
#define FO_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct fo_random {
        uint64_t state;
};

uint64_t fo_random_next(struct fo_random *random);

/* From `low` to `high`, both included. */
int64_t fo_random_between(struct fo_random *random, int64_t low, int64_t high);

/* From 0 to just under 1. */
double fo_random_unit(struct fo_random *random);

bool fo_random_is(struct fo_random *random, double probability);

/* The same three numbers always give the same fourth: decisions that several threads share. */
uint64_t fo_random_mix(uint64_t a, uint64_t b, uint64_t c);

#endif
