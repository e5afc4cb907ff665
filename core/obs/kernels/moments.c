/* Adaptive Gaussian moments, one source after the other; obs.algorithms.measure.shape has the method. */
#include "kernels.h"

#include <math.h>
#include <string.h>

enum { GOING, SETTLED, FAILED, TOO_LARGE };

/* Symmetric matrix. */
typedef struct {
    double xx, yy, xy;
} Matrix;

/* A window of 2 room + 1 pixels about the middle of a stamp of 2 half + 1, seen from the center of a source. */
typedef struct {
    const float *stamp, *variance;
    int64_t half, room;
    float dx, dy, reach;
} Window;

/* What a window adds up to under a Gaussian: light, moments, variance, and the same without pixels of no weight. */
typedef struct {
    double total, xx, yy, xy, noise, noise_under;
} Sums;

/* Weights of some pixels in one row: those of a Gaussian whose exponent, at x, is a + b x + c x x; none from the
   `known`th on and beyond the reach. exp() is to two units in the last place (Cephes, S. L. Moshier). */
#define WEIGH(weight, x, a, b, c, reach, known)                                                                        \
    do {                                                                                                               \
        const Whole number = {0, 1, 2, 3, 4, 5, 6, 7};                                                                 \
        Floats e = (a + c * x * x) + b * x;                                                                            \
        Whole out = (e > reach) | (number >= known);                                                                   \
        e = CHOOSE(e > reach, reach + (Floats){0}, e);                                                                 \
        e = -0.5f * CHOOSE(e < -100.0f, (Floats){0} - 100.0f, e);                                                      \
        Floats n = (e * 1.44269504f + 12582912.0f) - 12582912.0f;                                                      \
        Floats r = (e - n * 0.693359375f) + n * 2.12194440e-4f;                                                        \
        Floats p = 1.9875691500e-4f * r + 1.3981999507e-3f;                                                            \
        p = ((p * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r + 1.6666665459e-1f;                                \
        p = (p * r + 5.0000001201e-1f) * r * r + r + 1.0f;                                                             \
        Whole power = (__builtin_convertvector(n, Whole) + 127) << 23;                                                 \
        weight = CHOOSE(out, (Floats){0}, p * (Floats)power);                                                          \
    } while (0)

/* The first `known` of LANES numbers, and zeros. */
#define LOAD_SOME(target, place, known)                                                                                \
    do {                                                                                                               \
        if (known == LANES) {                                                                                          \
            target = LOAD(place);                                                                                      \
        } else {                                                                                                       \
            float rest[LANES] = {0};                                                                                   \
            for (int t = 0; t < known; t++)                                                                            \
                rest[t] = (place)[t];                                                                                  \
            target = LOAD(rest);                                                                                       \
        }                                                                                                              \
    } while (0)

static Matrix invert(Matrix m)
{
    double determinant = m.xx * m.yy - m.xy * m.xy;
    Matrix inverse = {m.yy / determinant, m.xx / determinant, -m.xy / determinant};
    return inverse;
}

/* Columns of a row, whole groups of LANES, beyond which its weights are zero: the exponent a + b x + c x x exceeds the reach.
   Somewhat more, for it is rounded; low = high where there are none. */
static inline void find_reached(const Window *w, float a, float b, float c, int64_t n, int64_t *low, int64_t *high)
{
    const float reach = 1.0001f * w->reach + 1e-3f, root = b * b - 4.0f * c * (a - reach);
    *low = *high = 0;
    if (root < 0.0f)
        return;
    float middle = -b / (2.0f * c) + w->dx + (float)w->room, half = sqrtf(root) / (2.0f * c) + 1.0f;
    float first = middle - half, last = middle + half + 1.0f;
    if (!(first < (float)n && last > 0.0f)) {
        *high = first == first && last == last ? 0 : n; /* of what is not a number all is looked at */
        return;
    }
    *low = first > 0.0f ? (int64_t)first / LANES * LANES : 0;
    *high = last < (float)n ? (int64_t)last + 1 : n;
    *high = *high < n ? *high : n;
}

WIDE static void add_moments(const Window *w, Matrix moments, Sums *sums)
{
    Matrix inverse = invert(moments);
    const float b = (float)inverse.xy, c = (float)inverse.xx, reach = w->reach;
    const int64_t size = 2 * w->half + 1, n = 2 * w->room + 1;
    const Floats steps = {0, 1, 2, 3, 4, 5, 6, 7};
    memset(sums, 0, sizeof *sums);
    for (int64_t j = 0; j < n; j++) {
        const float *line = w->stamp + (w->half - w->room + j) * size + w->half - w->room;
        float y = (float)(j - w->room) - w->dy, a = (float)inverse.yy * y * y, slope = 2.0f * b * y;
        Floats s0 = {0}, s1 = {0}, s2 = {0};
        int64_t low, high;
        find_reached(w, a, slope, c, n, &low, &high);
        for (int64_t first = low; first < high; first += LANES) {
            Floats x = (float)(first - w->room) - w->dx + steps, weight, pixel;
            int32_t known = n - first < LANES ? (int32_t)(n - first) : LANES;
            WEIGH(weight, x, a, slope, c, reach, known);
            LOAD_SOME(pixel, line + first, known);
            Floats light = weight * pixel, moment = light * x;
            s0 += light;
            s1 += moment;
            s2 += moment * x;
        }
        double t0 = add_lanes(&s0);
        sums->total += t0;
        sums->xx += add_lanes(&s2);
        sums->yy += t0 * y * y;
        sums->xy += add_lanes(&s1) * y;
    }
}

WIDE static void add_flux(const Window *w, Matrix moments, Sums *sums)
{
    Matrix inverse = invert(moments);
    const float b = (float)inverse.xy, c = (float)inverse.xx, reach = w->reach;
    const int64_t size = 2 * w->half + 1, n = 2 * w->room + 1;
    const Floats steps = {0, 1, 2, 3, 4, 5, 6, 7};
    Doubles totals = {0}, noises = {0}, under = {0};
    memset(sums, 0, sizeof *sums);
    for (int64_t j = 0; j < n; j++) {
        int64_t from = (w->half - w->room + j) * size + w->half - w->room;
        float y = (float)(j - w->room) - w->dy, a = (float)inverse.yy * y * y, slope = 2.0f * b * y;
        int64_t low, high;
        find_reached(w, a, slope, c, n, &low, &high);
        for (int64_t first = low; first < high; first += LANES) {
            Floats x = (float)(first - w->room) - w->dx + steps, weight;
            int32_t known = n - first < LANES ? (int32_t)(n - first) : LANES;
            WEIGH(weight, x, a, slope, c, reach, known);
            Floats pixel, spread;
            LOAD_SOME(pixel, w->stamp + from + first, known);
            LOAD_SOME(spread, w->variance + from + first, known);
            Doubles wide = WIDEN(weight), square = wide * wide;
            totals += wide * WIDEN(pixel);
            noises += square * WIDEN(spread);
            under += square * WIDEN(CHOOSE(weight > 0.0f, spread, (Floats){0}));
        }
    }
    for (int i = 0; i < LANES; i++) {
        sums->total += totals[i];
        sums->noise += noises[i];
        sums->noise_under += under[i];
    }
}

/* The smallest of the shared rooms that a weight fits into; else the whole stamp. */
static int64_t room_of(Matrix w, double reach, int64_t half, const int64_t *rooms, int64_t n_room)
{
    /* the center may lie half a pixel from the middle */
    double needed = sqrt(reach * (w.xx > w.yy ? w.xx : w.yy)) + 1.0;
    for (int64_t k = 0; k < n_room; k++)
        if (rooms[k] < half && needed <= (double)rooms[k])
            return rooms[k];
    return half;
}

/* Improve the moments of a weight until they settle; return what came of it. */
static int iterate(Window *window, Matrix *weight, const int64_t *rooms, int64_t n_room, int64_t n_iteration,
                   double tolerance_ellipticity, double tolerance_size)
{
    double old[3] = {1e6, 1e6, 1e6};
    for (int64_t k = 0; k < n_iteration; k++) {
        Matrix w = *weight;
        Sums sums;
        window->room = room_of(w, window->reach, window->half, rooms, n_room);
        add_moments(window, w, &sums);
        Matrix m = {sums.xx / sums.total, sums.yy / sums.total, sums.xy / sums.total};
        if (!(sums.total > 0.0 && sums.xx > 0.0 && sums.yy > 0.0 && m.xx * m.yy - m.xy * m.xy > 1e-7))
            return FAILED;
        double size = m.xx + m.yy, now[3] = {(m.xx - m.yy) / size, 2.0 * m.xy / size, m.xx};
        if (fabs(now[0] - old[0]) < tolerance_ellipticity && fabs(now[1] - old[1]) < tolerance_ellipticity &&
            fabs(now[2] / old[2] - 1.0) < tolerance_size)
            return SETTLED;
        memcpy(old, now, sizeof old);
        /* deconvolve: the product of source and weight is narrower than the source, for Gaussians by exactly this much */
        Matrix a = invert(m), b = invert(w), inverse = {a.xx - b.xx, a.yy - b.yy, a.xy - b.xy};
        if (!(inverse.xx * inverse.yy - inverse.xy * inverse.xy > 0.0 && inverse.xx > 0.0))
            return FAILED;
        if (sqrt(w.xx > w.yy ? w.xx : w.yy) * 3.0 > (double)window->half)
            return TOO_LARGE;
        *weight = invert(inverse);
    }
    return FAILED;
}

/* stamps, variance: n squares of 2 half + 1 pixels a side; dx, dy: n, centers; weight: n rows of xx, yy, xy, first and
   last moments; state, flux, flux_err: n, results. */
int64_t adaptive_moments(const float *stamps, const float *variance, int64_t n, int64_t half, const double *dx,
                         const double *dy, double *weight, int64_t *state, double *flux, double *flux_err, double reach,
                         const int64_t *rooms, int64_t n_room, int64_t n_iteration, double tolerance_ellipticity,
                         double tolerance_size)
{
    int64_t pixels = (2 * half + 1) * (2 * half + 1);
    for (int64_t k = 0; k < n; k++) {
        Window window = {stamps + k * pixels, variance + k * pixels, half, half, (float)dx[k], (float)dy[k], (float)reach};
        Matrix moments = {weight[3 * k], weight[3 * k + 1], weight[3 * k + 2]};
        state[k] = iterate(&window, &moments, rooms, n_room, n_iteration, tolerance_ellipticity, tolerance_size);
        Sums sums;
        window.room = room_of(moments, reach, half, rooms, n_room);
        add_flux(&window, moments, &sums);
        weight[3 * k] = moments.xx;
        weight[3 * k + 1] = moments.yy;
        weight[3 * k + 2] = moments.xy;
        /* a Gaussian of amplitude one adds up to pi sqrt(det) when weighted with itself, and to twice that unweighted;
           where the variance is not known in the stamp, but all the same where the weight is not zero */
        flux[k] = 2.0 * sums.total;
        flux_err[k] = 2.0 * sqrt(isfinite(sums.noise) ? sums.noise : sums.noise_under);
    }
    return 0;
}
