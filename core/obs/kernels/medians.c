/* Medians of short columns, eight at a time. */
#include "kernels.h"
#include "ranks.h"

#include <math.h>
#include <string.h>

#define MOST 256
#define NONE LAST
#define IN_LINE 16 /* floats in a line of the processor's cache */

/* Values of rank `rank`, from 0, of each of LANES columns of n ordered numbers: bit by bit from the highest that is not the same
   in all, until one number of each column is left. Never a call of its own: how vectors are handed over depends on the processor that a
   function is compiled for. */
static inline __attribute__((always_inline)) Whole of_rank(const Whole *values, int64_t n, Whole rank)
{
    Whole before = {0}, end = {0}, value = {0}, least = {0}, most = {0};
    least = least + INT32_MAX;
    most = most + INT32_MIN;
    end = end + (int32_t)n;
    for (int64_t k = 0; k < n; k++) {
        Whole less = values[k] < least, more = (values[k] > most) & (values[k] != NONE);
        least = (less & values[k]) | (~less & least);
        most = (more & values[k]) | (~more & most);
    }
    Whole differ = least ^ most;
    uint32_t any = 0;
    for (int i = 0; i < LANES; i++)
        any |= (uint32_t)differ[i];
    int highest = highest_bit(any);
    Whole found = least & (highest == 31 ? 0 : HIGHER_BITS(highest));
    if (highest == 31)
        found = found + INT32_MIN;
    for (int bit = highest, many = 1; bit >= 0 && many; bit--) {
        /* the highest bit is the sign: from the lowest number to zero */
        Whole candidate = bit == 31 ? (Whole){0} : (found | (int32_t)(1u << bit)), below = {0};
        for (int64_t k = 0; k < n; k++)
            below -= values[k] < candidate;
        Whole enough = below <= rank;
        found = (enough & candidate) | (~enough & found);
        before = (enough & below) | (~enough & before);
        end = (enough & end) | (~enough & below);
        many = 0;
        for (int i = 0; i < LANES; i++)
            many |= end[i] - before[i] - 1;
    }
    value = value + INT32_MAX;
    for (int64_t k = 0; k < n; k++) {
        Whole nearer = (values[k] >= found) & (values[k] < value);
        value = (nearer & values[k]) | (~nearer & value);
    }
    return value;
}

/* Values of rank `rank` where `low` has that rank or the one before it: it repeats, or the next larger one follows. */
static inline __attribute__((always_inline)) Whole next_of(const Whole *values, int64_t n, Whole low, Whole rank)
{
    Whole number = {0}, larger = {0};
    larger = larger + INT32_MAX;
    for (int64_t k = 0; k < n; k++) {
        Whole beyond = values[k] > low, nearer = beyond & (values[k] < larger);
        number += beyond + 1;
        larger = (nearer & values[k]) | (~nearer & larger);
    }
    Whole repeats = number > rank;
    return (repeats & low) | (~repeats & larger);
}

/* image, bad: height (at most 256) x width, whose rows and columns are so many pixels apart; median: width, NaN where no pixel
   is good; n_bad: width, how many are bad. If nothing is bad, a pixel that is NaN makes the median NaN, else it is left
   out. Returns -1 for more rows. */
WIDE int64_t column_medians(const float *image, int64_t row_step, int64_t column_step, const uint8_t *bad,
                            int64_t bad_row_step, int64_t bad_column_step, int64_t height, int64_t width, float *median,
                            int64_t *n_bad)
{
    int64_t any_bad = 0;
    if (height > MOST)
        return -1;
    memset(n_bad, 0, (size_t)width * sizeof *n_bad);
    /* along the lines of memory, whichever they are */
    if (bad_row_step < bad_column_step)
        for (int64_t x = 0; x < width; x++)
            for (int64_t y = 0; y < height; y++)
                n_bad[x] += bad[y * bad_row_step + x * bad_column_step];
    else
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++)
                n_bad[x] += bad[y * bad_row_step + x * bad_column_step];
    for (int64_t x = 0; x < width; x++)
        any_bad |= n_bad[x];
    for (int64_t x = 0; x < width; x += LANES) {
        int64_t n_lane = width - x < LANES ? width - x : LANES;
        float lines[MOST][LANES];
        uint8_t outs[MOST][LANES];
        Whole values[MOST], good = {0}, unknown = {0};
        for (int64_t i = 0; i < LANES; i++) {
            /* beyond the last column its neighbor is computed again */
            int64_t column = x + (i < n_lane ? i : n_lane - 1);
            const float *from = image + column * column_step;
            const uint8_t *from_bad = bad + column * bad_column_step;
            if (column_step != 1 || n_lane < LANES)
                for (int64_t y = 0; y < height; y++)
                    lines[y][i] = from[y * row_step];
            /* each line of a transposed image is on a page of its own: ask for those of the next step in time */
            for (int64_t y = 0; row_step == 1 && x + LANES + i < width && y < height + IN_LINE; y += IN_LINE)
                __builtin_prefetch(from + LANES * column_step + (y < height ? y : height - 1));
            if (any_bad && (bad_column_step != 1 || n_lane < LANES))
                for (int64_t y = 0; y < height; y++)
                    outs[y][i] = from_bad[y * bad_row_step];
        }
        for (int64_t y = 0; y < height; y++) {
            /* eight that lie beside one another are read at once */
            int is_wide = n_lane == LANES;
            Floats known = LOAD(is_wide && column_step == 1 ? image + y * row_step + x : lines[y]);
            Whole bits = (Whole)known, left_out = {0}, is_nan = known != known;
            if (any_bad) {
                Bytes out;
                memcpy(&out, is_wide && bad_column_step == 1 ? bad + y * bad_row_step + x : outs[y], sizeof out);
                left_out = -__builtin_convertvector(out, Whole);
            }
            unknown |= is_nan & ~left_out;
            left_out |= is_nan;
            good += left_out + 1;
            values[y] = (left_out & NONE) | (~left_out & ORDERED(bits));
        }
        Whole low = of_rank(values, height, (good - 1) >> 1), high = next_of(values, height, low, good >> 1);
        for (int64_t i = 0; i < n_lane; i++) {
            int32_t first = ORDERED(low[i]), second = ORDERED(high[i]);
            float a, b;
            memcpy(&a, &first, sizeof a);
            memcpy(&b, &second, sizeof b);
            float middle = good[i] & 1 ? a : 0.5f * (a + b);
            median[x + i] = good[i] && (any_bad || !unknown[i]) ? middle : NAN;
        }
    }
    return 0;
}

/* Numbers of some ranks, from 0, among every step-th of n that are not NaN; room: n + LANES. Returns how many those are,
   and finds none if a rank is not below that. */
WIDE int64_t find_ranks(const float *values, int64_t n, int64_t step, const int64_t *ranks, int64_t n_rank, int32_t *room,
                        float *found)
{
    int64_t n_vector, known = put_in_order(values, n, step, room, &n_vector);
    for (int64_t k = 0; k < n_rank; k++)
        if (ranks[k] >= known)
            return known;
    for (int64_t k = 0; k < n_rank; k++)
        found[k] = k && ranks[k] == ranks[k - 1] ? found[k - 1] : value_of_rank(room, n_vector, ranks[k]);
    return known;
}

/* Clipped means of n cells of size x size pixels that lie side by side; rows of the image and of what is rejected are so
   many pixels apart. Pixels that are not finite do not count, nor do those further than `reach` from the median.
   room: size * size + LANES numbers, values: size * size; mean: n, NaN for a cell without pixels; number: n, of pixels. */
WIDE int64_t cell_means(const float *image, int64_t row_step, const uint8_t *rejected, int64_t rejected_step,
                        int64_t size, int64_t n, double reach, int32_t *room, float *values, double *mean,
                        int64_t *number)
{
    for (int64_t cell = 0; cell < n; cell++) {
        int64_t known = 0, n_vector;
        for (int64_t y = 0; y < size; y++) {
            const float *row = image + y * row_step + cell * size;
            const uint8_t *out = rejected + y * rejected_step + cell * size;
            for (int64_t x = 0; x < size; x++) {
                values[known] = row[x];
                known += !out[x] & (fabsf(row[x]) < INFINITY);
            }
        }
        number[cell] = known;
        mean[cell] = NAN;
        if (!known)
            continue;
        put_in_order(values, known, 1, room, &n_vector);
        float low = value_of_rank(room, n_vector, (known - 1) / 2), high = low;
        if (known % 2 == 0) {
            int64_t below = 0;
            float next = INFINITY;
            for (int64_t k = 0; k < known; k++) {
                below += values[k] <= low;
                next = (values[k] > low) & (values[k] < next) ? values[k] : next;
            }
            high = below > known / 2 ? low : next;
        }
        double median = 0.5 * ((double)low + (double)high), total = 0.0;
        int64_t near = 0;
        for (int64_t k = 0; k < known; k++) {
            double away = (double)values[k] - median;
            int64_t counts = fabs(away) <= reach;
            total += counts ? away : 0.0;
            near += counts;
        }
        mean[cell] = median + total / (double)(near ? near : 1);
    }
    return 0;
}
