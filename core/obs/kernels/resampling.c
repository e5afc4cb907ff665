/* Resample images with separable weights. */
#include "kernels.h"

#include <math.h>

/* Value between four nodes, in lines of `width`, at a place from 0 to 1 between them. */
static double between(const double *node, int64_t width, double right, double up)
{
    double lower = node[0] * (1.0 - right) + node[1] * right;
    double upper = node[width] * (1.0 - right) + node[width + 1] * right;
    return lower * (1.0 - up) + upper * up;
}

/* Sum of taps x taps pixels, the lower left of which is given. Of eight, columns are added up first, all at once. */
static inline float weighted_sum(const float *pixel, int64_t width, const float *across, const float *upward,
                                 int64_t taps)
{
    if (taps == LANES) {
        Floats total = LOAD(pixel) * upward[0];
        for (int j = 1; j < LANES; j++)
            total += LOAD(pixel + j * width) * upward[j];
        total *= LOAD(across);
        return (float)add_lanes(&total);
    }
    double total = 0.0;
    for (int64_t j = 0; j < taps; j++, pixel += width) {
        float line = 0.0f;
        for (int64_t i = 0; i < taps; i++)
            line += across[i] * pixel[i];
        total += (double)(upward[j] * line);
    }
    return (float)total;
}

/* Rows low to high of an output of `width` pixels. image, variance, mask: input, ny rows of nx pixels. node_x, node_y,
   node_area: n_node_row rows of n_node_column nodes. table: weights of `taps` pixels, an even number, for each of
   phases + 1 fractions of a pixel. outside: bits of pixels for which the weights leave the input. */
WIDE int64_t resample_rows(const float *image, const float *variance, const int32_t *mask, int64_t ny, int64_t nx,
                           const double *node_x, const double *node_y, const double *node_area, int64_t n_node_row,
                           int64_t n_node_column, int64_t step, int64_t low, int64_t high, int64_t width,
                           const float *table, int64_t taps, int64_t phases, int64_t outside, float *out_image,
                           float *out_variance, int32_t *out_mask)
{
    int64_t reach = taps / 2;
    for (int64_t row = low; row < high; row++) {
        int64_t below = row / step < n_node_row - 2 ? row / step : n_node_row - 2;
        double up = (double)row / (double)step - (double)below;
        for (int64_t column = 0; column < width; column++, out_image++, out_variance++, out_mask++) {
            int64_t left = column / step < n_node_column - 2 ? column / step : n_node_column - 2;
            double right = (double)column / (double)step - (double)left;
            int64_t at = below * n_node_column + left;
            float x = (float)between(node_x + at, n_node_column, right, up);
            float y = (float)between(node_y + at, n_node_column, right, up);
            if (!(x >= (float)(reach - 1) && x < (float)(nx - reach) && y >= (float)(reach - 1) &&
                  y < (float)(ny - reach))) {
                *out_image = *out_variance = 0.0f;
                *out_mask = (int32_t)outside;
                continue;
            }
            float area = (float)between(node_area + at, n_node_column, right, up);
            int64_t i = (int64_t)x, j = (int64_t)y;
            const float *across = table + taps * (int64_t)((x - (float)i) * (float)phases + 0.5f);
            const float *upward = table + taps * (int64_t)((y - (float)j) * (float)phases + 0.5f);
            const float *pixel = image + (j - reach + 1) * nx + i - reach + 1;
            int64_t nearest = (int64_t)rintf(y) * nx + (int64_t)rintf(x);
            *out_image = weighted_sum(pixel, nx, across, upward, taps) * area;
            *out_variance = variance[nearest] * area;
            *out_mask = mask[nearest];
        }
    }
    return 0;
}
