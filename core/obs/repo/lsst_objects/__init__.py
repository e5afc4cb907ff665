"""Objects that the LSST stack attaches to its files: PSFs, WCSs and photometric calibrations."""
