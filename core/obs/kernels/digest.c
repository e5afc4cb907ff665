/* Which sources this library was made from, so that it is never used with others. */
#ifndef OBS_KERNELS_DIGEST
#define OBS_KERNELS_DIGEST ""
#endif

const char *obs_kernels_digest(void)
{
    return OBS_KERNELS_DIGEST;
}
