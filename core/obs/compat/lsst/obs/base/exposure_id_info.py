"""The number of an exposure together with the bits that it needs."""

__all__ = ["ExposureIdInfo"]


class ExposureIdInfo:
    """Number of an exposure and the bits that it has in the identifiers of its sources.

    Parameters
    ----------
    expId : int
        The number.
    expBits : int
        Bits that it needs.
    maxBits : int, optional
        Bits of an identifier.

    Raises
    ------
    RuntimeError
        If the number needs more bits than it has, or than there are.
    """

    def __init__(self, expId: int = 0, expBits: int = 1, maxBits: int = 64) -> None:
        if int(expId).bit_length() > expBits:
            raise RuntimeError(f"expId={expId} uses {int(expId).bit_length()} bits, expBits={expBits} are too few")
        if expBits > maxBits:
            raise RuntimeError(f"expBits={expBits} are more than maxBits={maxBits}")
        self.expId, self.expBits, self.maxBits = int(expId), expBits, maxBits

    @property
    def unusedBits(self) -> int:
        """Bits that are left for the number of a source."""
        return self.maxBits - self.expBits

    def __repr__(self) -> str:
        return f"ExposureIdInfo(expId={self.expId}, expBits={self.expBits}, maxBits={self.maxBits})"
