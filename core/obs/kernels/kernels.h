/* What all kernels share. Images are float32, row by row; sizes and places int64. Each function returns a number. */
#ifndef OBS_KERNELS_H
#define OBS_KERNELS_H

#include <stdint.h>

/* Wider vectors where the processor has them. Results do not depend on it: no sum is reordered by the compiler. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

#endif
