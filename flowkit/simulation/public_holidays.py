"""Public holidays of a country, from the `holidays` package (the extra ``calendar``)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

__all__ = ["days_off"]


@lru_cache(maxsize=256)
def days_off(country: str, year: int) -> frozenset[date]:
    """The public holidays of ``country`` (ISO 3166 code, with a subdivision as in ``DE-BY``) in ``year``.

    Raises ValueError when the country is unknown or the package is not installed.
    """
    try:
        import holidays  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise ValueError(
            f"'holidays: {country}' needs the package 'holidays': pip install 'flowkit[calendar]'"
        ) from None
    code, _, subdivision = country.partition("-")
    try:
        return frozenset(holidays.country_holidays(code, subdiv=subdivision or None, years=year))
    except NotImplementedError:
        raise ValueError(f"'{country}' is not a country that the package 'holidays' knows") from None
