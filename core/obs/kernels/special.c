/* Functions that are not elementary: obs.algorithms.numeric.special. */
#include "kernels.h"

#include <math.h>

#define MOST_TERMS 100000
#define TINY 1e-300

/* Bessel functions of the first kind, of order 0 or 1. x, result: n. */
int64_t bessel_first(int64_t order, const double *x, int64_t n, double *result)
{
    for (int64_t k = 0; k < n; k++)
        result[k] = order ? j1(x[k]) : j0(x[k]);
    return 0;
}

/* Part of a gamma distribution of shape a that is above x, or below it. */
static double gamma_tail(double a, double x, int above)
{
    double front = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1.0) {
        double term = 1.0 / a, sum = term;
        for (int k = 1; k < MOST_TERMS && term > 1e-17 * sum; k++) {
            term *= x / (a + k);
            sum += term;
        }
        return above ? 1.0 - front * sum : front * sum;
    }
    /* Legendre's continued fraction, by the method of Lentz */
    double b = x + 1.0 - a, c = 1.0 / TINY, d = 1.0 / b, value = d;
    for (int k = 1; k < MOST_TERMS; k++) {
        double top = k * (a - k);
        b += 2.0;
        d = b + top * d;
        d = 1.0 / (fabs(d) < TINY ? TINY : d);
        c = b + top / c;
        c = fabs(c) < TINY ? TINY : c;
        value *= c * d;
        if (fabs(c * d - 1.0) < 1e-15)
            break;
    }
    return above ? front * value : 1.0 - front * value;
}

/* Probability of more than `count` events (above = 1), or of at most so many, where `mean` are expected.
   count: n whole numbers, not negative; mean, result: n. */
int64_t poisson_tail(int64_t above, const double *count, const double *mean, int64_t n, double *result)
{
    for (int64_t k = 0; k < n; k++) {
        if (!(mean[k] >= 0.0) || !(count[k] >= 0.0))
            result[k] = NAN;
        else if (mean[k] == 0.0)
            result[k] = above ? 0.0 : 1.0;
        else
            result[k] = gamma_tail(floor(count[k]) + 1.0, mean[k], !above);
    }
    return 0;
}

/* Incomplete beta function by its continued fraction, which converges fast for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < TINY ? TINY : d);
    double value = d;
    for (int k = 1; k < MOST_TERMS; k++) {
        double even = k * (b - k) * x / ((a + 2 * k - 1.0) * (a + 2 * k));
        double odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1.0));
        for (int half = 0; half < 2; half++) {
            double top = half ? odd : even;
            d = 1.0 + top * d;
            d = 1.0 / (fabs(d) < TINY ? TINY : d);
            c = 1.0 + top / c;
            c = fabs(c) < TINY ? TINY : c;
            value *= c * d;
        }
        if (fabs(c * d - 1.0) < 1e-15)
            break;
    }
    return value * exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a;
}

/* Probability that a ratio of variances with so many degrees of freedom above and below is larger than `ratio`. */
int64_t ratio_tail(double above, double below, double ratio, double *result)
{
    if (!(ratio >= 0.0) || !(above > 0.0) || !(below > 0.0))
        *result = NAN;
    else if (ratio == 0.0)
        *result = 1.0;
    else {
        double a = 0.5 * below, b = 0.5 * above, x = below / (below + above * ratio);
        *result = x < (a + 1.0) / (a + b + 2.0) ? beta_fraction(a, b, x) : 1.0 - beta_fraction(b, a, 1.0 - x);
    }
    return 0;
}
