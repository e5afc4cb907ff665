/* Correlate an image with a symmetric separable kernel. */
#include "kernels.h"

#include <stdlib.h>

/* Weighted sums of pairs of vectors that lie as far before as behind; the order of sums is that of the numpy code. */
WIDE static void weigh_pairs(const float **lines, const float *weights, int64_t n_weight, int64_t width, float *out)
{
    int64_t margin = n_weight / 2;
    int64_t x = 0;
    for (; x + 4 * LANES <= width; x += 4 * LANES) {
        const float *middle = lines[margin] + x;
        Floats a = LOAD(middle) * weights[margin], b = LOAD(middle + LANES) * weights[margin];
        Floats c = LOAD(middle + 2 * LANES) * weights[margin], d = LOAD(middle + 3 * LANES) * weights[margin];
        for (int64_t k = 0; k < margin; k++) {
            const float *before = lines[k] + x, *behind = lines[n_weight - 1 - k] + x;
            a += (LOAD(before) + LOAD(behind)) * weights[k];
            b += (LOAD(before + LANES) + LOAD(behind + LANES)) * weights[k];
            c += (LOAD(before + 2 * LANES) + LOAD(behind + 2 * LANES)) * weights[k];
            d += (LOAD(before + 3 * LANES) + LOAD(behind + 3 * LANES)) * weights[k];
        }
        STORE(out + x, a);
        STORE(out + x + LANES, b);
        STORE(out + x + 2 * LANES, c);
        STORE(out + x + 3 * LANES, d);
    }
    for (; x < width; x++) {
        float total = lines[margin][x] * weights[margin];
        for (int64_t k = 0; k < margin; k++)
            total += (lines[k][x] + lines[n_weight - 1 - k][x]) * weights[k];
        out[x] = total;
    }
}

/* Rows from first up to last of a smoothed image. image, out: height x width; weights: n_weight, an odd number. What lies
   outside of the image is zero. */
int64_t smooth_image(const float *image, int64_t height, int64_t width, const float *weights, int64_t n_weight,
                     int64_t first, int64_t last, float *out)
{
    int64_t margin = n_weight / 2;
    float *empty = calloc((size_t)width, sizeof *empty);
    float *padded = calloc((size_t)(width + 2 * margin), sizeof *padded);
    const float **lines = malloc((size_t)n_weight * sizeof *lines);
    int64_t status = -1;
    if (empty && padded && lines) {
        for (int64_t y = first; y < last; y++) {
            for (int64_t k = 0; k < n_weight; k++) {
                int64_t from = y + k - margin;
                lines[k] = from < 0 || from >= height ? empty : image + from * width;
            }
            weigh_pairs(lines, weights, n_weight, width, padded + margin);
            for (int64_t k = 0; k < n_weight; k++)
                lines[k] = padded + k;
            weigh_pairs(lines, weights, n_weight, width, out + y * width);
        }
        status = 0;
    }
    free(empty);
    free(padded);
    free(lines);
    return status;
}
