/* Bits of masks. */
#include "kernels.h"

/* mask: n pixels; found: whether any of the bits is set. */
WIDE int64_t any_bits(const int32_t *mask, int64_t n, int64_t bits, uint8_t *found)
{
    const int32_t wanted = (int32_t)bits;
    for (int64_t k = 0; k < n; k++)
        found[k] = (mask[k] & wanted) != 0;
    return 0;
}

/* Set bits of a mask of n pixels where `where`, 0 or 1, says so. */
WIDE int64_t set_bits(int32_t *mask, int64_t n, int64_t bits, const uint8_t *where)
{
    const int32_t wanted = (int32_t)bits;
    for (int64_t k = 0; k < n; k++)
        mask[k] |= -(int32_t)where[k] & wanted;
    return 0;
}

/* Places, ascending, of those of n pixels that have any of the bits; index: room for n. Returns how many there are. */
WIDE int64_t find_bits(const int32_t *mask, int64_t n, int64_t bits, int64_t *index)
{
    const int32_t wanted = (int32_t)bits;
    int64_t found = 0, k = 0;
    for (; k + 32 <= n; k += 32) {
        int32_t any = 0;
        for (int64_t i = 0; i < 32; i++)
            any |= mask[k + i] & wanted;
        for (int64_t i = 0; any && i < 32; i++)
            if (mask[k + i] & wanted)
                index[found++] = k + i;
    }
    for (; k < n; k++)
        if (mask[k] & wanted)
            index[found++] = k;
    return found;
}

/* Whether any pixel of each row and of each column is set. inside: n squares of `size` pixels a side; rows, columns: n x
   size. */
WIDE int64_t any_of_lines(const uint8_t *inside, int64_t n, int64_t size, uint8_t *rows, uint8_t *columns)
{
    memset(columns, 0, (size_t)(n * size));
    for (int64_t k = 0; k < n; k++, columns += size)
        for (int64_t y = 0; y < size; y++, inside += size) {
            uint8_t any = 0;
            for (int64_t x = 0; x < size; x++) {
                any |= inside[x];
                columns[x] |= inside[x];
            }
            *rows++ = any;
        }
    return 0;
}
