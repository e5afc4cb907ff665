"""Select stars, and fit the PSF, its width and its wings."""
