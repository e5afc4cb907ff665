/* Clipped means and standard deviations. */
#include "kernels.h"
#include "ranks.h"

#include <math.h>

#define CHUNK 1024
#define IQR_TO_SIGMA 0.741301109252801

/* Number, sum and sum of squares of the deviations from a center that are within a limit; NaN is not. */
WIDE static int64_t add_inside(const float *values, int64_t n, float center, float limit, double *sum, double *square)
{
    int64_t number = 0;
    *sum = *square = 0.0;
    for (int64_t first = 0; first < n; first += CHUNK) {
        int64_t end = first + CHUNK < n ? first + CHUNK : n, k = first;
        Floats sums[2] = {0}, squares[2] = {0};
        Whole counts[2] = {0};
        for (; k + 2 * LANES <= end; k += 2 * LANES)
            for (int i = 0; i < 2; i++) {
                Floats deviation = LOAD(values + k + i * LANES) - center;
                Whole inside = (deviation <= limit) & (deviation >= -limit);
                deviation = (Floats)(inside & (Whole)deviation);
                counts[i] -= inside;
                sums[i] += deviation;
                squares[i] += deviation * deviation;
            }
        for (; k < end; k++) {
            float deviation = values[k] - center;
            if (fabsf(deviation) <= limit) {
                counts[0][0]++;
                sums[0][0] += deviation;
                squares[0][0] += deviation * deviation;
            }
        }
        for (int i = 0; i < 2; i++) {
            *sum += add_lanes(&sums[i]);
            *square += add_lanes(&squares[i]);
            for (int j = 0; j < LANES; j++)
                number += counts[i][j];
        }
    }
    return number;
}

/* A thousand values of a cell give its quartiles to a few per cent. */
enum { SAMPLE = 1000, MOST_SAMPLED = 2 * SAMPLE };

/* Where the clipping of a cell starts: median and quartiles of a sample of its numbers. */
WIDE static void start_clipping(const float *cell, int64_t n, double *center, double *sigma)
{
    Whole ordered[MOST_SAMPLED / LANES + 1];
    int64_t step = n / SAMPLE > 1 ? n / SAMPLE : 1, known = 0, n_vector;
    for (int64_t k = 0; k < n; k += step)
        known += fabsf(cell[k]) <= 3.40282347e38f;
    float quartile[3] = {NAN, NAN, NAN};
    if (put_in_order(cell, n, step, ordered, &n_vector))
        for (int i = 0; i < 3; i++)
            quartile[i] = value_of_rank(ordered, n_vector, known ? (int64_t)(0.25 * (i + 1) * (double)(known - 1)) : 0);
    *center = quartile[1];
    *sigma = IQR_TO_SIGMA * (double)(quartile[2] - quartile[0]);
    if (*sigma != 0.0 || !known)
        return;
    /* more than half of the values are one number: they say nothing */
    double sum = 0.0, square = 0.0, number = 0.0;
    for (int64_t k = 0; k < n; k++)
        if (fabsf(cell[k]) <= 3.40282347e38f) {
            sum += (double)cell[k];
            number++;
        }
    for (int64_t k = 0; k < n; k++)
        if (fabsf(cell[k]) <= 3.40282347e38f)
            square += ((double)cell[k] - sum / number) * ((double)cell[k] - sum / number);
    *sigma = sqrt(square / number);
}

/* Copy a cell, NaN where it is bad and beyond its width, and return how many of its pixels are numbers. */
WIDE static int64_t copy_cell(const float *image, const uint8_t *bad, int64_t has_bad, int64_t height, int64_t width,
                              int64_t n, int64_t widest, float *cell)
{
    int64_t finite = 0;
    for (int64_t y = 0; y < height; y++, image += width, bad += has_bad ? width : 0, cell += widest) {
        int32_t in_line = 0;
        for (int64_t x = 0; x < n; x++)
            cell[x] = image[x];
        for (int64_t x = 0; has_bad && x < n; x++)
            cell[x] = bad[x] ? NAN : cell[x];
        for (int64_t x = n; x < widest; x++)
            cell[x] = NAN;
        for (int64_t x = 0; x < n; x++)
            in_line += fabsf(cell[x]) <= 3.40282347e38f;
        finite += in_line;
    }
    return finite;
}

/* Clip the pixels of cells side by side. image, bad: height x width, bad only if has_bad; edges: n_cell + 1 columns; cell:
   room for the pixels of the widest one, of `widest` columns; center, sigma: n_cell, what is left in the end; finite,
   number: n_cell, pixels that are numbers, and those that count. */
int64_t clip_strip(const float *image, const uint8_t *bad, int64_t has_bad, int64_t height, int64_t width,
                   const int64_t *edges, int64_t n_cell, int64_t widest, double clip, int64_t n_iteration, float *cell,
                   double *center, double *sigma, int64_t *finite, int64_t *number)
{
    int64_t n_pixel = height * widest;
    for (int64_t at = 0; at < n_cell; at++) {
        const uint8_t *out = has_bad ? bad + edges[at] : bad;
        finite[at] = number[at] =
            copy_cell(image + edges[at], out, has_bad, height, width, edges[at + 1] - edges[at], widest, cell);
        start_clipping(cell, n_pixel, center + at, sigma + at);
        for (int64_t k = 0; k < n_iteration; k++) {
            double sum, square;
            number[at] =
                add_inside(cell, n_pixel, (float)center[at], (float)(clip * sigma[at]), &sum, &square);
            double divisor = number[at] ? (double)number[at] : 1.0, shift = sum / divisor;
            double spread = square / divisor - shift * shift;
            sigma[at] = spread > 0.0 ? sqrt(spread) : 0.0;
            center[at] += shift;
        }
    }
    return 0;
}

/* Leave of values those within a limit of a center; return their number, and their sum in `sum`. */
int64_t keep_inside(float *values, int64_t n, double center, double limit, double *sum)
{
    float middle = (float)center, most = (float)limit;
    int64_t kept = 0;
    double total = 0.0;
    for (int64_t k = 0; k < n; k++) {
        float value = values[k];
        int inside = fabsf(value - middle) <= most;
        values[kept] = value;
        kept += inside;
        total += inside ? value : 0.0f;
    }
    *sum = total;
    return kept;
}

/* Sum of the squares of the deviations of values from a center. */
int64_t sum_squares(const float *values, int64_t n, double center, double *square)
{
    double sum;
    return add_inside(values, n, (float)center, INFINITY, &sum, square);
}
