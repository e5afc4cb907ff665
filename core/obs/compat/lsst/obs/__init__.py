"""What cameras of the stack rest on, and modules of cameras, which have their mappers."""

from obs.compat.lsst.obs.mapper_modules import provide_mapper_modules

__all__: list[str] = []

provide_mapper_modules()
