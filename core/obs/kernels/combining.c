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

/* The frames' planes, one behind the other, and what becomes of them. */
typedef struct {
    const float *values, *variance, *weight;
    const uint8_t *rejected;
    int64_t n_frame, n_pixel;
    float clip, tie, tie_sigma, hit_sigma;
    uint8_t *keep, *hit;
    float *mean, *mean_variance;
} Planes;

/* One pixel. Returns the number of hits. */
static int64_t combine_pixel(const Planes *planes, int64_t at, Pixel pixel, uint8_t *good)
{
    int64_t n_hit = 0;
    for (int64_t k = 0; k < planes->n_frame; k++) {
        int64_t place = k * planes->n_pixel + at;
        float variance = planes->variance[place];
        pixel.value[k] = planes->values[place];
        pixel.variance[k] = variance < 0.0f ? 0.0f : variance;
        pixel.weight[k] = planes->weight[place];
        good[k] = pixel.good[k] = !planes->rejected[place] && isfinite(pixel.value[k]) && isfinite(variance);
    }
    reject_outliers(&pixel, planes->clip, planes->tie, planes->tie_sigma);
    Mean found = mean_of(&pixel);
    planes->mean[at] = found.mean;
    planes->mean_variance[at] = found.variance;
    for (int64_t k = 0; k < planes->n_frame; k++) {
        int64_t place = k * planes->n_pixel + at;
        planes->keep[place] = pixel.good[k];
        planes->hit[place] =
            good[k] && pixel.value[k] - found.mean > planes->hit_sigma * sqrtf(pixel.variance[k]);
        n_hit += planes->hit[place];
    }
    return n_hit;
}

#define EXPONENT 0x7f800000
#define INLINE static inline __attribute__((always_inline))

INLINE Floats roots_of(Floats values)
{
    Floats roots;
    for (int i = 0; i < LANES; i++)
        roots[i] = sqrtf(values[i]);
    return roots;
}

/* Values of one frame: which are good, and their variance, not below zero. */
INLINE Whole good_values(const Planes *planes, int64_t place, Floats *value, Floats *variance)
{
    Bytes rejected;
    memcpy(&rejected, planes->rejected + place, sizeof rejected);
    *value = LOAD(planes->values + place);
    *variance = LOAD(planes->variance + place);
    Whole is_rejected = -__builtin_convertvector(rejected, Whole);
    Whole is_finite = (((Whole)*value & EXPONENT) != EXPONENT) & (((Whole)*variance & EXPONENT) != EXPONENT);
    *variance = CHOOSE(*variance < 0.0f, (Floats){0}, *variance);
    return is_finite & ~is_rejected;
}

INLINE void store_marks(uint8_t *place, Whole marks)
{
    Bytes bytes = __builtin_convertvector(marks & 1, Bytes);
    memcpy(place, &bytes, sizeof bytes);
}

/* As many pixels as there are lanes, the same numbers in the same order as of one. Pixels with an outlier, which are few,
   are done one by one. */
INLINE int64_t combine_lanes(const Planes *planes, int64_t at, Pixel room, uint8_t *marks)
{
    Floats value, variance, none = {0}, total = {0}, squares = {0}, shift = {0}, square = {0};
    Floats origin = LOAD(planes->values + at);
    Whole found = {0}, n_good = {0};
    for (int64_t k = 0; k < planes->n_frame; k++) {
        int64_t place = k * planes->n_pixel + at;
        Whole good = good_values(planes, place, &value, &variance), is_first = good & ~found;
        Floats weight = LOAD(planes->weight + place);
        origin = CHOOSE(is_first, value, origin);
        found |= good;
        n_good -= good;
        total += CHOOSE(good, weight, none);
        squares += CHOOSE(good, weight * weight, none);
        shift += CHOOSE(good, weight * (value - origin), none);
        square += CHOOSE(good, weight * weight * variance, none);
    }
    Floats mean = CHOOSE(total > 0.0f, origin + shift / total, none + NAN), mean_variance = square / (total * total);
    Floats number = total * total / squares, up = none - INFINITY, down = none + INFINITY;
    number = CHOOSE(number > 2.0f, number, none + 2.0f);
    Floats limit = planes->clip / roots_of(1.0f - 1.0f / number);
    Whole hits = {0};
    for (int64_t k = 0; k < planes->n_frame; k++) {
        int64_t place = k * planes->n_pixel + at;
        Whole good = good_values(planes, place, &value, &variance);
        Floats weight = LOAD(planes->weight + place), above = value - mean;
        Floats expected = variance * (1.0f - 2.0f * weight / total) + mean_variance;
        Floats significance = CHOOSE(good & (expected > 1e-6f * variance), above / roots_of(expected), none);
        up = CHOOSE(significance > up, significance, up);
        down = CHOOSE(significance < down, significance, down);
        Whole hit = good & (above > planes->hit_sigma * roots_of(variance));
        store_marks(planes->keep + place, good);
        store_marks(planes->hit + place, hit);
        hits -= hit;
    }
    Whole odd = (n_good > 1) & (((up > limit) & (planes->tie * up + planes->tie_sigma >= -down)) | (-down > limit));
    STORE(planes->mean + at, mean);
    STORE(planes->mean_variance + at, mean_variance);
    int64_t n_hit = 0;
    for (int i = 0; i < LANES; i++)
        n_hit += odd[i] ? combine_pixel(planes, at + i, room, marks) : hits[i];
    return n_hit;
}

/* values, variance, weight, rejected: n_frame planes of n_pixel. keep: which values count; hit: which good ones exceed the
   mean by so many sigma; both like the values. mean, mean_variance: n_pixel. Returns the number of hits, -1 without
   memory. */
WIDE int64_t combine_values(const float *values, const float *variance, const float *weight, const uint8_t *rejected,
                            int64_t n_frame, int64_t n_pixel, double clip, double tie, double tie_sigma,
                            double hit_sigma, uint8_t *keep, uint8_t *hit, float *mean, float *mean_variance)
{
    Planes planes = {values, variance, weight, rejected, n_frame, n_pixel, (float)clip, (float)tie, (float)tie_sigma,
                     (float)hit_sigma, keep, hit, mean, mean_variance};
    float *room = malloc((size_t)n_frame * 3 * sizeof *room);
    uint8_t *marks = malloc((size_t)n_frame * 2);
    int64_t n_hit = room && marks ? 0 : -1, at = 0;
    Pixel pixel = {room, room + n_frame, room + 2 * n_frame, marks, n_frame};
    for (; at + LANES <= n_pixel && n_hit >= 0; at += LANES)
        n_hit += combine_lanes(&planes, at, pixel, marks + n_frame);
    for (; at < n_pixel && n_hit >= 0; at++)
        n_hit += combine_pixel(&planes, at, pixel, marks + n_frame);
    free(room);
    free(marks);
    return n_hit;
}
