/* Local maxima of an image. */
#include "kernels.h"

/* image, above: height x width; above: 0 or 1, where maxima may be. Pixels within `margin` of the border are not known, and
   do not count as neighbors. place: flat index of each maximum, in reading order; of equal neighbors the first is the
   maximum. Returns their number. */
int64_t list_maxima(const float *image, const uint8_t *above, int64_t height, int64_t width, int64_t margin, int64_t *place)
{
    int64_t n = 0;
    for (int64_t y = 0; y < height; y++) {
        const float *line = image + y * width;
        const uint8_t *marks = above + y * width;
        for (int64_t x = next_set(marks, 0, width); x < width; x = next_set(marks, x + 1, width)) {
            float value = line[x];
            int is_highest = 1;
            for (int64_t dy = -1; dy <= 1 && is_highest; dy++)
                for (int64_t dx = -1; dx <= 1; dx++) {
                    int64_t other_y = y + dy, other_x = x + dx;
                    if (other_y < margin || other_y >= height - margin || other_x < margin || other_x >= width - margin)
                        continue;
                    float other = image[other_y * width + other_x];
                    int is_later = dy > 0 || (dy == 0 && dx > 0);
                    if (dy == 0 && dx == 0)
                        continue;
                    if (!(other < value || (is_later && other == value))) {
                        is_highest = 0;
                        break;
                    }
                }
            if (is_highest)
                place[n++] = y * width + x;
        }
    }
    return n;
}
