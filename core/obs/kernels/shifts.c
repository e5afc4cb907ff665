/* Move images by parts of a pixel. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

/* Lay weights along the rows of matrices. nearest: n x size, the sample in the middle of the weights of each pixel; weights:
   n x n_set sets of `taps`, one a pixel or (n_set = 1) one for all; matrices: n x size x model_size, where what falls outside
   of the model is lost. */
int64_t lay_weights(const float *weights, const int64_t *nearest, int64_t n, int64_t n_set, int64_t size,
                    int64_t model_size, int64_t taps, float *matrices)
{
    memset(matrices, 0, (size_t)(n * size * model_size) * sizeof *matrices);
    for (int64_t k = 0; k < n; k++)
        for (int64_t row = 0; row < size; row++, matrices += model_size) {
            const float *weight = weights + (k * n_set + (n_set > 1 ? row : 0)) * taps;
            /* a place that is not a number is the smallest integer */
            if (nearest[k * size + row] < -taps || nearest[k * size + row] > model_size + taps)
                continue;
            int64_t first = nearest[k * size + row] - taps / 2;
            int64_t low = first < 0 ? -first : 0, high = first + taps > model_size ? model_size - first : taps;
            for (int64_t t = low; t < high; t++)
                matrices[first + t] = weight[t];
        }
    return 0;
}

/* Product of a matrix of few diagonals, `size` rows `pitch` apart, with another of lines of `length` numbers, a multiple of
   LANES. */
WIDE static void multiply(const float *banded, int64_t size, int64_t pitch, const float *other, int64_t length,
                          float *product)
{
    for (int64_t i = 0; i < size; i++) {
        const float *row = banded + i * pitch;
        int64_t low = 0, high = size;
        while (low < high && row[low] == 0.0f)
            low++;
        while (high > low && row[high - 1] == 0.0f)
            high--;
        for (int64_t j = 0; j < length; j += LANES) {
            Floats sum = {0};
            for (int64_t k = low; k < high; k++)
                sum += row[k] * LOAD(other + k * length + j);
            STORE(product + i * length + j, sum);
        }
    }
}

/* Sums under a kernel that is moved to each source. rows, columns: n matrices of full x full that move the widest kernel in y
   and in x, whose middle moves this one; kernel: size x size; stamps, variance: n squares of `width` pixels a side; total,
   square: n, weighted sums and their variances. Returns -1 without memory. */
WIDE int64_t sum_under_moved(const float *rows, const float *columns, int64_t n, int64_t full, const float *kernel,
                             int64_t size, const float *stamps, const float *variance, int64_t width, double *total,
                             double *square)
{
    const int64_t cut = (full - size) / 2, first = (width - size) / 2, length = (size + LANES - 1) / LANES * LANES;
    float *turned = calloc((size_t)(4 * size * length), sizeof *turned);
    if (!turned)
        return -1;
    float *by_column = turned + size * length, *upright = by_column + size * length, *moved = upright + size * length;
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < size; j++)
            turned[j * length + i] = kernel[i * size + j];
    for (int64_t k = 0; k < n; k++) {
        const int64_t matrix = k * full * full + cut * full + cut;
        multiply(columns + matrix, size, full, turned, length, by_column);
        for (int64_t i = 0; i < size; i++)
            for (int64_t j = 0; j < size; j++)
                upright[i * length + j] = by_column[j * length + i];
        multiply(rows + matrix, size, full, upright, length, moved);
        total[k] = square[k] = 0.0;
        for (int64_t i = 0; i < size; i++) {
            const int64_t from = (k * width + first + i) * width + first;
            const float *light = stamps + from, *noise = variance + from, *weight = moved + i * length;
            Doubles sums = {0}, squares = {0};
            int64_t j = 0;
            for (; j + LANES <= size; j += LANES) {
                Doubles w = WIDEN(LOAD(weight + j));
                sums += w * WIDEN(LOAD(light + j));
                squares += w * w * WIDEN(LOAD(noise + j));
            }
            for (int t = 0; t < LANES; t++) {
                total[k] += sums[t];
                square[k] += squares[t];
            }
            for (; j < size; j++) {
                total[k] += (double)weight[j] * light[j];
                square[k] += (double)weight[j] * weight[j] * noise[j];
            }
        }
    }
    free(turned);
    return 0;
}
