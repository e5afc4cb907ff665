/* Light within ellipses and circles. */
#include "kernels.h"

#include <math.h>

/* First radial moments. stamps: n squares of 2 half + 1 pixels a side; dx, dy, reach: n; shape: n rows of a, b, c, with the
   radius sqrt(a x x + b y y + 2 c x y); total, first: n, light within reach, and light times radius. */
WIDE int64_t radial_moments(const float *stamps, int64_t n, int64_t half, const double *dx, const double *dy,
                            const float *shape, const float *reach, double *total, double *first)
{
    const int64_t size = 2 * half + 1;
    const Floats steps = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int64_t k = 0; k < n; k++, shape += 3) {
        const float to_x = (float)dx[k], to_y = (float)dy[k];
        total[k] = first[k] = 0.0;
        for (int64_t j = 0; j < size; j++, stamps += size) {
            float y = (float)(j - half) - to_y, square = shape[1] * (y * y), slope = 2.0f * shape[2] * y;
            Floats sums = {0}, moments = {0};
            for (int64_t i = 0; i < size; i += LANES) {
                Floats x = ((float)(i - half) + steps) - to_x, light = {0}, radius;
                Floats squared = (square + shape[0] * (x * x)) + slope * x;
                for (int t = 0; t < LANES; t++)
                    radius[t] = sqrtf(squared[t] > 0.0f ? squared[t] : 0.0f);
                if (i + LANES <= size)
                    light = LOAD(stamps + i);
                else
                    for (int64_t t = 0; i + t < size; t++)
                        light[t] = stamps[i + t];
                light = (Floats)((radius < reach[k]) & (Whole)light);
                sums += light;
                moments += light * radius;
            }
            total[k] += add_lanes(&sums);
            first[k] += add_lanes(&moments);
        }
    }
    return 0;
}

/* Light within ellipses a x x + b y y + 2 c x y < 1, every pixel divided into `parts` x `parts` whose middles count. stamps,
   variance: n squares of `size` pixels a side; dx, dy: n, centers from the middle pixel; shape: n rows of a, b, c; weight:
   room for size + 1 values; flux, noise: n, what the ellipses hold of each; nothing lies beyond a stamp. */
int64_t sum_ellipses(const float *stamps, const float *variance, int64_t n, int64_t size, const double *dx, const double *dy,
                     const double *shape, int64_t parts, double *weight, double *flux, double *noise)
{
    const double middle = (double)(size / 2), fine = (double)parts, last = fine * (double)size - 1.0;
    for (int64_t k = 0; k < n; k++, shape += 3) {
        flux[k] = noise[k] = 0.0;
        for (int64_t row = 0; row < size; row++, stamps += size, variance += size) {
            int64_t low = size, high = -1;
            memset(weight, 0, (size_t)(size + 1) * sizeof *weight);
            for (int64_t part = 0; part < parts; part++) {
                double y = (double)row - middle - dy[k] - 0.5 + ((double)part + 0.5) / fine;
                double slope = shape[2] * y, root = slope * slope - shape[0] * (shape[1] * y * y - 1.0);
                if (!(root > 0.0))
                    continue;
                double at = middle + dx[k] + 0.5 - slope / shape[0], reach = sqrt(root) / shape[0];
                /* the first and the last of the parts whose middles lie between both ends */
                double from = floor(fine * (at - reach) - 0.5) + 1.0, to = ceil(fine * (at + reach) - 0.5) - 1.0;
                from = from > 0.0 ? from : 0.0;
                to = to < last ? to : last;
                if (!(from <= to))
                    continue;
                int64_t first = (int64_t)from, end = (int64_t)to, x = first / parts, stop = end / parts;
                low = x < low ? x : low;
                high = stop > high ? stop : high;
                /* changes of the weight from pixel to pixel */
                weight[x] += (double)(parts - first % parts);
                weight[x + 1] += (double)(first % parts);
                weight[stop] -= (double)(parts - 1 - end % parts);
                weight[stop + 1] -= (double)(end % parts + 1);
            }
            double covered = 0.0, light = 0.0, spread = 0.0;
            for (int64_t x = low; x <= high; x++) {
                covered += weight[x];
                light += covered * (double)stamps[x];
                spread += covered * (double)variance[x];
            }
            flux[k] += light;
            noise[k] += spread;
        }
        flux[k] /= fine * fine;
        noise[k] /= fine * fine;
    }
    return 0;
}

/* Area of half a circle between two rows, from t on to its middle. */
static double half_area(double t, double radius)
{
    double left = radius * radius - t * t;
    return 0.5 * (t * sqrt(left > 0.0 ? left : 0.0) + radius * radius * asin(t / radius));
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* Circles on two images that are given as running sums along the rows, height x (width + 1). x, y: n, centers; flux,
   variance: n, what the circles hold of each. */
int64_t sum_circles(const double *light, const double *noise, int64_t height, int64_t width, const double *x,
                    const double *y, int64_t n, double radius, double *flux, double *variance)
{
    const int64_t half = (int64_t)ceil(radius) + 1;
    for (int64_t k = 0; k < n; k++) {
        int64_t middle = (int64_t)rint(y[k]);
        int64_t first = middle - half < 0 ? 0 : middle - half, last = middle + half < height ? middle + half : height - 1;
        double below = half_area(clamp((double)first - y[k] - 0.5, -radius, radius), radius);
        flux[k] = variance[k] = 0.0;
        for (int64_t row = first; row <= last; row++) {
            double above = half_area(clamp((double)row - y[k] + 0.5, -radius, radius), radius), reach = above - below;
            below = above;
            if (!(reach > 0.0))
                continue;
            for (int end = 0; end < 2; end++) {
                double place = clamp(x[k] + (end ? reach : -reach) + 0.5, 0.0, (double)width);
                int64_t whole = (int64_t)place < width - 1 ? (int64_t)place : width - 1;
                double part = place - (double)whole, sign = end ? 1.0 : -1.0;
                int64_t at = row * (width + 1) + whole;
                flux[k] += sign * (light[at] + (light[at + 1] - light[at]) * part);
                variance[k] += sign * (noise[at] + (noise[at + 1] - noise[at]) * part);
            }
        }
    }
    return 0;
}

/* Add light of single pixels to the circles that cover them, by the part that is covered. source, pixel, light: n entries,
   the source that each belongs to, the pixel of an image `width` wide, and its light; x, y: centers of the sources; total:
   n_radius rows of n_source sums. */
int64_t add_own_light(const int64_t *source, const int64_t *pixel, const float *light, int64_t n, int64_t width,
                      const double *x, const double *y, int64_t n_source, const double *radius, int64_t n_radius,
                      double *total)
{
    for (int64_t k = 0; k < n; k++) {
        const int64_t of = source[k];
        double to_x = (double)(pixel[k] % width) - x[of], to_y = (double)(pixel[k] / width) - y[of];
        double distance = sqrt(to_x * to_x + to_y * to_y);
        for (int64_t i = 0; i < n_radius; i++)
            total[i * n_source + of] += clamp(radius[i] + 0.5 - distance, 0.0, 1.0) * (double)light[k];
    }
    return 0;
}
