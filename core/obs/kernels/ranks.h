/* Numbers of a given rank, found without sorting. */
#ifndef OBS_RANKS_H
#define OBS_RANKS_H

#include "kernels.h"

/* Whole numbers whose memory need not be aligned. */
typedef int32_t WholeInMemory __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* A float as a whole number of the same order, and back. */
#define ORDERED(bits) ((bits) ^ (((bits) >> 31) & 0x7fffffff))

/* Put every step-th of n numbers, without those that are NaN, into vectors that the largest numbers fill up; return how
   many they are. Never a call of its own, as all that takes vectors: how they are handed over depends on the processor
   that a function is compiled for. */
static inline __attribute__((always_inline)) int64_t put_in_order(const float *values, int64_t n, int64_t step,
                                                                  void *ordered, int64_t *n_vector)
{
    int64_t known = 0;
    int32_t *bits = (int32_t *)ordered;
    for (int64_t k = 0; k < n; k += step) {
        int32_t number;
        memcpy(&number, values + k, sizeof number);
        bits[known] = ORDERED(number);
        known += values[k] == values[k];
    }
    *n_vector = (known + LANES - 1) / LANES;
    for (int64_t k = known; k < *n_vector * LANES; k++)
        bits[k] = INT32_MAX;
    return known;
}

/* Value of rank `rank`, from 0, of n vectors of ordered numbers: bit by bit from the highest, until one is left. */
static inline __attribute__((always_inline)) float value_of_rank(const void *ordered, int64_t n, int64_t rank)
{
    const WholeInMemory *values = ordered;
    int32_t found = INT32_MIN;
    int64_t before = 0, end = n * LANES;
    for (int bit = 31; bit >= 0 && end - before > 1; bit--) {
        int32_t candidate = bit == 31 ? 0 : (found | (int32_t)(1u << bit));
        int64_t number = 0;
        Whole below = {0};
        for (int64_t k = 0; k < n; k++)
            below -= (Whole)values[k] < candidate;
        for (int i = 0; i < LANES; i++)
            number += below[i];
        if (number <= rank) {
            found = candidate;
            before = number;
        } else {
            end = number;
        }
    }
    Whole least = {0};
    least = least + INT32_MAX;
    for (int64_t k = 0; k < n; k++) {
        Whole value = (Whole)values[k], nearer = (value >= found) & (value < least);
        least = (nearer & value) | (~nearer & least);
    }
    int32_t bits = least[0];
    for (int i = 1; i < LANES; i++)
        bits = least[i] < bits ? least[i] : bits;
    bits = ORDERED(bits);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
