"""`replace` as `dataclasses` has it, for states that change at every event: copied, not built anew field by field."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

__all__ = ["replace"]

if TYPE_CHECKING:
    from dataclasses import replace
else:
    import dataclasses

    @cache
    def _names(kind: type) -> frozenset[str] | None:
        """The fields of a class whose instances are nothing but their fields; None for every other class."""
        fields = dataclasses.fields(kind)
        plain = all(field.init for field in fields) and not hasattr(kind, "__post_init__")
        return frozenset(field.name for field in fields) if plain and not hasattr(kind, "__slots__") else None

    def replace(of: Any, /, **changes: Any) -> Any:
        """Another one of the same class, with these fields changed. Raises TypeError for what is no field."""
        kind = type(of)
        names = _names(kind)
        if names is None:
            return dataclasses.replace(of, **changes)
        has = {**of.__dict__, **changes}
        if len(has) != len(names):  # something was remembered beside the fields (cached_property), or is no field
            if not names >= changes.keys():
                raise TypeError(f"{kind.__name__} has no field {', '.join(sorted(changes.keys() - names))}")
            has = {name: has[name] for name in names}
        new = object.__new__(kind)
        object.__setattr__(new, "__dict__", has)
        return new
