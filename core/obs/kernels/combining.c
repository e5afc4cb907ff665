/* Weighted means of the values that frames have of a pixel, without outliers; see obs.algorithms.combine.rejection. */
#include "kernels.h"

#include <math.h>
#include <stdlib.h>

/* Values of one pixel. */
typedef struct {
    float *value, *variance, *weight;
    uint8_t *good;
    int64_t n;
} Pixel;

typedef struct {
    float mean, variance, total;
} Mean;

/* Sums go in the order of the frames, as those of numpy along the first axis do. */
static Mean mean_of(const Pixel *pixel)
{
    float total = 0.0f, shift = 0.0f, square = 0.0f, origin = pixel->value[0];
    for (int64_t k = 0; k < pixel->n; k++)
        if (pixel->good[k]) {
            origin = pixel->value[k];
            break;
        }
    for (int64_t k = 0; k < pixel->n; k++)
        if (pixel->good[k]) {
            float weight = pixel->weight[k];
            total += weight;
            shift += weight * (pixel->value[k] - origin);
            square += weight * weight * pixel->variance[k];
        }
    Mean mean = {total > 0.0f ? origin + shift / total : NAN, square / (total * total), total};
    return mean;
}

/* Limit of the significance for the effective number of values. */
static float limit_of(const Pixel *pixel, float clip)
{
    float total = 0.0f, square = 0.0f;
    for (int64_t k = 0; k < pixel->n; k++)
        if (pixel->good[k]) {
            total += pixel->weight[k];
            square += pixel->weight[k] * pixel->weight[k];
        }
    float number = total * total / square;
    return clip / sqrtf(1.0f - 1.0f / (number > 2.0f ? number : 2.0f));
}

/* Reject the worst value and compare the rest again, until all agree. */
static void reject_outliers(Pixel *pixel, float clip, float tie, float tie_sigma)
{
    for (;;) {
        int64_t n_good = 0, high = 0, low = 0;
        for (int64_t k = 0; k < pixel->n; k++)
            n_good += pixel->good[k];
        if (n_good < 2)
            return;
        Mean mean = mean_of(pixel);
        float up = -INFINITY, down = INFINITY;
        for (int64_t k = 0; k < pixel->n; k++) {
            float variance = pixel->variance[k], significance = 0.0f;
            float expected = variance * (1.0f - 2.0f * pixel->weight[k] / mean.total) + mean.variance;
            if (pixel->good[k] && expected > 1e-6f * variance)
                significance = (pixel->value[k] - mean.mean) / sqrtf(expected);
            if (significance > up) {
                up = significance;
                high = k;
            }
            if (significance < down) {
                down = significance;
                low = k;
            }
        }
        down = -down;
        float limit = limit_of(pixel, clip);
        if (up > limit && tie * up + tie_sigma >= down)
            pixel->good[high] = 0;
        else if (down > limit)
            pixel->good[low] = 0;
        else
            return;
    }
}

/* values, variance, weight, rejected: n_frame planes of n_pixel. keep: which values count; hit: which good ones exceed the
   mean by so many sigma; both like the values. mean, mean_variance: n_pixel. Returns the number of hits, -1 without
   memory. */
int64_t combine_values(const float *values, const float *variance, const float *weight, const uint8_t *rejected,
                       int64_t n_frame, int64_t n_pixel, double clip, double tie, double tie_sigma, double hit_sigma,
                       uint8_t *keep, uint8_t *hit, float *mean, float *mean_variance)
{
    float *room = malloc((size_t)n_frame * 3 * sizeof *room);
    uint8_t *marks = malloc((size_t)n_frame * 2);
    int64_t n_hit = room && marks ? 0 : -1;
    for (int64_t at = 0; at < n_pixel && n_hit >= 0; at++) {
        Pixel pixel = {room, room + n_frame, room + 2 * n_frame, marks, n_frame};
        uint8_t *good = marks + n_frame;
        for (int64_t k = 0; k < n_frame; k++) {
            int64_t place = k * n_pixel + at;
            pixel.value[k] = values[place];
            pixel.variance[k] = variance[place] < 0.0f ? 0.0f : variance[place];
            pixel.weight[k] = weight[place];
            good[k] = pixel.good[k] = !rejected[place] && isfinite(values[place]) && isfinite(variance[place]);
        }
        reject_outliers(&pixel, (float)clip, (float)tie, (float)tie_sigma);
        Mean found = mean_of(&pixel);
        mean[at] = found.mean;
        mean_variance[at] = found.variance;
        for (int64_t k = 0; k < n_frame; k++) {
            int64_t place = k * n_pixel + at;
            keep[place] = pixel.good[k];
            hit[place] = good[k] && pixel.value[k] - found.mean > (float)hit_sigma * sqrtf(pixel.variance[k]);
            n_hit += hit[place];
        }
    }
    free(room);
    free(marks);
    return n_hit;
}
