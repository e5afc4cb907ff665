/* Clipped means and standard deviations. */
#include "kernels.h"

#include <math.h>

#define CHUNK 1024

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

/* cells: n rows of n_pixel values; center, sigma: n, where clipping starts, and what is left in the end; number: n,
   values that count. */
int64_t clip_rows(const float *cells, int64_t n, int64_t n_pixel, double clip, int64_t n_iteration, double *center,
                  double *sigma, int64_t *number)
{
    for (int64_t row = 0; row < n; row++)
        for (int64_t k = 0; k < n_iteration; k++) {
            double sum, square;
            number[row] = add_inside(cells + row * n_pixel, n_pixel, (float)center[row], (float)(clip * sigma[row]),
                                     &sum, &square);
            double divisor = number[row] ? (double)number[row] : 1.0, shift = sum / divisor;
            double spread = square / divisor - shift * shift;
            sigma[row] = spread > 0.0 ? sqrt(spread) : 0.0;
            center[row] += shift;
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
