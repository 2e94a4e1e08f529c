#include "tests/otter/random.h"

static uint64_t scramble(uint64_t z)
{
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
}

uint64_t fo_random_next(struct fo_random *random)
{
        random->state += 0x9e3779b97f4a7c15U;
        return scramble(random->state);
}

int64_t fo_random_between(struct fo_random *random, int64_t low, int64_t high)
{
        uint64_t span = (uint64_t)(high - low) + 1;

        return low + (int64_t)(fo_random_next(random) % span);
}

double fo_random_unit(struct fo_random *random)
{
        return (double)(fo_random_next(random) >> 11) / 9007199254740992.0;
}

bool fo_random_is(struct fo_random *random, double probability)
{
        return fo_random_unit(random) < probability;
}

uint64_t fo_random_mix(uint64_t a, uint64_t b, uint64_t c)
{
        return scramble(scramble(scramble(a + 1) ^ (b + 2)) ^ (c + 3));
}
