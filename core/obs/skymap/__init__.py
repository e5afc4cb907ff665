"""Division of the sky into tracts and patches, on which exposures are combined."""
