"""How Sphinx builds the guide. Pages of reference are written from the code first; see the folder ``generator``."""

import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

sys.path.insert(0, str(Path(__file__).parent))

from generator.gallery import draw_gallery
from generator.sample_night import make_sample_night, use_sample_camera
from generator.step_figures import draw_step_figures
from generator.write import write_pages

project = "obs"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_param = False  # types are words such as "ndarray of float32, shape (n,)", and not references
napoleon_use_rtype = False
exclude_patterns = ["_build", "numbers"]  # numbers are quoted by other pages
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 280  # seconds a cell
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_in_temp = True  # notebooks write files
nb_merge_streams = True
smartquotes = False  # they would make a dash of the two hyphens of an option
html_theme = "furo"
html_title = "obs"
html_static_path = ["static"]
html_css_files = ["tables.css", "cards.css"]
html_show_copyright = False
html_copy_source = False


def setup(app: Sphinx) -> None:
    """Write the generated pages before Sphinx looks for pages."""
    app.connect("config-inited", _write)


def _write(app: Sphinx, config: Config) -> None:
    folder = Path(app.srcdir)
    write_pages(folder)
    night = folder / "_build" / "sample_night"
    make_sample_night(night)
    use_sample_camera(night)
    draw_gallery(folder, night)
    draw_step_figures(folder / "figures", night)
