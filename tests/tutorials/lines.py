"""The lines of the five tutorials that obs is made from: where each is tested, or why it is not.

The numbers are those of ``shared/TUTORIALS.md``. A number in quotation marks in a test of this folder is tested there.
"""

from collections.abc import Callable

_NO_STACK = "EUPS and conda, which pip replaces"

#: Lines that nothing is to be done for, or that wait for an issue of their own.
REASONS = {
    "0.1": _NO_STACK,
    "1.1": _NO_STACK,
    "1.21": "files from the archive of SDSS, outside of obs",
    "3.1": _NO_STACK,
    "3.3": _NO_STACK,
    "4.1": _NO_STACK,
}

#: Lines that other tests are about.
ELSEWHERE = {
    "1.5": "tests/cli/test_process_file.py::test_environment_variables_of_lsst",
    "1.6": "tests/cli/test_process.py::test_settings_are_applied_left_to_right",
    "1.7": "tests/cli/test_logs.py::test_levels_of_components_later_ones_win",
    "1.8": "tests/cli/test_lsst_options.py::test_logs_go_to_a_file_too",
    "1.9": "tests/cli/test_process.py::test_doraise_lets_the_exception_through",
    "1.10": "tests/cli/test_process.py::test_show",
    "1.11": "tests/cli/test_lsst_options.py::test_settings_and_versions_of_an_earlier_run",
    "1.12": "tests/cli/test_process.py::test_several_ids_and_everything",
    "1.13": "tests/cli/test_process.py::test_arguments_from_a_file",
    "1.15": "tests/test_single_image.py::test_saturated_and_low_pixels_are_masked",
    "2.8": "tests/config/test_overrides.py::test_retarget_to_a_function_of_another_package",
    "2.9": "tests/config/test_layers.py::test_history_names_every_origin",
    "3.6": "tests/plugins/necam/test_necam_plugin.py::test_importing_reads_no_data_file",
    "3.7": "tests/plugins/necam/test_necam_plugin.py::test_settings_do_without_overscan_and_defects",
    "3.10": "tests/policy/test_policy.py::test_published_policies_load_unmodified",
    "3.11": "tests/policy/test_policy.py::test_no_storage_fails_at_load",
    "3.12": "tests/camera/test_fits_table.py::test_table_is_the_one_that_lsst_reads",
    "3.13": "tests/ingest/test_raws.py::test_copy_and_move",
    "4.2": "tests/compat/test_tutorial_text.py::test_a_calibration_is_an_exposure",
    "4.3": "tests/compat/test_tutorial_text.py::test_a_calibration_is_an_exposure",
    "4.4": "tests/compat/test_tutorial_scripts.py::test_parts_of_the_repository",
    "4.5": "tests/compat/test_tutorial_text.py::test_the_file_of_a_calibration",
    "4.6": "tests/compat/test_tutorial_text.py::test_metadata",
    "4.7": "tests/repo/test_lsst_arguments.py::test_words_of_lsst_for_every_method",
    "4.8": "tests/compat/test_tutorial_text.py::test_a_data_reference",
    "3.17": "tests/executor/test_dask.py::test_outcomes_messages_and_lost_workers",
    "4.10": "tests/compat/test_tutorial_scripts.py::test_parts_of_the_repository",
    "4.12": "tests/coadds/test_coadd_catalog.py::test_other_names_of_datasets",
    "4.13": "tests/policy/test_paf.py::test_a_policy_of_the_old_format",
    "4.14": "tests/compat/test_tutorial_scripts.py::test_every_getter_of_an_exposure",
    "4.15": "tests/compat/test_tutorial_scripts.py::test_ccdplot_and_background",
    "4.17": "tests/image/test_mask.py::test_bits_are_by_name_whatever_their_numbers",
    "4.18": "tests/compat/test_tutorial_text.py::test_a_copy_of_a_mask_keeps_one_plane",
    "4.19": "tests/compat/test_tutorial_text.py::test_a_copy_of_a_mask_keeps_one_plane",
    "4.20": "tests/compat/test_names.py::test_names_of_three_generations",
    "4.21": "tests/compat/test_tutorial_text.py::test_columns_and_records_of_sources",
    "4.22": "tests/compat/test_tutorial_text.py::test_columns_and_records_of_sources",
    "4.23": "tests/compat/test_names.py::test_names_of_three_generations",
    "4.24": "tests/compat/test_tutorial_text.py::test_a_schema_prints_its_columns",
    "4.25": "tests/compat/test_tutorial_scripts.py::test_print_magnitudes",
    "4.26": "tests/compat/test_tutorial_scripts.py::test_flux_fit_of_mosaic",
    "4.27": "tests/compat/test_tutorial_scripts.py::test_print_magnitudes",
    "4.28": "tests/compat/test_tutorial_scripts.py::test_print_coord",
    "4.29": "tests/compat/test_tutorial_scripts.py::test_print_moment",
    "0.16": "tests/cli/test_display.py::test_a_calibrated_image",
    "4.30": "tests/compat/test_tutorial_scripts.py::test_show_in_ds9_sends_image_masks_and_symbols",
    "4.31": "tests/compat/test_tutorial_scripts.py::test_show_in_ds9_sends_image_masks_and_symbols",
}


def lines(*numbers: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Say which lines a test is about."""
    return lambda test: test
