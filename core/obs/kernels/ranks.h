/* Numbers of a given rank, found without sorting. */
#ifndef OBS_RANKS_H
#define OBS_RANKS_H

#include "kernels.h"

/* Whole numbers whose memory need not be aligned. */
typedef int32_t WholeInMemory __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* A float as a whole number of the same order, and back. */
#define ORDERED(bits) ((bits) ^ (((bits) >> 31) & 0x7fffffff))

/* The largest ordered number stands for those that are left out, or fill up a vector. */
#define LAST INT32_MAX

/* Number of the highest bit that is set, -1 for none; and a mask of the bits beyond it, for any but the sign. */
static inline __attribute__((always_inline)) int highest_bit(uint32_t bits)
{
    return bits ? 31 - __builtin_clz(bits) : -1;
}
#define HIGHER_BITS(bit) ((int32_t)~(((uint32_t)1 << ((bit) + 1)) - 1))

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
        bits[k] = LAST;
    return known;
}

/* Value of rank `rank`, from 0, of n vectors of ordered numbers: bit by bit from the highest that is not the same in all,
   until one is left. */
static inline __attribute__((always_inline)) float value_of_rank(const void *ordered, int64_t n, int64_t rank)
{
    const WholeInMemory *values = ordered;
    Whole lowest = {0}, most = {0};
    lowest = lowest + INT32_MAX;
    most = most + INT32_MIN;
    for (int64_t k = 0; k < n; k++) {
        Whole value = (Whole)values[k], less = value < lowest, more = (value > most) & (value != LAST);
        lowest = (less & value) | (~less & lowest);
        most = (more & value) | (~more & most);
    }
    for (int i = 1; i < LANES; i++) {
        lowest[0] = lowest[i] < lowest[0] ? lowest[i] : lowest[0];
        most[0] = most[i] > most[0] ? most[i] : most[0];
    }
    int highest = highest_bit((uint32_t)(lowest[0] ^ most[0]));
    int32_t found = highest == 31 ? INT32_MIN : (lowest[0] & HIGHER_BITS(highest));
    int64_t before = 0, end = n * LANES;
    for (int bit = highest; bit >= 0 && end - before > 1; bit--) {
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
