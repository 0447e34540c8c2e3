"""The site: Markdown of the whole repository, by Sphinx. ``make site``.

The source folder is the repository itself, so that a page's links mean the same on the site as beside the code.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

project = "zgbench"
author = "the authors of zgbench"
root_doc = "docs/index"
include_patterns = [
    "docs/**", "CHANGELOG.md", "LICENSES/README.md", "CONTRIBUTING.md", "SECURITY.md", "human_eval/README.md", "leaderboard/README.md",
    "submissions/README.md", "reference_method/mini/README.md",
]  # fmt: skip
exclude_patterns = [".*", "build", "dist", "results", "**/results", "**/.*", "**/__pycache__", "tests", "zgbench"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_argparse_cli",
    "sphinx_copybutton",
]

myst_heading_anchors = 4
myst_links_external_new_tab = True
suppress_warnings = ["myst.header"]  # a page may begin below level 1 after a comment

# notebooks are run anew by every build; one that fails fails the build
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_in_temp = True
nb_output_stderr = "remove"  # progress bars

autodoc_typehints = "signature"
autodoc_preserve_defaults = True
maximum_signature_line_length = 80
autodoc_member_order = "bysource"
add_module_names = False
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
html_title = "zgbench"
html_extra_path = ["front"]
html_static_path = ["static"]
html_css_files = ["zgbench.css"]
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
