/* Cut windows out of images, and sources with nothing of their neighbors. */
#include "kernels.h"

#include <string.h>

/* Part of a line of `size` pixels from `first` on that lies within 0 to `end`: first pixel of it, and how many. */
static int64_t covered(int64_t first, int64_t size, int64_t end, int64_t *skip)
{
    *skip = 0;
    /* nothing is added to a place that is not a number, which is the smallest integer */
    if (first < -size || first > end)
        return 0;
    int64_t low = first < 0 ? -first : 0;
    int64_t high = first + size > end ? end - first : size;
    *skip = low > size ? size : low;
    return high > *skip ? high - *skip : 0;
}

/* Copy one window of size x size pixels of `item` bytes; zero outside of the plane. */
static void copy_window(const char *plane, int64_t height, int64_t width, int64_t item, int64_t y0, int64_t x0,
                        int64_t size, char *out)
{
    int64_t skip, length = covered(x0, size, width, &skip);
    for (int64_t j = 0; j < size; j++, out += size * item) {
        int64_t y = y0 + j;
        if (y < 0 || y >= height || !length) {
            memset(out, 0, (size_t)(size * item));
            continue;
        }
        if (length < size)
            memset(out, 0, (size_t)(size * item));
        memcpy(out + skip * item, plane + (y * width + x0 + skip) * item, (size_t)(length * item));
    }
}

/* planes: any number of planes of height x width pixels of `item` bytes; which, row, column: n, plane and middle of each
   window; out: n windows of 2 half + 1 pixels a side. */
int64_t cut_windows(const char *planes, int64_t height, int64_t width, int64_t item, const int64_t *which,
                    const int64_t *row, const int64_t *column, int64_t n, int64_t half, char *out)
{
    int64_t size = 2 * half + 1;
    for (int64_t k = 0; k < n; k++)
        copy_window(planes + which[k] * height * width * item, height, width, item, row[k] - half, column[k] - half,
                    size, out + k * size * size * item);
    return 0;
}

/* Stamps of sources. image, empty, variance: height x width; labels: footprint of each pixel. row, column, footprint,
   child: n; footprint is that of sources that are whole ones, or -1; child is an index, or -1. start: first entry of
   each child, and the end; pixel, of `item` bytes, and flux: the entries. stamp, noise, inside: n windows of 2 half + 1 pixels a side. */
WIDE int64_t cut_stamps(const float *image, const float *empty, const float *variance, const int32_t *labels, int64_t height,
                   int64_t width, const int64_t *row, const int64_t *column, const int64_t *footprint,
                   const int64_t *child, int64_t n, int64_t half, const int64_t *start, const void *pixel,
                   int64_t item, const float *flux, float *stamp, float *noise, uint8_t *inside)
{
    int64_t size = 2 * half + 1;
    for (int64_t k = 0; k < n; k++, stamp += size * size, noise += size * size, inside += size * size) {
        int64_t y0 = row[k] - half, x0 = column[k] - half, skip, length = covered(x0, size, width, &skip);
        copy_window((const char *)empty, height, width, sizeof *empty, y0, x0, size, (char *)stamp);
        copy_window((const char *)variance, height, width, sizeof *variance, y0, x0, size, (char *)noise);
        memset(inside, 0, (size_t)(size * size));
        for (int64_t j = 0; j < size; j++) {
            int64_t y = y0 + j;
            if (y < 0 || y >= height || !length)
                continue;
            memset(inside + j * size + skip, 1, (size_t)length);
            if (footprint[k] < 0)
                continue;
            const int32_t *label = labels + y * width + x0;
            const float *light = image + y * width + x0;
            float *line = stamp + j * size;
            const int32_t own = (int32_t)footprint[k];
            for (int64_t i = skip; i < skip + length; i++)
                line[i] = label[i] == own ? light[i] : line[i];
        }
        if (child[k] < 0)
            continue;
        for (int64_t e = start[child[k]]; e < start[child[k] + 1]; e++) {
            int64_t at = item == 4 ? ((const int32_t *)pixel)[e] : ((const int64_t *)pixel)[e];
            int64_t j = at / width - y0, i = at % width - x0;
            if (j >= 0 && j < size && i >= 0 && i < size)
                stamp[j * size + i] = flux[e];
        }
    }
    return 0;
}
