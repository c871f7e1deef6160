"""Charts: pictures of several values, and the styles of all charts.

Values draw themselves by ``to_svg()``. What takes several of them is here:

    charges_chart("Charges", [("Jan", Money(1223, "USD")), ("Feb", Money(5000, "USD"))])
    plans_chart([starter, pro], "tokens", up_to=2_000_000)
    statement.to_svg(styled=False)                    # for a page that serves `STYLES` itself

A page whose policy lets no styles stand within it (``style-src 'self'``) serves `STYLES` in a sheet
of its own. The colours follow the reader's choice of light or dark.
"""

from overages._ground.svg import STYLES, Svg
from overages.insight.pictures import plans_chart
from overages.statements.picture import charges_chart

__all__ = ["STYLES", "Svg", "charges_chart", "plans_chart"]
