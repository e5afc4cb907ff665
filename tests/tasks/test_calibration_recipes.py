"""Which steps of signature removal each type of calibration leaves out."""

from obs.tasks.calibration_recipes import RECIPES, signature_config
from obs.tasks.isr_config import IsrConfig


def test_every_recipe_leaves_out_its_own_step_and_filling():
    for name in RECIPES:
        config = signature_config(name, IsrConfig())
        assert not config.do_interpolate
        assert not config.do_set_bad_regions
        assert config.do_variance
        assert not getattr(config, {"defects": "do_defect", "sky": "do_fringe"}.get(name, f"do_{name}"))
    assert signature_config("flat", IsrConfig()).do_dark
    assert not signature_config("bias", IsrConfig()).do_dark
