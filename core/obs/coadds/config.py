"""Settings of `obs coadd`."""

from typing import Literal

from obs.config.base import TaskConfig, setting
from obs.image.mask import UNUSABLE_PLANES

__all__ = ["ArtifactConfig", "BackgroundMatchConfig", "CoaddConfig", "CoaddSelectConfig"]


class CoaddSelectConfig(TaskConfig):
    """Which exposures go into a coadd."""

    expression: str = setting(
        "", "Condition on the facts of an exposure, such as 'seeing < 0.9 and airmass < 1.5'; empty takes all."
    )
    minimum_seeing: float = setting(
        0.0,
        "Smallest full width at half maximum of the PSF of an exposure. Sharper exposures are left out.",
        unit="arcsec",
        ge=0,
    )
    maximum_seeing: float = setting(
        float("inf"),
        "Largest full width at half maximum of the PSF of an exposure. Lower it to leave out poor exposures.",
        unit="arcsec",
        gt=0,
    )
    maximum_exposures: int = setting(
        0, "Largest number of exposures of a patch, those of the best seeing; 0: all.", ge=0
    )
    maximum_psf_residual: float = setting(
        0.05, "Largest difference of the sizes of stars and PSF, as a share; unknown ones are accepted.", gt=0
    )


class ArtifactConfig(TaskConfig):
    """Rejection of what only one or few of the exposures show."""

    enabled: bool = setting(True, "Whether satellites, moving objects and unmasked cosmic rays are looked for.")
    threshold: float = setting(
        5.0,
        "Deviation from the other exposures from which a pixel is an artifact. Lower values reject more.",
        unit="sigma",
        gt=0,
    )
    edge_threshold: float = setting(
        2.0,
        "Deviation from the other exposures down to which pixels beside an artifact belong to it.",
        unit="sigma",
        gt=0,
    )
    grow: int = setting(
        1,
        "Distance by which artifacts are grown, to cover their faint edges. Raise it if edges of trails stay.",
        unit="pixel",
        ge=0,
    )
    maximum_share: float = setting(0.4, "Largest share of the exposures of a pixel that can be artifacts.", gt=0, le=1)


class BackgroundMatchConfig(TaskConfig):
    """Matching of the skies of overlapping exposures."""

    enabled: bool = setting(True, "Whether skies are matched by a plane for each exposure.")
    cell: int = setting(
        192,
        "Width of the cells in which the difference of skies is measured. Larger cells are less disturbed by sources.",
        unit="pixel",
        ge=24,
    )


class CoaddConfig(TaskConfig):
    """Settings of how exposures are combined to coadds."""

    kernel: Literal["star", "lanczos"] = setting(
        "star",
        "Weights of resampling: best for images of stars, or those of Lanczos, which change fluxes of stars by up to "
        "0.4 % with their place between pixels.",
    )
    kernel_reach: int = setting(
        4,
        "Half width of the resampling kernel. Wider kernels conserve detail better, and spread bad pixels further.",
        unit="pixel",
        ge=2,
        le=7,
    )
    statistic: Literal["mean", "clipped", "median"] = setting(
        "mean", "Way in which exposures are combined: mean without artifacts, clipped mean, or median."
    )
    zero_point: float = setting(
        27.0, "Magnitude of a source of 1 adu in the coadd. Coadds of all filters have the same.", unit="mag"
    )
    seeing_power: float = setting(
        0.5,
        "Weights are inverse sky variances divided by this power of the seeing. 1 gives the highest signal-to-noise "
        "ratio of point sources, 0 that of extended ones. 0.5 gives point sources three quarters of the gain for a "
        "quarter of the noise.",
        ge=0,
    )
    bad_planes: list[str] = setting(list(UNUSABLE_PLANES), "Mask planes of pixels that are left out.")
    saturated_share: float = setting(0.1, "Share of the weight above which SAT of pixels left out is kept.", ge=0, le=1)
    use_common_calibration: bool = setting(True, "Whether WCS and zero points of all visits together are used.")
    warps: list[Literal["direct", "psfMatched"]] = setting(
        [],
        "Resampled exposures that are kept, one file for each visit and patch: direct (deepCoadd_directWarp), and "
        "convolved to one PSF (deepCoadd_psfMatchedWarp), for apertures that hold the same part of a source in all.",
    )
    matched_seeing: float | None = setting(
        None,
        "Full width at half maximum of the PSF of deepCoadd_psfMatchedWarp and deepCoaddPsfMatched; null means a tenth "
        "wider than the widest PSF of the patch. Set it to compare patches or filters.",
        unit="arcsec",
        gt=0,
    )
    psf_matched_coadd: bool = setting(
        False,
        "Whether deepCoaddPsfMatched is written: the coadd of the exposures convolved to one PSF, for aperture fluxes "
        "and colors that do not depend on the place.",
    )
    point_source_image: bool = setting(
        False,
        "Whether deepCoadd_score is written: the sum of all exposures, each filtered with its own PSF, on which obs "
        "coadd-catalog then detects. It finds fainter point sources where the seeing differs, for twice the time.",
    )
    psf_degree: int = setting(
        3,
        "Degree of the polynomial of the PSF model over a patch. Raise it if the PSF error in the table is large.",
        ge=0,
        le=6,
    )
    select: CoaddSelectConfig = setting(CoaddSelectConfig(), "Which exposures are used.")
    artifacts: ArtifactConfig = setting(ArtifactConfig(), "Rejection of artifacts.")
    background: BackgroundMatchConfig = setting(BackgroundMatchConfig(), "Matching of backgrounds.")
