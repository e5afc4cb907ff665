/* Clipped means and standard deviations. */
#include "kernels.h"

#include <math.h>

#define LANES 16
#define CHUNK 1024

/* Number, sum and sum of squares of the deviations from a center that are within a limit; NaN is not. */
WIDE static int64_t add_inside(const float *values, int64_t n, float center, float limit, double *sum, double *square)
{
    int64_t number = 0;
    *sum = *square = 0.0;
    for (int64_t first = 0; first < n; first += CHUNK) {
        int64_t end = first + CHUNK < n ? first + CHUNK : n, k = first;
        float sums[LANES] = {0}, squares[LANES] = {0};
        int32_t counts[LANES] = {0};
        for (; k + LANES <= end; k += LANES)
            for (int i = 0; i < LANES; i++) {
                float deviation = values[k + i] - center;
                int inside = fabsf(deviation) <= limit;
                float kept = inside ? deviation : 0.0f;
                counts[i] += inside;
                sums[i] += kept;
                squares[i] += kept * kept;
            }
        for (int i = 0; k < end; k++, i++) {
            float deviation = values[k] - center;
            if (fabsf(deviation) <= limit) {
                counts[i]++;
                sums[i] += deviation;
                squares[i] += deviation * deviation;
            }
        }
        for (int i = 0; i < LANES; i++) {
            number += counts[i];
            *sum += sums[i];
            *square += squares[i];
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
