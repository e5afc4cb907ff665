/* Weighted sums over the pixels of stamps, in double precision. */
#include "kernels.h"

static double sum_of(const Doubles *values)
{
    double total = 0.0;
    for (int i = 0; i < LANES; i++)
        total += (*values)[i];
    return total;
}

/* a, b: n rows of m numbers; result: n, sums of their products. */
WIDE int64_t sum_products(const float *a, const float *b, int64_t n, int64_t m, double *result)
{
    for (int64_t row = 0; row < n; row++, a += m, b += m) {
        Doubles sums = {0};
        int64_t k = 0;
        for (; k + LANES <= m; k += LANES)
            sums += WIDEN(LOAD(a + k)) * WIDEN(LOAD(b + k));
        result[row] = sum_of(&sums);
        for (; k < m; k++)
            result[row] += (double)a[k] * b[k];
    }
    return 0;
}

/* weight, image, variance: n rows of m numbers; total, square: n, weighted sums and their variances. */
WIDE int64_t sum_weighted(const float *weight, const float *image, const float *variance, int64_t n, int64_t m,
                          double *total, double *square)
{
    for (int64_t row = 0; row < n; row++, weight += m, image += m, variance += m) {
        Doubles sums = {0}, squares = {0};
        int64_t k = 0;
        for (; k + LANES <= m; k += LANES) {
            Doubles w = WIDEN(LOAD(weight + k));
            sums += w * WIDEN(LOAD(image + k));
            squares += w * w * WIDEN(LOAD(variance + k));
        }
        total[row] = sum_of(&sums);
        square[row] = sum_of(&squares);
        for (; k < m; k++) {
            total[row] += (double)weight[k] * image[k];
            square[row] += (double)weight[k] * weight[k] * variance[k];
        }
    }
    return 0;
}

/* Sums over a kernel of size x size pixels, of stamps and variances of (size + 2) x (size + 2), n each, whose rows are
   `width` pixels apart and whose planes `plane` pixels, from `offset` on. smoothed: n times the kernel at nine places;
   noise: 4 x n, variance of slope and curvature in x and in y of the smoothed image. padded: room for (size + 4) lines
   of size + 4 numbers. */
WIDE int64_t smooth_middle(const float *stamps, const float *variance, const float *kernel, int64_t n, int64_t size,
                           int64_t width, int64_t plane, int64_t offset, float *padded, double *smoothed, double *noise)
{
    const int64_t pitch = size + 4;
    for (int64_t k = 0; k < n; k++, kernel += size * size, smoothed += 9) {
        const float *image = stamps + k * plane + offset, *spread = variance + k * plane + offset;
        for (int64_t i = 0; i < pitch * pitch; i++)
            padded[i] = 0.0f;
        for (int64_t j = 0; j < size; j++)
            for (int64_t i = 0; i < size; i++)
                padded[(j + 2) * pitch + i + 2] = kernel[j * size + i];
        for (int place = 0; place < 9; place++) {
            Floats sums = {0};
            float rest = 0.0f;
            for (int64_t j = 0; j < size; j++) {
                const float *a = image + (j + place / 3) * width + place % 3, *b = kernel + j * size;
                int64_t i = 0;
                for (; i + LANES <= size; i += LANES)
                    sums += LOAD(a + i) * LOAD(b + i);
                for (; i < size; i++)
                    rest += a[i] * b[i];
            }
            smoothed[place] = add_lanes(&sums) + (double)rest;
        }
        double sum[4] = {0.0, 0.0, 0.0, 0.0};
        for (int64_t j = 0; j < size + 2; j++) {
            const float *middle = padded + (j + 1) * pitch + 1, *v = spread + j * width;
            Floats sums[4] = {0};
            int64_t i = 0;
            for (; i + LANES <= size + 2; i += LANES) {
                Floats here = LOAD(middle + i), left = LOAD(middle + i - 1), right = LOAD(middle + i + 1);
                Floats above = LOAD(middle + i - pitch), below = LOAD(middle + i + pitch), known = LOAD(v + i);
                Floats slope_x = 0.5f * (left - right), curve_x = 2.0f * here - left - right;
                Floats slope_y = 0.5f * (above - below), curve_y = 2.0f * here - above - below;
                sums[0] += slope_x * slope_x * known;
                sums[1] += curve_x * curve_x * known;
                sums[2] += slope_y * slope_y * known;
                sums[3] += curve_y * curve_y * known;
            }
            for (int t = 0; t < 4; t++)
                sum[t] += add_lanes(&sums[t]);
            for (; i < size + 2; i++) {
                float here = middle[i], left = middle[i - 1], right = middle[i + 1];
                float above = middle[i - pitch], below = middle[i + pitch];
                float terms[4] = {0.5f * (left - right), 2.0f * here - left - right, 0.5f * (above - below),
                                  2.0f * here - above - below};
                for (int t = 0; t < 4; t++)
                    sum[t] += (double)(terms[t] * terms[t] * v[i]);
            }
        }
        for (int t = 0; t < 4; t++)
            noise[t * n + k] = sum[t];
    }
    return 0;
}

/* Running sums along the middle axis. values, result: outer x length x inner; total: room for inner; each sum has `width`
   values, the first one half of the width before its own, and there is nothing beyond the ends. */
WIDE int64_t sum_boxes(const float *values, int64_t outer, int64_t length, int64_t inner, int64_t width, double *total,
                       double *result)
{
    const int64_t before = width / 2, after = width - 1 - before;
    for (int64_t k = 0; k < outer; k++, values += length * inner, result += length * inner) {
        memset(total, 0, (size_t)inner * sizeof *total);
        for (int64_t j = 0; j < after && j < length; j++)
            for (int64_t i = 0; i < inner; i++)
                total[i] += values[j * inner + i];
        for (int64_t j = 0; j < length; j++) {
            if (j + after < length)
                for (int64_t i = 0; i < inner; i++)
                    total[i] += values[(j + after) * inner + i];
            if (j > before)
                for (int64_t i = 0; i < inner; i++)
                    total[i] -= values[(j - before - 1) * inner + i];
            memcpy(result + j * inner, total, (size_t)inner * sizeof *total);
        }
    }
    return 0;
}
