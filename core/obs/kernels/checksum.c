/* The sum of obs.repo.fits_checksum. */
#include "kernels.h"

static inline uint32_t big_endian(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, 4);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap32(word);
#endif
    return word;
}

/* Ones' complement sum of the 32-bit big-endian words in `size` bytes; zeros fill up the last one. */
WIDE int64_t sum_words(const uint8_t *data, int64_t size)
{
    const int64_t n = size / 4;
    uint8_t last[4] = {0, 0, 0, 0};
    uint64_t total = 0;
    for (int64_t k = 0; k < n; k++)
        total += big_endian(data + 4 * k);
    memcpy(last, data + 4 * n, (size_t)(size - 4 * n));
    total += big_endian(last);
    while (total >> 32)
        total = (total >> 32) + (total & 0xffffffffu);
    return (int64_t)total;
}
