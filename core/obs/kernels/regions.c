/* Connected regions, and the catchments of maxima. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t start, stop;
} Run;

/* First pixel from x on with a label, or the width. */
static int64_t next_set_label(const int32_t *labels, int64_t x, int64_t width)
{
    uint64_t two;
    for (; x + 2 <= width; x += 2) {
        memcpy(&two, labels + x, sizeof two);
        if (two)
            break;
    }
    while (x < width && !labels[x])
        x++;
    return x;
}

static int32_t root_of(int32_t *parent, int32_t k)
{
    while (parent[k] != k) {
        parent[k] = parent[parent[k]];
        k = parent[k];
    }
    return k;
}

/* mask: height x width, 0 or 1; labels: the same size, the number of the region of each pixel, from 1 in the order of their
   first pixels. Neighbors share a side or a corner. Returns the number of regions, or -1 without memory. */
int64_t label_regions(const uint8_t *mask, int64_t height, int64_t width, int32_t *labels)
{
    int64_t room = 1024, n = 0, result = -1;
    Run *runs = malloc((size_t)room * sizeof *runs);
    int32_t *parent = malloc((size_t)room * sizeof *parent);
    int64_t *first = malloc((size_t)(height + 1) * sizeof *first);
    if (!runs || !parent || !first)
        goto end;
    for (int64_t y = 0; y < height; y++) {
        const uint8_t *line = mask + y * width;
        first[y] = n;
        int64_t above = y ? first[y - 1] : 0;
        for (int64_t x = next_set(line, 0, width); x < width; x = next_set(line, x, width)) {
            if (n == room) {
                room *= 2;
                Run *more = realloc(runs, (size_t)room * sizeof *runs);
                runs = more ? more : runs;
                int32_t *wider = realloc(parent, (size_t)room * sizeof *parent);
                parent = wider ? wider : parent;
                if (!more || !wider)
                    goto end;
            }
            runs[n].start = (int32_t)x;
            while (x < width && line[x])
                x++;
            runs[n].stop = (int32_t)x;
            parent[n] = (int32_t)n;
            while (above < first[y] && runs[above].stop < runs[n].start)
                above++;
            for (int64_t k = above; k < first[y] && runs[k].start <= runs[n].stop; k++) {
                int32_t a = root_of(parent, (int32_t)k), b = root_of(parent, (int32_t)n);
                /* the region's root is its first run */
                if (a < b)
                    parent[b] = a;
                else
                    parent[a] = b;
            }
            n++;
        }
    }
    first[height] = n;
    result = 0;
    for (int64_t k = 0; k < n; k++) {
        /* roots come first, and their entries hold numbers, below zero, from then on */
        int32_t root = (int32_t)k;
        while (parent[root] >= 0 && parent[root] != root)
            root = parent[root];
        parent[k] = parent[root] < 0 ? parent[root] : -(int32_t)++result;
    }
    for (int64_t y = 0; y < height; y++) {
        int32_t *line = labels + y * width;
        memset(line, 0, (size_t)width * sizeof *line);
        for (int64_t k = first[y]; k < first[y + 1]; k++)
            for (int32_t x = runs[k].start; x < runs[k].stop; x++)
                line[x] = -parent[k];
    }
end:
    free(runs);
    free(parent);
    free(first);
    return result;
}

/* Give regions other numbers. labels, result: n pixels; number: what each number becomes. */
int64_t renumber_regions(const int32_t *labels, int64_t n, const int32_t *number, int32_t *result)
{
    for (int64_t k = 0; k < n; k++)
        result[k] = labels[k] ? number[labels[k]] : 0;
    return 0;
}

/* Pixels of some regions. labels, result: n pixels; chosen: 0 or 1 for each number. */
int64_t select_regions(const int32_t *labels, int64_t n, const uint8_t *chosen, uint8_t *result)
{
    for (int64_t k = 0; k < n; k++)
        result[k] = labels[k] ? chosen[labels[k]] : 0;
    return 0;
}

/* place: entry of each pixel of an image, or -1; pixel, value: n, the entries, none on the border of the image; best: n,
   entry of the maximum that the steepest way upward leads to. Of equal neighbors the first is the maximum. */
int64_t find_catchments(const int32_t *place, const int64_t *pixel, const float *value, int64_t n, int64_t width,
                        int64_t *best)
{
    const int64_t steps[8] = {-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1};
    for (int64_t k = 0; k < n; k++) {
        int64_t at = k;
        for (int i = 0; i < 8; i++) {
            int64_t other = place[pixel[k] + steps[i]];
            if (other >= 0 && (value[other] > value[at] || (value[other] == value[at] && other < at)))
                at = other;
        }
        best[k] = at;
    }
    for (int64_t k = 0; k < n; k++) {
        int64_t top = k;
        while (best[top] != top)
            top = best[top];
        /* whatever lies on the way leads there as well */
        for (int64_t at = k; at != top;) {
            int64_t next = best[at];
            best[at] = top;
            at = next;
        }
    }
    return 0;
}

/* Pixels that each region has, and the highest value among them. labels, image: n pixels; count, highest: one for each
   number, from 0 on, which are added to. The values are finite. */
int64_t measure_regions(const int32_t *labels, const float *image, int64_t n, int64_t *count, float *highest)
{
    for (int64_t k = 0; k < n; k++) {
        const int32_t label = labels[k];
        if (!label)
            continue;
        count[label]++;
        if (image[k] > highest[label])
            highest[label] = image[k];
    }
    return 0;
}

/* Entries beside each other that belong to different catchments, and the lower of their values. place, pixel, value, n, width
   as above; catchment: n; first, second, level: room for 4 n. Returns how many pairs there are. */
int64_t list_saddles(const int32_t *place, const int64_t *pixel, const float *value, const int64_t *catchment, int64_t n,
                     int64_t width, int64_t *first, int64_t *second, float *level)
{
    const int64_t steps[4] = {1, width - 1, width, width + 1};
    int64_t found = 0;
    for (int64_t k = 0; k < n; k++)
        for (int i = 0; i < 4; i++) {
            int64_t other = place[pixel[k] + steps[i]];
            if (other < 0 || catchment[other] == catchment[k])
                continue;
            first[found] = catchment[k];
            second[found] = catchment[other];
            level[found++] = value[k] < value[other] ? value[k] : value[other];
        }
    return found;
}

/* Boxes of the regions from 1 to n. labels: height x width; box: four numbers for each, which hold width, 0, height, 0
   before: first column, the one after the last, first row, the one after the last. */
int64_t find_boxes(const int32_t *labels, int64_t height, int64_t width, int64_t n, int64_t *box)
{
    for (int64_t y = 0; y < height; y++, labels += width)
        for (int64_t x = next_set_label(labels, 0, width); x < width; x = next_set_label(labels, x, width)) {
            const int32_t label = labels[x];
            const int64_t first = x;
            while (x < width && labels[x] == label)
                x++;
            if (label > n)
                continue;
            int64_t *own = box + 4 * (label - 1);
            own[0] = first < own[0] ? first : own[0];
            own[1] = x > own[1] ? x : own[1];
            own[2] = y < own[2] ? y : own[2];
            own[3] = y + 1;
        }
    return 0;
}
