/* Sums of square bins. */
#include "kernels.h"

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
