/* The tests of obs.algorithms.detector.cosmic_rays. */
#include "kernels.h"

#include <math.h>

/* Flat indices, in an image with a border of one pixel, of pixels above zero whose square exceeds `least` variances;
   index: room for all pixels. Returns how many there are. */
WIDE int64_t find_candidates(const float *image, const float *variance, int64_t height, int64_t width, double least,
                             int64_t *index)
{
    float limit = (float)least;
    int64_t n = 0;
    for (int64_t y = 0; y < height; y++) {
        const float *value = image + y * width, *noise = variance + y * width;
        int64_t from = (y + 1) * (width + 2) + 1;
        for (int64_t x = 0; x < width; x += 32) {
            int64_t stop = x + 32 < width ? x + 32 : width;
            int any = 0;
            for (int64_t i = x; i < stop; i++)
                any |= (value[i] > 0.0f) & (value[i] * value[i] > limit * noise[i]);
            for (int64_t i = x; any && i < stop; i++)
                if (value[i] > 0.0f && value[i] * value[i] > limit * noise[i])
                    index[n++] = from + i;
        }
    }
    return n;
}

/* image, noise: with a border of one pixel, `width` wide; index: n pixels; wings: of each direction;
   hit, level: n, the level that of a hit only. */
int64_t test_hits(const float *image, const float *noise, const int64_t *index, int64_t n, int64_t width,
                  const float *wings, double significance, double factor, uint8_t *hit, float *level)
{
    const int64_t steps[4] = {1, width, width + 1, width - 1};
    const float significant = (float)significance, tolerance = (float)factor;
    for (int64_t k = 0; k < n; k++) {
        const float *at = image + index[k], *own = noise + index[k];
        float sigma = sqrtf(*own), lowest = INFINITY, mean[4];
        int stands_out = 0, too_sharp = 0;
        for (int i = 0; i < 4; i++) {
            mean[i] = 0.5f * (at[steps[i]] + at[-steps[i]]);
            stands_out |= *at - mean[i] > significant * sigma;
        }
        for (int i = 0; stands_out && i < 4; i++) {
            float mean_sigma = 0.5f * sqrtf(own[steps[i]] + own[-steps[i]]);
            too_sharp |= wings[i] * (*at - tolerance * sigma) > mean[i] + tolerance * mean_sigma;
            lowest = mean[i] < lowest || mean[i] != mean[i] ? mean[i] : lowest;
        }
        hit[k] = (uint8_t)(stands_out & too_sharp);
        level[k] = lowest > 0.0f || lowest != lowest ? lowest : 0.0f;
    }
    return 0;
}

/* Neighbors of n pixels in an image `width` wide that are to be looked at next, each once: those allowed, not found yet
   and above zero. index: room for eight times n. Returns how many there are. */
int64_t find_neighbors(const float *image, const int64_t *pixels, int64_t n, int64_t width, uint8_t *allowed,
                       const uint8_t *found, int64_t *index)
{
    int64_t count = 0;
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = 0; i < 9; i++) {
            int64_t at = pixels[k] + (i / 3 - 1) * width + i % 3 - 1;
            if (i == 4 || !allowed[at] || found[at] || !(image[at] > 0.0f))
                continue;
            allowed[at] = 0; /* not a second time in this round */
            index[count++] = at;
        }
    for (int64_t k = 0; k < count; k++)
        allowed[index[k]] = 1;
    return count;
}
