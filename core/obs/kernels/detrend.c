/* Calibration frames applied to images, each in one pass; obs.algorithms.detector.detrend has the method. */
#include "kernels.h"

#include <math.h>

/* All bits that any of n pixels has. */
WIDE int64_t all_bits(const int32_t *mask, int64_t n)
{
    int32_t found = 0;
    for (int64_t k = 0; k < n; k++)
        found |= mask[k];
    return found;
}

/* Set bits of a mask of n pixels where another has others; source, target: n_pair of them. */
WIDE int64_t merge_bits(int32_t *mask, const int32_t *other, int64_t n, const int32_t *source, const int32_t *target,
                        int64_t n_pair)
{
    int32_t same = 0;
    for (int64_t pair = 0; pair < n_pair; pair++)
        if (source[pair] == target[pair])
            same |= source[pair];
        else
            for (int64_t k = 0; k < n; k++)
                mask[k] |= -(int32_t)((other[k] & source[pair]) != 0) & target[pair];
    for (int64_t k = 0; same && k < n; k++)
        mask[k] |= other[k] & same;
    return 0;
}

/* Subtract a frame times a factor from n pixels, and add its variance times `square`. Where it is not a number, pixels
   stay and get the bits; returns how many. A variance that is not a number counts as none. */
WIDE int64_t subtract_pixels(float *image, float *variance, int32_t *mask, const float *frame,
                             const float *frame_variance, int64_t n, double factor, double square, int64_t bits)
{
    const float scale = (float)factor, scale_variance = (float)square;
    const int32_t bad_bits = (int32_t)bits;
    int64_t n_bad = 0;
    for (int64_t k = 0; k < n; k++) {
        float amount = frame[k] * scale, noise = frame_variance[k] * scale_variance;
        int32_t good = fabsf(amount) < INFINITY;
        n_bad += !good;
        mask[k] |= (good - 1) & bad_bits;
        image[k] -= good ? amount : 0.0f;
        variance[k] += fabsf(noise) < INFINITY ? noise : 0.0f;
    }
    return n_bad;
}

/* Divide n pixels by a flat times a factor, whose variance is added. Where it is not above the minimum, pixels stay and
   get the bits; returns how many. A variance that is not a number counts as none. */
WIDE int64_t divide_pixels(float *image, float *variance, int32_t *mask, const float *flat, const float *flat_variance,
                           int64_t n, double factor, double minimum, int64_t bits)
{
    const float scale = (float)factor, square = scale * scale, least = (float)minimum;
    const int32_t bad_bits = (int32_t)bits;
    int64_t n_bad = 0;
    for (int64_t k = 0; k < n; k++) {
        float sensitivity = flat[k] * scale, noise = flat_variance[k] * square;
        int32_t good = (sensitivity > least) & (sensitivity < INFINITY);
        float inverse = 1.0f / (good ? sensitivity : 1.0f), count = image[k] * inverse;
        n_bad += !good;
        mask[k] |= (good - 1) & bad_bits;
        noise = good & (fabsf(noise) < INFINITY) ? noise : 0.0f;
        image[k] = count;
        variance[k] = (variance[k] + noise * count * count) * (inverse * inverse);
    }
    return n_bad;
}
