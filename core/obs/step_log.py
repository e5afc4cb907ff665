"""The logger that says which step a data ID is in, for displays of a run; silent unless one listens."""

import logging

__all__ = ["STEP_LOGGER", "log_step"]

#: Its name. A display sets its level, which worker processes take over.
STEP_LOGGER = "obs.steps"


def log_step(step: str) -> None:
    """Say that a step begins, to a display that has set the level of this logger."""
    logger = logging.getLogger(STEP_LOGGER)
    if logger.level:
        logger.info(step)
