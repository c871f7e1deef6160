"""How Sphinx builds the site:

python -m sphinx -W --keep-going -n docs build/site
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "overages"
html_title = "overages"
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_extra_path = ["llms.txt"]
html_copy_source = False
html_show_copyright = False
exclude_patterns = ["llms.txt"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "notebooks",
    "outside_links",
    "public_names",
]
myst_heading_anchors = 3
default_role = "code"  # in docstrings; `public_names` makes a link of what names something public
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
nitpick_ignore = [  # of an optional library, which has no index to link to, nor need be there
    ("py:class", "StripeClient"),
    ("py:exc", "stripe.StripeError"),
]
