/* Points near other points, by a k-d tree: obs.algorithms.numeric.nearest. */
#include "kernels.h"

#include <math.h>
#include <stdlib.h>

#define LEAF 8
#define MOST_AXES 8

typedef struct {
    const double *point; /* n points of `axes` numbers, in the order of the tree */
    const int64_t *order; /* number of each of them among the points as they were given */
    const uint8_t *split; /* axis by which the points about each middle are divided */
    int64_t axes;
} Tree;

static void swap(int64_t *order, int64_t i, int64_t j)
{
    int64_t other = order[i];
    order[i] = order[j];
    order[j] = other;
}

/* Put the middle of a range in its place: no value before it is higher, and none after it is lower. */
static void divide(const double *given, int64_t axes, int64_t axis, int64_t *order, int64_t low, int64_t high,
                   int64_t middle)
{
    high--;
    while (low < high) {
        const double pivot = given[order[low + (high - low) / 2] * axes + axis];
        int64_t i = low, j = high;
        while (i <= j) {
            while (given[order[i] * axes + axis] < pivot)
                i++;
            while (given[order[j] * axes + axis] > pivot)
                j--;
            if (i <= j)
                swap(order, i++, j--);
        }
        if (middle <= j)
            high = j;
        else if (middle >= i)
            low = i;
        else
            return;
    }
}

static void build(const double *given, int64_t axes, int64_t *order, uint8_t *split, int64_t low, int64_t high)
{
    while (high - low > LEAF) {
        double widest = -1.0;
        int64_t axis = 0, middle = low + (high - low) / 2;
        for (int64_t k = 0; k < axes; k++) {
            double least = given[order[low] * axes + k], most = least;
            for (int64_t i = low + 1; i < high; i++) {
                double value = given[order[i] * axes + k];
                least = value < least ? value : least;
                most = value > most ? value : most;
            }
            if (most - least > widest) {
                widest = most - least;
                axis = k;
            }
        }
        divide(given, axes, axis, order, low, high, middle);
        split[middle] = (uint8_t)axis;
        build(given, axes, order, split, low, middle);
        low = middle + 1;
    }
}

/* given: n points of `axes` finite numbers, at most 8; order, split: n; point: n times axes. All three are written. */
int64_t build_tree(const double *given, int64_t n, int64_t axes, int64_t *order, uint8_t *split, double *point)
{
    if (axes > MOST_AXES)
        return -1;
    for (int64_t k = 0; k < n; k++)
        order[k] = k;
    build(given, axes, order, split, 0, n);
    for (int64_t k = 0; k < n; k++)
        memcpy(point + k * axes, given + order[k] * axes, (size_t)axes * sizeof *point);
    return 0;
}

static double square_between(const double *a, const double *b, int64_t axes)
{
    double sum = 0.0;
    for (int64_t k = 0; k < axes; k++)
        sum += (a[k] - b[k]) * (a[k] - b[k]);
    return sum;
}

typedef struct {
    const double *place;
    double below;      /* square of the distance that all are nearer than */
    double *distance;  /* squares, in order */
    int64_t *index;
    int64_t found, wanted;
} Search;

/* Of points at the same distance the first one that was given counts as the nearest. */
static void look_at(const Tree *tree, int64_t k, Search *search)
{
    double square = square_between(tree->point + k * tree->axes, search->place, tree->axes);
    if (!(square < search->below))
        return;
    int64_t number = tree->order[k], at = search->found;
    if (at == search->wanted) {
        at--;
        if (square > search->distance[at] || (square == search->distance[at] && number > search->index[at]))
            return;
    } else
        search->found++;
    while (at > 0 && (search->distance[at - 1] > square ||
                      (search->distance[at - 1] == square && search->index[at - 1] > number))) {
        search->distance[at] = search->distance[at - 1];
        search->index[at] = search->index[at - 1];
        at--;
    }
    search->distance[at] = square;
    search->index[at] = number;
}

/* offset: distance of the place from the range of points along each axis; square: of all of them. */
static void search_range(const Tree *tree, int64_t low, int64_t high, double *offset, double square, Search *search)
{
    while (high - low > LEAF) {
        if (search->found == search->wanted && square > search->distance[search->wanted - 1])
            return;
        int64_t middle = low + (high - low) / 2, axis = tree->split[middle];
        double gap = search->place[axis] - tree->point[middle * tree->axes + axis], before = offset[axis];
        double farther = square - before * before + gap * gap;
        look_at(tree, middle, search);
        if (gap < 0) {
            search_range(tree, low, middle, offset, square, search);
            low = middle + 1;
        } else {
            search_range(tree, middle + 1, high, offset, square, search);
            high = middle;
        }
        /* rounding must not hide a point that is exactly as far */
        if (farther * (1.0 - 1e-12) >= search->below)
            return;
        if (search->found == search->wanted && farther * (1.0 - 1e-12) > search->distance[search->wanted - 1])
            return;
        offset[axis] = gap;
        search_range(tree, low, high, offset, farther, search);
        offset[axis] = before;
        return;
    }
    for (int64_t k = low; k < high; k++)
        look_at(tree, k, search);
}

/* point, order, split, n, axes: a tree; places: m; below: distance that all are nearer than; distance, index: m times
   wanted, infinity and n where there are fewer. */
int64_t find_nearest(const double *point, const int64_t *order, const uint8_t *split, int64_t n, int64_t axes,
                     const double *places, int64_t m, int64_t wanted, double below, double *distance, int64_t *index)
{
    const Tree tree = {point, order, split, axes};
    for (int64_t k = 0; k < m; k++, distance += wanted, index += wanted) {
        double offset[MOST_AXES] = {0};
        Search search = {places + k * axes, below * below, distance, index, 0, wanted};
        search_range(&tree, 0, n, offset, 0.0, &search);
        for (int64_t i = 0; i < wanted; i++) {
            distance[i] = i < search.found ? sqrt(distance[i]) : INFINITY;
            index[i] = i < search.found ? index[i] : n;
        }
    }
    return 0;
}

typedef struct {
    const double *place;
    double radius;
    int64_t square; /* within a square (cube) of this half width, not within a circle (sphere) */
    int64_t *index; /* NULL to count only */
    int64_t found;
} Around;

static void collect(const Tree *tree, int64_t low, int64_t high, Around *around)
{
    while (high - low > LEAF) {
        int64_t middle = low + (high - low) / 2, axis = tree->split[middle];
        double gap = around->place[axis] - tree->point[middle * tree->axes + axis];
        collect(tree, middle, middle + 1, around);
        if (gap <= around->radius)
            collect(tree, low, middle, around);
        if (-gap > around->radius)
            return;
        low = middle + 1;
    }
    for (int64_t k = low; k < high; k++) {
        const double *point = tree->point + k * tree->axes;
        if (around->square) {
            double most = 0.0;
            for (int64_t i = 0; i < tree->axes; i++) {
                double gap = fabs(point[i] - around->place[i]);
                most = gap > most ? gap : most;
            }
            if (!(most <= around->radius))
                continue;
        } else if (!(square_between(point, around->place, tree->axes) <= around->radius * around->radius))
            continue;
        if (around->index)
            around->index[around->found] = tree->order[k];
        around->found++;
    }
}

static int by_number(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

/* A tree and m places as above, radius: m. start: m + 1; where `list` is 0 it gets the number of points within the
   radius of each place, from its second entry on, else it says where the indices of each place begin. */
int64_t find_within(const double *point, const int64_t *order, const uint8_t *split, int64_t n, int64_t axes,
                    const double *places, int64_t m, const double *radius, int64_t square, int64_t list,
                    int64_t *start, int64_t *index)
{
    const Tree tree = {point, order, split, axes};
    for (int64_t k = 0; k < m; k++) {
        Around around = {places + k * axes, radius[k], square, list ? index + start[k] : NULL, 0};
        collect(&tree, 0, n, &around);
        if (list)
            qsort(index + start[k], (size_t)around.found, sizeof *index, by_number);
        else
            start[k + 1] = around.found;
    }
    return 0;
}
