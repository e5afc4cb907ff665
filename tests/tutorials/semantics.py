"""What the second-generation LSST stack does, rule by rule, and the test that holds obs to it.

The rules are the rows of sections 4 (data access), 5 (arguments) and 6 (processing) of ``shared/SEMANTICS.md``, by
section and first cell; a section without a table is one rule. A value in parentheses is a reason why there is no test.
"""

_ISR = "tests/tasks/test_isr.py::test_"
_STACK = "tests/compat/test_persistence.py::test_"
_BUTLER = "tests/repo/test_butler.py::test_"
_PROCESS = "tests/cli/test_process.py::test_"
_LSST = "tests/cli/test_lsst_options.py::test_"
_BUILD = "tests/ingest/test_build_calibs.py::test_"

RULES = {
    # Data access
    "4 Construction": f"{_STACK}repositories_are_named_in_every_way",
    "4 `get(dt, dataId, immediate=True, **keys)`": f"{_BUTLER}put_and_get",
    "4 `put(obj, dt, dataId, doBackup=False, **)`": f"{_BUTLER}put_replaces_whole_or_keeps_a_backup",
    "4 `datasetExists(dt, dataId, write=False)`": f"{_BUTLER}compressed_files_are_found",
    "4 `queryMetadata(dt, format, dataId)`": f"{_STACK}registries_are_asked_in_the_words_of_all_stacks",
    "4 `subset(dt, level=None, dataId)`": f"{_BUTLER}subset_and_levels",
    "4 `dataRef(...)`": f"{_STACK}what_is_not_there_is_no_results",
    "4 `getKeys(dt, level)`": f"{_BUTLER}keys",
    "4 `getDatasetTypes`, `getUri`, `defineAlias('@x', dt)` (must start with @), `getMapperClass(root)`": (
        f"{_BUTLER}lsst_spellings"
    ),
    "4 dataRef methods": f"{_STACK}references_know_what_they_are_part_of",
    "4 Suffixes": f"{_BUTLER}suffixes",
    "4 Repo definition": "tests/repo/test_stack_repository.py::test_a_chain_of_reruns_is_one_repository",
    "4 Output repo re-use": "tests/repo/test_layout.py::test_outputs_that_may_not_be_written",
    "4 In-repo policy": "tests/repo/test_lsst_arguments.py::test_the_policy_of_a_repository_holds_for_itself_only",
    "4 Missing keys": "tests/policy/test_mapper.py::test_missing_keys_are_looked_up",
    "4 Composites": f"{_BUTLER}composites",
    "4 Atomic writes": "tests/repo/test_atomic.py::test_a_killed_process_leaves_no_half_file",
    # Arguments
    "5 `input`": f"{_PROCESS}no_repository",
    "5 `--calib`": "tests/cli/test_process_file.py::test_environment_variables_of_a_repository",
    "5 `--output`": "tests/cli/test_process_file.py::test_environment_variables_of_lsst",
    "5 `--rerun [IN:]OUT`": "tests/repo/test_layout.py::test_rerun",
    "5 no output": f"{_PROCESS}usage_mistakes",
    "5 `-c/--config N=V…`": "tests/config/test_layers.py::test_values_that_do_not_fit",
    "5 `-C/--configfile F…`": f"{_PROCESS}settings_are_applied_left_to_right",
    "5 override order": "tests/config/test_layers.py::test_later_layers_win_left_to_right",
    "5 `-L/--loglevel [COMP=]LEVEL…`": "tests/cli/test_logs.py::test_levels_of_components_later_ones_win",
    "5 `--show config[=PAT] history=PAT data tasks run`": f"{_PROCESS}show",
    "5 `-j/--processes N`, `-t/--timeout S`": "tests/executor/test_workers.py::",
    "5 `--doraise`, `--noExit`, `--profile FILE`": f"{_LSST}profile",
    "5 `--clobber-output`": f"{_LSST}settings_and_versions_of_an_earlier_run",
    "5 `--id [K=V1[^V2…] …]`": "tests/policy/test_data_id.py::test_alternatives_and_ranges",
    "5 result": f"{_PROCESS}no_data_at_all",
    "5 `--selectId`": "tests/cli/test_lsst_command.py::test_lines",
    "5 `@file`": "tests/cli/test_arguments.py::test_files_may_name_files",
    "5 `--reuse-outputs-from SUB\\|all`": "tests/runs/test_pending.py::test_a_run_that_was_stopped_goes_on",
    "5 ctrl_pool drivers": "tests/cli/test_lsst_command.py::test_what_has_no_effect_is_said",
    # Instrument signature removal, by the number of the step
    "6.1 1": f"{_ISR}whole_numbers_need_the_conversion",
    "6.1 2": f"{_ISR}bias_before_overscan_is_a_raw_frame",
    "6.1 3": f"{_ISR}saturated_and_suspect_pixels_are_masked_at_raw_levels",
    "6.1 4": f"{_ISR}overscan_follows_the_rows",
    "6.1 5": f"{_ISR}crosstalk_in_both_conventions_and_at_both_places",
    "6.1 6": f"{_ISR}cards_of_the_raw_image_go_and_others_stay",
    "6.1 7": f"{_ISR}the_whole_chain_restores_light_noise_and_variance",
    "6.1 8": f"{_ISR}variance_without_gain_or_read_noise",
    "6.1 9": f"{_ISR}linearity_of_the_table_and_of_a_linearizer",
    "6.1 10": f"{_ISR}crosstalk_background_and_missing_coefficients",
    "6.1 11": f"{_ISR}defects_and_edges",
    "6.1 12": f"{_ISR}single_nans_are_counted_and_filled",
    "6.1 13": f"{_ISR}wide_trails_are_widened_before_interpolation_and_filled",
    "6.1 14": f"{_ISR}the_camera_masks_with_its_own_function",
    "6.1 15": f"{_ISR}brighter_fatter_adds_the_difference_only",
    "6.1 16": f"{_ISR}dark_is_scaled_by_dark_time",
    "6.1 17": f"{_ISR}fringes_only_in_their_filters",
    "6.1 18": f"{_ISR}stray_light_is_scaled_by_exposure_time",
    "6.1 19": f"{_ISR}flat_scaling",
    "6.1 20": f"{_ISR}gains_level_the_amplifiers_and_exclude_the_flat",
    "6.1 21": f"{_ISR}the_level_of_the_fringe_frame_is_kept_or_not",
    "6.1 22": f"{_ISR}vignetting_masks_what_lies_outside",
    "6.1 23": f"{_ISR}transmission_is_recorded",
    "6.1 24": f"{_ISR}illumination_correction_divides",
    "6.1 25": f"{_ISR}pixels_before_interpolation_are_handed_over",
    "6.1 26": "tests/algorithms/detector/test_interpolate.py::test_only_the_planes_asked_for",
    "6.1 27": f"{_ISR}rough_zero_point_by_filter_band_or_default",
    "6.1 28": f"{_ISR}level_and_flatness_of_the_sky_are_recorded",
    # The steps after it
    "6.2": "tests/tasks/test_characterize.py::test_the_fitted_psf_has_the_size_of_the_stars",
    "6.3": "tests/tasks/test_calibrate.py::test_the_zero_point_is_that_of_the_reference_catalog",
    "6.4": "tests/plugins/sdss/test_sdss_isr.py::test_real_frame",
    "6.5 bias": f"{_BUILD}bias",
    "6.5 dark": f"{_BUILD}dark",
    "6.5 flat": f"{_BUILD}flat",
    "6.5 fringe": f"{_BUILD}fringe_and_sky",
    "6.5 sky": f"{_BUILD}fringe_and_sky",
    "6.6": "tests/tutorials/test_lines_of_one_image.py::test_the_line_of_the_tutorial",
    # Files
    "6.7 calexp, postISRCCD, icExp": "tests/repo/test_lsst_files.py::test_psf_and_zero_point_of_a_calexp",
    "6.7 mask planes": "tests/image/test_mask.py::test_bits_are_by_name_whatever_their_numbers",
    "6.7 header keys": "tests/repo/test_fits_exposure.py::test_reads_lsst_files",
    "6.7 src, icSrc": "tests/repo/test_fits_catalog.py::test_lsst_flag_bits_become_columns",
    "6.7 src columns": "tests/compat/test_names.py::test_names_of_three_generations",
    "6.7 srcMatch": "tests/tasks/test_calibrate.py::test_matches_are_pairs_of_the_same_star",
    "6.7 *_schema": "tests/repo/test_lsst_arguments.py::test_schema_without_a_data_id",
    "6.7 <task>_config": "tests/repo/test_formatters.py::test_text_is_never_run",
}
