/* Sums of square bins. */
#include "kernels.h"

#include <math.h>

/* stamps: n of size x size pixels; from pixel `first` of rows and columns on they are added up in `count` x `count` bins
   of `bin` x `bin` pixels; what lies beyond a stamp counts as zero. line: room for count * bin values. */
WIDE int64_t sum_bins(const float *stamps, int64_t n, int64_t size, int64_t first, int64_t count, int64_t bin,
                      float *line, float *sums)
{
    const int64_t width = count * bin < size - first ? count * bin : size - first;
    for (int64_t k = 0; k < n; k++, stamps += size * size)
        for (int64_t j = 0; j < count; j++, sums += count) {
            memset(line, 0, (size_t)(count * bin) * sizeof *line);
            for (int64_t y = first + j * bin; y < first + (j + 1) * bin && y < size; y++) {
                const float *row = stamps + y * size + first;
                for (int64_t x = 0; x < width; x++)
                    line[x] += row[x];
            }
            for (int64_t i = 0; i < count; i++) {
                float total = 0.0f;
                for (int64_t x = 0; x < bin; x++)
                    total += line[i * bin + x];
                sums[i] = total;
            }
        }
    return 0;
}

/* image / sqrt(variance) of n pixels; NaN where bad, or where that is not finite. */
WIDE int64_t scale_by_noise(const float *image, const float *variance, const uint8_t *bad, int64_t n, float *scaled)
{
    for (int64_t k = 0; k < n; k++) {
        float value = image[k] / sqrtf(variance[k]);
        scaled[k] = !bad[k] & (fabsf(value) < INFINITY) ? value : NAN;
    }
    return 0;
}

/* Sums of finite pixels, cut off at +-cut, in bins of size x size, and how many there are. Rows are `stride` apart;
   ny, nx: number of bins. line: room for 2 nx size values. */
WIDE int64_t sum_cut_bins(const float *pixels, int64_t stride, int64_t size, int64_t ny, int64_t nx, double cut,
                          float *line, float *sums, float *number)
{
    const float most = (float)cut;
    const int64_t width = nx * size;
    float *known = line + width;
    for (int64_t j = 0; j < ny; j++, sums += nx, number += nx) {
        memset(line, 0, (size_t)(2 * width) * sizeof *line);
        for (int64_t y = j * size; y < (j + 1) * size; y++) {
            const float *row = pixels + y * stride;
            for (int64_t x = 0; x < width; x++) {
                float value = row[x], good = fabsf(value) < INFINITY ? 1.0f : 0.0f;
                value = value > most ? most : value < -most ? -most : value;
                line[x] += good != 0.0f ? value : 0.0f;
                known[x] += good;
            }
        }
        for (int64_t i = 0; i < nx; i++) {
            float total = 0.0f, count = 0.0f;
            for (int64_t x = i * size; x < (i + 1) * size; x++) {
                total += line[x];
                count += known[x];
            }
            sums[i] = total;
            number[i] = count;
        }
    }
    return 0;
}
