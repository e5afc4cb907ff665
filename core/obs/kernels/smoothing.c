/* Correlate an image with a symmetric separable kernel. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

/* Weighted sums of pairs of vectors that lie as far before as behind; the order of sums is that of the numpy code. */
WIDE static void weigh_pairs(const float **lines, const float *weights, int64_t n_weight, int64_t width, float *out)
{
    int64_t margin = n_weight / 2;
    int64_t x = 0;
    for (; x + 32 <= width; x += 32) {
        float total[32];
        for (int i = 0; i < 32; i++)
            total[i] = lines[margin][x + i] * weights[margin];
        for (int64_t k = 0; k < margin; k++) {
            const float *before = lines[k] + x, *behind = lines[n_weight - 1 - k] + x;
            for (int i = 0; i < 32; i++)
                total[i] += (before[i] + behind[i]) * weights[k];
        }
        memcpy(out + x, total, sizeof total);
    }
    for (; x < width; x++) {
        float total = lines[margin][x] * weights[margin];
        for (int64_t k = 0; k < margin; k++)
            total += (lines[k][x] + lines[n_weight - 1 - k][x]) * weights[k];
        out[x] = total;
    }
}

/* image, out: height x width; weights: n_weight, an odd number. What lies outside of the image is zero. */
int64_t smooth_image(const float *image, int64_t height, int64_t width, const float *weights, int64_t n_weight, float *out)
{
    int64_t margin = n_weight / 2;
    float *empty = calloc((size_t)width, sizeof *empty);
    float *padded = calloc((size_t)(width + 2 * margin), sizeof *padded);
    const float **lines = malloc((size_t)n_weight * sizeof *lines);
    int64_t status = -1;
    if (empty && padded && lines) {
        for (int64_t y = 0; y < height; y++) {
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
