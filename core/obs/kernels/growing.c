/* Regions that grow: obs.algorithms.pixels.grow. */
#include "kernels.h"

/* 64 pixels, 0 or 1, as bits, the first one lowest. */
static uint64_t pack(const uint8_t *pixels, int64_t n)
{
    uint64_t word = 0;
    for (int64_t k = 0; k < n; k++)
        word |= (uint64_t)(pixels[k] & 1) << k;
    return word;
}

static void pack_line(const uint8_t *pixels, int64_t width, uint64_t *words)
{
    int64_t x = 0;
    for (; x + 64 <= width; x += 64) {
        uint64_t any = 0, eight;
        for (int64_t k = 0; k < 64; k += 8) {
            memcpy(&eight, pixels + x + k, 8);
            any |= eight;
        }
        *words++ = any ? pack(pixels + x, 64) : 0;
    }
    if (x < width)
        *words = pack(pixels + x, width - x);
}

static void unpack_line(const uint64_t *words, int64_t width, uint8_t *pixels)
{
    for (int64_t x = 0; x < width; x += 64, words++) {
        int64_t n = width - x < 64 ? width - x : 64;
        if (!*words)
            memset(pixels + x, 0, (size_t)n);
        else
            for (int64_t k = 0; k < n; k++)
                pixels[x + k] = (uint8_t)(*words >> k & 1);
    }
}

/* region, grown: height x width pixels, 0 or 1; grown: those within a Manhattan distance of the region;
   words: room for 2 * height lines of width / 64 words, rounded up. */
WIDE int64_t grow_region(const uint8_t *region, int64_t height, int64_t width, int64_t distance, uint64_t *words,
                         uint8_t *grown)
{
    const int64_t n = (width + 63) / 64;
    uint64_t *now = words, *next = words + height * n;
    for (int64_t y = 0; y < height; y++)
        pack_line(region + y * width, width, now + y * n);
    for (int64_t step = 0; step < distance; step++) {
        for (int64_t y = 0; y < height; y++) {
            const uint64_t *line = now + y * n;
            const uint64_t *above = y ? line - n : line, *below = y + 1 < height ? line + n : line;
            for (int64_t k = 0; k < n; k++) {
                uint64_t left = k ? line[k - 1] >> 63 : 0, right = k + 1 < n ? line[k + 1] << 63 : 0;
                next[y * n + k] = line[k] | above[k] | below[k] | line[k] << 1 | line[k] >> 1 | left | right;
            }
        }
        uint64_t *other = now;
        now = next;
        next = other;
    }
    for (int64_t y = 0; y < height; y++)
        unpack_line(now + y * n, width, grown + y * width);
    return 0;
}

/* Holes of regions: obs.algorithms.pixels.grow. region, filled: n x height x width, 0 or 1; room: for height x width + 2
   numbers. A hole is what does not touch the border, by its own pixels that share a side. */
int64_t fill_holes(const uint8_t *region, int64_t n, int64_t height, int64_t width, int64_t *room, uint8_t *filled)
{
    for (int64_t k = 0; k < n; k++, region += height * width, filled += height * width) {
        int64_t left = 0;
        memset(filled, 1, (size_t)(height * width));
        for (int64_t y = 0; y < height; y++) {
            const int64_t step = y == 0 || y == height - 1 || width == 1 ? 1 : width - 1;
            for (int64_t x = 0; x < width; x += step) {
                const int64_t at = y * width + x;
                if (region[at] || !filled[at])
                    continue;
                filled[at] = 0;
                room[left++] = at;
            }
        }
        while (left) {
            const int64_t at = room[--left], x = at % width;
            const int64_t next[4] = {at - width, at + width, x ? at - 1 : -1, x + 1 < width ? at + 1 : -1};
            for (int i = 0; i < 4; i++)
                if (next[i] >= 0 && next[i] < height * width && !region[next[i]] && filled[next[i]]) {
                    filled[next[i]] = 0;
                    room[left++] = next[i];
                }
        }
    }
    return 0;
}
