"""From files to a repository: raw frames, calibration frames, reference catalogs."""
