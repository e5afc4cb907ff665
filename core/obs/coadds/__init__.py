"""Many exposures of a field at once: the patches of a sky map, their coadds and catalogs."""
