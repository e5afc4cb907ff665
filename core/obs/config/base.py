"""What every task's configuration is made of."""

from typing import Annotated, Any

from annotated_types import Ge, Gt
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticUndefined

__all__ = ["NotNegative", "Positive", "TaskConfig", "setting"]

Positive = Annotated[float, Gt(0)]
"""A number in a list of which each must be greater than zero."""

NotNegative = Annotated[int, Ge(0)]
"""A whole number in a list of which none may be below zero."""


class TaskConfig(BaseModel):
    """Base of all configurations: unknown names are refused, every assignment is validated, every field described.

    Fields are written with `setting`. A field whose type is another `TaskConfig` is a section.

    Raises
    ------
    TypeError
        Where a subclass leaves a field without description.
    """

    model_config = ConfigDict(
        extra="forbid",
        validate_assignment=True,
        validate_default=True,
        ser_json_inf_nan="constants",
        protected_namespaces=(),
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Insist on a description for every field."""
        bare = [name for name, field in cls.model_fields.items() if not field.description]
        if bare:
            raise TypeError(f"{cls.__name__}: no description for {', '.join(bare)}; write it with setting(...)")


def setting(
    default: object = PydanticUndefined,
    description: str = "",
    *,
    unit: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    min_length: int | None = None,
) -> Any:  # noqa: ANN401 - stands for a value of any type, as pydantic.Field does
    """Return the declaration of one field of a `TaskConfig`.

    Parameters
    ----------
    default : object, optional
        The value when nobody sets it; a section's default is an instance of its class.
    description : str, default: ""
        What it does, for ``--show config``.
    unit : str, default: ""
        Unit of the value, for example ``pixel``; part of the documentation.
    ge, gt, le, lt : float, optional
        Limits of the value: greater or equal, greater, less or equal, less.
    min_length : int, optional
        Least number of items of a list or characters of a text.
    """
    return Field(
        default,
        description=description,
        json_schema_extra={"unit": unit} if unit else None,
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        min_length=min_length,
    )
