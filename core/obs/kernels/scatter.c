/* Noise of the sky in cells of pixels, one cell after the other; obs.algorithms.sky.scatter has the method. */
#include "kernels.h"
#include "ranks.h"

#include <math.h>
#include <string.h>

enum { CELL = 32, LAG = 4, SIDE = CELL / LAG, PIXELS = CELL * CELL, MOST = 2 * CELL * (CELL - LAG) };

#define CLIP 4.0
#define MOST_CLIPPED 0.8
#define CLIPPED_SIGMA 0.9982
#define IQR_TO_SIGMA 0.741301109252801
#define FEWEST_GOOD 0.5

/* Clipped standard deviation about zero of n numbers, which become absolute; NaN and infinities are left out. */
static inline __attribute__((always_inline)) double sigma_of(float *values, int64_t n)
{
    Whole ordered[MOST / LANES + 1];
    int64_t known, n_vector, kept = 0;
    double all = 0.0, square = 0.0;
    for (int64_t k = 0; k < n; k++) {
        float size = fabsf(values[k]);
        values[k] = size <= 3.40282347e38f ? size : NAN;
    }
    known = put_in_order(values, n, 1, ordered, &n_vector);
    if (!known)
        return NAN;
    double limit = CLIP * (2.0 * IQR_TO_SIGMA * (double)value_of_rank(ordered, n_vector, known / 2));
    for (int64_t k = 0; k < n; k++) {
        double value = values[k];
        if (value <= limit) {
            square += value * value;
            kept++;
        }
        all += value == value ? value * value : 0.0;
    }
    if ((double)kept < MOST_CLIPPED * (double)known) {
        limit = CLIP * sqrt(all / (double)known);
        square = 0.0;
        kept = 0;
        for (int64_t k = 0; k < n; k++) {
            double value = values[k];
            if (value <= limit) {
                square += value * value;
                kept++;
            }
        }
    }
    return sqrt(square / (double)(kept ? kept : 1)) / CLIPPED_SIGMA;
}

/* Differences of numbers in a square of `side`, so many apart along columns, then along rows; return how many. */
static inline __attribute__((always_inline)) int64_t subtract(const float *square, int side, int apart, float *found)
{
    int64_t n = 0;
    for (int y = 0; y < side - apart; y++)
        for (int x = 0; x < side; x++)
            found[n++] = square[(y + apart) * side + x] - square[y * side + x];
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side - apart; x++)
            found[n++] = square[y * side + x + apart] - square[y * side + x];
    return n;
}

/* image, variance, bad: CELL rows of `width` pixels; found: pixel, single and block noise and mean variance of each of
   n_cell cells side by side, 4 x n_cell. */
WIDE int64_t measure_cells(const float *image, const float *variance, const uint8_t *bad, int64_t width, int64_t n_cell,
                           double *found)
{
    for (int64_t at = 0; at < n_cell; at++) {
        float cell[PIXELS], values[MOST], curved[CELL * CELL], blocks[SIDE * SIDE];
        int64_t n_finite = 0, n_vector, near = 0;
        double expected = 0.0;
        for (int y = 0; y < CELL; y++)
            for (int x = 0; x < CELL; x++) {
                int64_t place = y * width + at * CELL + x;
                float value = bad[place] ? NAN : image[place];
                cell[y * CELL + x] = value;
                n_finite += fabsf(value) <= 3.40282347e38f;
            }
        if ((double)n_finite < FEWEST_GOOD * PIXELS) {
            for (int k = 0; k < 4; k++)
                found[k * n_cell + at] = NAN;
            continue;
        }
        double pixel = sigma_of(values, subtract(cell, CELL, LAG, values)) / sqrt(2.0);
        for (int y = 1; y < CELL - 1; y++)
            for (int x = 0; x < CELL; x++)
                curved[y * CELL + x] =
                    cell[(y + 1) * CELL + x] + cell[(y - 1) * CELL + x] - 2.0f * cell[y * CELL + x];
        int64_t n = 0;
        for (int y = 1; y < CELL - 1; y++)
            for (int x = 1; x < CELL - 1; x++)
                values[n++] = curved[y * CELL + x + 1] + curved[y * CELL + x - 1] - 2.0f * curved[y * CELL + x];
        double single = sigma_of(values, n) / 6.0;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                float sum = 0.0f;
                for (int k = 0; k < LAG * LAG; k++)
                    sum += cell[(y * LAG + k / LAG) * CELL + x * LAG + k % LAG];
                blocks[y * SIDE + x] = sum / (LAG * LAG);
            }
        double block = LAG * sigma_of(values, subtract(blocks, SIDE, 2, values)) / sqrt(2.0);
        Whole ordered[PIXELS / LANES + 1];
        int64_t known = put_in_order(cell, PIXELS, 1, ordered, &n_vector);
        float middle = value_of_rank(ordered, n_vector, known / 2);
        if (known % 2 == 0)
            middle = 0.5f * (value_of_rank(ordered, n_vector, known / 2 - 1) + middle);
        for (int y = 0; y < CELL; y++)
            for (int x = 0; x < CELL; x++)
                if ((double)fabsf(cell[y * CELL + x] - middle) <= CLIP * pixel) {
                    expected += (double)variance[y * width + at * CELL + x];
                    near++;
                }
        found[at] = pixel;
        found[n_cell + at] = single;
        found[2 * n_cell + at] = block;
        found[3 * n_cell + at] = expected / (double)(near ? near : 1);
    }
    return 0;
}
