"""`jx.errors`: core's error classes, with the runtime's own class for failures on a device."""

from jx_core.errors import (
    ArgnumsError,
    AxisError,
    BackendError,
    ConcretizationTypeError,
    DonatedArrayError,
    InconclusiveDimensionOperation,
    JAXIndexError,
    JaxprTypeError,
    JAXTypeError,
    JXIndexError,
    JXTypeError,
    KeyReuseError,
    MissingRuleError,
    NonConcreteBooleanIndexError,
    RefError,
    ShapeError,
    TracerArrayConversionError,
    TracerBoolConversionError,
    TracerIntegerConversionError,
    TypePromotionError,
    UnexpectedTracerError,
)

from .runtime.executables import JaxRuntimeError

__all__ = [
    "ArgnumsError", "AxisError", "BackendError", "ConcretizationTypeError", "DonatedArrayError",
    "InconclusiveDimensionOperation", "JAXIndexError", "JAXTypeError", "JXIndexError",
    "JXTypeError", "JaxRuntimeError", "JaxprTypeError", "KeyReuseError", "MissingRuleError",
    "NonConcreteBooleanIndexError", "RefError", "ShapeError", "TracerArrayConversionError",
    "TracerBoolConversionError", "TracerIntegerConversionError", "TypePromotionError",
    "UnexpectedTracerError",
]
