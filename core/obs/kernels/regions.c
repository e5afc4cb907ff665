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

typedef struct {
    int64_t n;
    Run *run;
    int32_t *parent; /* a run of the same region before this one; the first run of a region is its own */
    int64_t *first;  /* run that is the first of each row, and at last how many there are */
} Runs;

static void free_runs(Runs *runs)
{
    free(runs->run);
    free(runs->parent);
    free(runs->first);
}

/* Runs of marked pixels, joined to regions; neighbors share a side or a corner. mask: height x width, 0 or 1, of which `border`
   pixels at each side are left out. Returns 0, or -1 without memory. */
static int find_runs(const uint8_t *mask, int64_t height, int64_t width, int64_t border, Runs *runs)
{
    int64_t room = 1024, n = 0;
    runs->run = malloc((size_t)room * sizeof *runs->run);
    runs->parent = malloc((size_t)room * sizeof *runs->parent);
    int64_t *first = runs->first = malloc((size_t)(height + 1) * sizeof *first);
    if (!runs->run || !runs->parent || !first)
        return -1;
    for (int64_t y = 0; y < height; y++) {
        const uint8_t *line = mask + y * width;
        const int64_t stop = y < border || y >= height - border ? 0 : width - border;
        first[y] = n;
        int64_t above = y ? first[y - 1] : 0;
        for (int64_t x = next_set(line, border, stop); x < stop; x = next_set(line, x, stop)) {
            if (n == room) {
                room *= 2;
                Run *more = realloc(runs->run, (size_t)room * sizeof *more);
                runs->run = more ? more : runs->run;
                int32_t *wider = realloc(runs->parent, (size_t)room * sizeof *wider);
                runs->parent = wider ? wider : runs->parent;
                if (!more || !wider)
                    return -1;
            }
            Run *run = runs->run;
            int32_t *parent = runs->parent;
            run[n].start = (int32_t)x;
            while (x < stop && line[x])
                x++;
            run[n].stop = (int32_t)x;
            parent[n] = (int32_t)n;
            while (above < first[y] && run[above].stop < run[n].start)
                above++;
            for (int64_t k = above; k < first[y] && run[k].start <= run[n].stop; k++) {
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
    runs->n = first[height] = n;
    return 0;
}

/* mask: height x width, 0 or 1; labels: the same size, the number of the region of each pixel, from 1 in the order of their
   first pixels. Neighbors share a side or a corner. Returns the number of regions, or -1 without memory. */
int64_t label_regions(const uint8_t *mask, int64_t height, int64_t width, int32_t *labels)
{
    Runs runs = {0};
    int64_t result = find_runs(mask, height, width, 0, &runs);
    if (result < 0)
        goto end;
    int32_t *parent = runs.parent;
    for (int64_t k = 0; k < runs.n; k++) {
        /* roots come first, and their entries hold numbers, below zero, from then on */
        int32_t root = (int32_t)k;
        while (parent[root] >= 0 && parent[root] != root)
            root = parent[root];
        parent[k] = parent[root] < 0 ? parent[root] : -(int32_t)++result;
    }
    for (int64_t y = 0; y < height; y++) {
        int32_t *line = labels + y * width;
        memset(line, 0, (size_t)width * sizeof *line);
        for (int64_t k = runs.first[y]; k < runs.first[y + 1]; k++)
            for (int32_t x = runs.run[k].start; x < runs.run[k].stop; x++)
                line[x] = -parent[k];
    }
end:
    free_runs(&runs);
    return result;
}

/* Pixels of the regions in which more than one of some points lies. mask: height x width, 0 or 1, whose outermost pixels do not
   count; point: n_points, flat indices; pixel: room for all that are marked, flat indices in reading order. Returns how many
   there are, or -1 without memory. */
int64_t list_shared_regions(const uint8_t *mask, int64_t height, int64_t width, const int64_t *point, int64_t n_points,
                            int64_t *pixel)
{
    Runs runs = {0};
    uint8_t *count = NULL;
    int64_t found = find_runs(mask, height, width, 1, &runs);
    if (found < 0)
        goto end;
    found = -1;
    count = calloc((size_t)runs.n + 1, 1);
    if (!count)
        goto end;
    for (int64_t i = 0; i < n_points; i++) {
        const int64_t y = point[i] / width, x = point[i] % width;
        int64_t low = runs.first[y], high = runs.first[y + 1];
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            if (runs.run[middle].stop <= x)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == runs.first[y + 1] || runs.run[low].start > x)
            continue;
        uint8_t *own = count + root_of(runs.parent, (int32_t)low);
        *own += *own < 2;
    }
    found = 0;
    for (int64_t y = 0; y < height; y++)
        for (int64_t k = runs.first[y]; k < runs.first[y + 1]; k++)
            if (count[root_of(runs.parent, (int32_t)k)] > 1)
                for (int64_t x = runs.run[k].start; x < runs.run[k].stop; x++)
                    pixel[found++] = y * width + x;
end:
    free_runs(&runs);
    free(count);
    return found;
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

/* First entry from k on whose pixel is not before `least`. */
static int64_t advance(const int64_t *pixel, int64_t n, int64_t k, int64_t least)
{
    while (k < n && pixel[k] < least)
        k++;
    return k;
}

/* pixel, value: n, pixels of an image in reading order, as flat indices, none on its border; best: n, entry of the maximum
   that the steepest way upward leads to. Of equal neighbors the first is the maximum. */
int64_t find_catchments(const int64_t *pixel, const float *value, int64_t n, int64_t width, int64_t *best)
{
    int64_t start[3] = {0, 0, 0};
    for (int64_t k = 0; k < n; k++) {
        int64_t at = k;
        for (int row = 0; row < 3; row++) {
            const int64_t middle = pixel[k] + (row - 1) * width;
            start[row] = advance(pixel, n, start[row], middle - 1);
            for (int64_t other = start[row]; other < n && pixel[other] <= middle + 1; other++)
                if (value[other] > value[at] || (value[other] == value[at] && other < at))
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

/* Entries beside each other that belong to different catchments, and the lower of their values. pixel, value, n, width as
   above; catchment: n; first, second, level: room for 4 n. Returns how many pairs there are. */
int64_t list_saddles(const int64_t *pixel, const float *value, const int64_t *catchment, int64_t n, int64_t width,
                     int64_t *first, int64_t *second, float *level)
{
    int64_t found = 0, below = 0;
    for (int64_t k = 0; k < n; k++) {
        below = advance(pixel, n, below, pixel[k] + width - 1);
        /* the pixel to the right, and the three of the row below */
        const int64_t start[2] = {k + 1, below}, last[2] = {pixel[k] + 1, pixel[k] + width + 1};
        for (int part = 0; part < 2; part++)
            for (int64_t other = start[part]; other < n && pixel[other] <= last[part]; other++) {
                if (catchment[other] == catchment[k])
                    continue;
                first[found] = catchment[k];
                second[found] = catchment[other];
                level[found++] = value[k] < value[other] ? value[k] : value[other];
            }
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
