/* Medians of short columns, eight at a time. */
#include "kernels.h"

#include <math.h>
#include <string.h>

/* A float as a whole number of the same order, and back. */
#define ORDERED(bits) ((bits) ^ (((bits) >> 31) & 0x7fffffff))

#define MOST 256
#define NONE INT32_MAX

/* Values of rank `rank`, from 0, of each of LANES columns of n ordered numbers: bit by bit from the highest. */
static inline Whole of_rank(const Whole *values, int64_t n, Whole rank)
{
    Whole found = {0};
    found = found + INT32_MIN;
    for (int bit = 31; bit >= 0; bit--) {
        /* the highest bit is the sign: from the lowest number to zero */
        Whole candidate = bit == 31 ? (Whole){0} : (found | (int32_t)(1u << bit)), below = {0};
        for (int64_t k = 0; k < n; k++)
            below -= values[k] < candidate;
        Whole enough = below <= rank;
        found = (enough & candidate) | (~enough & found);
    }
    return found;
}

/* image: height (at most 256) x width; bad: likewise, or nothing is bad if `any_bad` is 0; median: width; NaN where no
   pixel is good. Where nothing is bad, a pixel that is NaN makes the median NaN, else it is left out. */
WIDE int64_t column_medians(const float *image, const uint8_t *bad, int64_t height, int64_t width, int64_t any_bad,
                            float *median)
{
    if (height > MOST)
        return -1;
    for (int64_t x = 0; x < width; x += LANES) {
        int64_t n_lane = width - x < LANES ? width - x : LANES;
        Whole values[MOST], good = {0}, unknown = {0};
        for (int64_t y = 0; y < height; y++) {
            int32_t line[LANES];
            for (int64_t i = 0; i < LANES; i++) {
                /* beyond the last column its neighbor is computed again */
                int64_t at = y * width + x + (i < n_lane ? i : n_lane - 1);
                int is_nan = image[at] != image[at], out = is_nan || (any_bad && bad[at]);
                memcpy(&line[i], image + at, sizeof line[i]);
                line[i] = out ? NONE : ORDERED(line[i]);
                good[i] += !out;
                unknown[i] |= is_nan && !any_bad;
            }
            memcpy(&values[y], line, sizeof line);
        }
        Whole low = of_rank(values, height, (good - 1) >> 1), high = of_rank(values, height, good >> 1);
        for (int64_t i = 0; i < n_lane; i++) {
            int32_t first = ORDERED(low[i]), second = ORDERED(high[i]);
            float a, b;
            memcpy(&a, &first, sizeof a);
            memcpy(&b, &second, sizeof b);
            float middle = good[i] & 1 ? a : 0.5f * (a + b);
            median[x + i] = good[i] && !unknown[i] ? middle : NAN;
        }
    }
    return 0;
}
