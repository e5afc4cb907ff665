/* What all kernels share. Images are float32, row by row; sizes and places int64. Each function returns a number. */
#ifndef OBS_KERNELS_H
#define OBS_KERNELS_H

#include <stdint.h>
#include <string.h>

/* Wider vectors where the processor has them. Results do not depend on it: no sum is reordered by the compiler. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

/* Eight numbers that are computed together, on any processor. The memory they come from need not be aligned. */
#define LANES 8
typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef int32_t Whole __attribute__((vector_size(4 * LANES)));
typedef uint8_t Bytes __attribute__((vector_size(LANES)));
typedef double Doubles __attribute__((vector_size(8 * LANES)));
typedef float FloatsInMemory __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define LOAD(place) ((Floats)(*(const FloatsInMemory *)(place)))
#define WIDEN(values) __builtin_convertvector(values, Doubles)
#define STORE(place, value) (*(FloatsInMemory *)(place) = (FloatsInMemory)(value))
/* One value or the other, by a mask of all bits or none. */
#define CHOOSE(mask, yes, no) ((Floats)(((mask) & (Whole)(yes)) | (~(mask) & (Whole)(no))))

static inline double add_lanes(const Floats *values)
{
    double total = 0.0;
    for (int i = 0; i < LANES; i++)
        total += (double)(*values)[i];
    return total;
}

/* First pixel from x on that is set, or the width. */
static inline int64_t next_set(const uint8_t *line, int64_t x, int64_t width)
{
    uint64_t eight;
    for (; x + 8 <= width; x += 8) {
        memcpy(&eight, line + x, 8);
        if (eight)
            break;
    }
    while (x < width && !line[x])
        x++;
    return x;
}

#endif
