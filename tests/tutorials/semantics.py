"""What the second-generation LSST stack does, rule by rule, and the test that holds obs to it.

The rules are the rows of sections 4 (data access), 5 (arguments) and 6 (processing) of ``shared/SEMANTICS.md``, by
section and first cell; a section without a table is one rule. A value in parentheses is a reason why there is no test.
"""

_DETECTOR = "tests/algorithms/detector/test_"
_TUTORIAL = "tests/tutorials/test_"
_CHAIN = "tests/repo/test_stack_repository.py::test_"
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
    "4 Repo definition": f"{_CHAIN}a_chain_of_reruns_is_one_repository",
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
    "6.1 26": f"{_DETECTOR}interpolate.py::test_only_the_planes_asked_for",
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
    "6.6": f"{_TUTORIAL}lines_of_one_image.py::test_the_line_of_the_tutorial",
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

_CHARACTERIZE = "tests/tasks/test_characterize.py::test_"
_CALIBRATE = "tests/tasks/test_calibrate.py::test_"
_HSC = "tests/plugins/hsc/test_hsc_plugin.py::test_settings_are_those_of_the_stack"
_SDSS = "tests/plugins/sdss/test_sdss_"

_ARGUMENTS = "tests/repo/test_lsst_arguments.py::test_"
_LAYOUT = "tests/repo/test_layout.py::test_"
_MAPPER = "tests/policy/test_mapper.py::test_"
_IDS = "tests/policy/test_data_id.py::test_"
_LAYERS = "tests/config/test_layers.py::test_"
_LINES = "tests/cli/test_lsst_command.py::test_"
_ONE_IMAGE = "tests/cli/test_process_file.py::test_"

#: Sentences of sections 4 to 6, part by part in their order, by words that they have.
CLAUSES = {
    "4": {
        "Butler(root) (v1) or Butler(inputs=, outputs=) (v2)": f"{_STACK}repositories_are_named_in_every_way",
        "mixing → RuntimeError": f"{_STACK}contradictions_are_runtime_errors",
        "RepositoryArgs{cfgRoot, root, mapper, mapperArgs, tags": f"{_STACK}repositories_are_named_in_every_way",
        "mode r\\|w\\|rw, policy}": f"{_STACK}contradictions_are_runtime_errors",
        "mapper string, class or instance": f"{_STACK}repositories_are_named_in_every_way",
        "readable outputs at most one": f"{_STACK}contradictions_are_runtime_errors",
        "keys merged": f"{_BUTLER}data_ref",
        "lazily (ReadProxy) if immediate False": (
            "(read at once in either case: what is missing is said where it is asked for)"
        ),
        'missing → NoResults "No locations for get': f"{_STACK}what_is_not_there_is_no_results",
        "incomplete id → NoResults": f"{_BUTLER}a_data_id_without_a_match",
        "to all writable outputs": "(one output is written at a time; more are refused with a sentence)",
        "existence after stripping `[hdu]` and trying .gz/.fz": f"{_BUTLER}compressed_files_are_found",
        "composite = all components": f"{_BUTLER}composites",
        "format str → flat list; tuple/list → list of tuples": f"{_BUTLER}query_metadata",
        "DISTINCT, sorted by registry": f"{_BUTLER}query_metadata",
        "reads registry not disk": f"{_PROCESS}registered_frames_whose_files_are_gone",
        "list of dataIds at the level's keys": f"{_BUTLER}subset_and_levels",
        "**does not check existence**": f"{_BUTLER}a_complete_data_id_is_not_asked_for",
        "level '' = default": f"{_BUTLER}subset_and_levels",
        "exactly one, else RuntimeError": f"{_BUTLER}data_ref",
        "dict key → type": f"{_BUTLER}keys",
        "getDatasetTypes": f"{_BUTLER}lsst_spellings",
        "must start with @": f"{_MAPPER}aliases",
        "getMapperClass(root)": f"{_STACK}the_class_of_the_mapper_knows_the_camera",
        "get, put, datasetExists, getUri": f"{_BUTLER}lsst_spellings",
        "subLevels, subItems(level)": f"{_BUTLER}subset_and_levels",
        "getButler, dataId": f"{_STACK}references_know_what_they_are_part_of",
        "`_filename` (list)": f"{_BUTLER}suffixes",
        "`_sub(bbox,imageOrigin)`": f"{_STACK}values_and_parts_in_the_words_of_the_stack",
        "v1: `_mapper` file (dotted class)": f"{_LAYOUT}an_lsst_repository_with_mapper",
        "`_parent` symlink": f"{_LAYOUT}an_lsst_repository_with_a_parent_link",
        "v2: `repositoryCfg.yaml`": f"{_LAYOUT}an_lsst_repository_with_a_configuration",
        "Parents searched depth first": f"{_LAYOUT}parents_are_visited_depth_first_and_once",
        "child inherits mapper, registry and calib": f"{_CHAIN}a_chain_of_reruns_is_one_repository",
        "inputs added later must match recorded parents": f"{_LAYOUT}outputs_that_may_not_be_written",
        "mapper must agree": f"{_BUTLER}another_camera_in_the_output",
        "children do not inherit": f"{_ARGUMENTS}the_policy_of_a_repository_holds_for_itself_only",
        "registry lookups 1.4": f"{_MAPPER}missing_keys_are_looked_up",
        "PosixRegistry if there is no sqlite": f"{_BUTLER}without_a_registry_the_files_tell",
        "parts get from component dts": f"{_BUTLER}composites",
        "put disassembles; inputOnly components not written": f"{_BUTLER}composites",
        "temp file + rename": "tests/repo/test_atomic.py::test_failure_leaves_the_old_file",
        "identical rewrite ok, differing config → error": f"{_ONE_IMAGE}settings_are_recorded_and_guarded",
    },
    "5": {
        "must be the **first** argument": f"{_PROCESS}missing_input_comes_first",
        "relative path joined to $PIPE_INPUT_ROOT": f"{_ONE_IMAGE}environment_variables_of_lsst",
        "else $PIPE_CALIB_ROOT joined": f"{_ONE_IMAGE}environment_variables_of_a_repository",
        "$PIPE_OUTPUT_ROOT is only a prefix": f"{_ONE_IMAGE}environment_variables_of_a_repository",
        "(absolute OUT allowed)": f"{_LAYOUT}rerun",
        "input becomes that parent": f"{_LAYOUT}rerun",
        "with --output → error": f"{_LAYOUT}outputs_that_may_not_be_written",
        ">2 parts → error": f"{_LAYOUT}reruns_that_cannot_be",
        "mapper mismatch → error": f"{_BUTLER}another_camera_in_the_output",
        "tasks that need one: error exit": f"{_PROCESS}usage_mistakes",
        "if the field refuses, eval's the text": f"{_LAYERS}none_and_lists_and_mappings",
        "unknown field → exit": f"{_LAYERS}settings_that_do_not_exist",
        "missing '=' → exit": f"{_LAYERS}settings_that_do_not_exist",
        "loads; missing → exit": f"{_PROCESS}mistakes_are_one_line",
        "c and C apply left to right": f"{_PROCESS}settings_are_applied_left_to_right",
        "task defaults → obs `config/<task>.py`": f"{_PROCESS}settings_are_applied_left_to_right",
        "then validate(), freeze()": f"{_LAYERS}a_rule_over_several_fields_is_checked_at_the_end",
        "trace debug info warn error fatal, case-insens.": "tests/cli/test_logs.py::test_unknown_level",
        "later wins": "tests/cli/test_logs.py::test_levels_of_components_later_ones_win",
        "`--longlog` adds timestamp/host/dataId": f"{_LSST}logs_go_to_a_file_too",
        "`--debug` imports debug.py": "(messages of all components are printed: nothing of the user is imported)",
        "leading `config.` optional": f"{_LAYERS}show_matches_any_case_and_both_spellings",
        "always case-insensitive": f"{_LAYERS}show_matches_any_case_and_both_spellings",
        "doc comments precede each item": f"{_LAYERS}show_matches_any_case_and_both_spellings",
        "history=PAT needs a value": f"{_PROCESS}usage_mistakes",
        "data = dataIds": f"{_PROCESS}show_data_with_all_keys_and_as_the_stack",
        "exit 0 after showing unless `run`": f"{_PROCESS}show_and_run",
        "unknown → exit; no argument → exit": f"{_PROCESS}usage_mistakes",
        "timeout default 30 days": "tests/executor/test_workers.py::test_a_time_limit_stops_only_the_slow_one",
        "exceptions propagate": f"{_PROCESS}doraise_lets_the_exception_through",
        "do not sys.exit(nfailed)": f"{_LINES}what_has_no_effect_is_said",
        "cProfile (j=1)": f"{_LSST}profile",
        "delete output repo first": f"{_PROCESS}clobber_output",
        "`--clobber-config` (back up old as `~1`)": f"{_ONE_IMAGE}settings_are_recorded_and_guarded",
        "`--clobber-versions`, `--no-versions`": f"{_LSST}settings_and_versions_of_an_earlier_run",
        "| repeatable;": f"{_PROCESS}several_ids_and_everything",
        "first key slowest": f"{_IDS}first_key_varies_slowest_and_order_is_kept",
        "ints `a..b` inclusive": f"{_IDS}alternatives_and_ranges",
        "key twice in one --id → exit": f"{_IDS}faults",
        "bare --id = everything": f"{_PROCESS}several_ids_and_everything",
        "types cast by butler.getKeys": f"{_IDS}types_follow_the_keys",
        "unknown key → warning": "(refused in one line that lists the keys: else a mistyped key selects everything)",
        "un-castable → exit": f"{_IDS}faults",
        'None exist for one id → warn "No data found': f"{_PROCESS}one_of_several_ids_that_matches_nothing",
        "refList empty →": f"{_PROCESS}no_data_at_all",
        "exit status counts failures only": f"{_PROCESS}failures_are_grouped_and_counted",
        "for selecting inputs of coadds": f"{_LINES}lines",
        "shlex split; `#` comments; many lines": "tests/cli/test_arguments.py::test_files_may_name_files",
        "ordered stages": "tests/runs/test_pending.py::test_a_run_that_was_stopped_goes_on",
        "--batch-type smp\\|slurm\\|pbs\\|none": f"{_LINES}what_has_no_effect_is_said",
        "--dry-run --do-exec": f"{_LINES}previews_never_do_what_they_would_show",
        "`config/<task>.py`, `schema/*`": f"{_ONE_IMAGE}settings_are_recorded_and_guarded",
        '"Config does not match existing task config': f"{_PROCESS}another_configuration_is_refused",
        'log fatal "Failed on dataId': f"{_PROCESS}failures_are_grouped_and_counted",
        "**exit code = number failed**": "(1, whatever their number: a status cannot count beyond 255)",
        "`id dataRef.dataId = {": f"{_PROCESS}show_data_with_all_keys_and_as_the_stack",
        "--id dt is config isr.datasetType": f"{_TUTORIAL}lines_of_one_image.py::",
        "code only warns for missing ones": f"{_PROCESS}one_of_several_ids_that_matches_nothing",
    },
    "6": {
        "isr → charImage → (doCalibrate) calibrate": f"{_TUTORIAL}process_ccd.py::test_what_the_run_leaves_behind",
        "charImage.doWriteExposure False, isr.doWrite False": f"{_TUTORIAL}semantics.py::test_what_is_not_written",
    },
    "6.1": {
        "Must supply a bias exposure": f"{_ISR}missing_frames_are_one_error_that_names_the_switches",
        "a linearizer if config.doLinearize": f"{_ISR}linearity_of_the_table_and_of_a_linearizer",
        "a kernel if config.doBrighterFatter": f"{_ISR}required_calibrations_depend_on_the_filter",
        "fringe exposure as a pipeBase.Struct": f"{_ISR}required_calibrations_depend_on_the_filter",
        "Unable to retrieve bias for": f"{_BUILD}a_missing_bias",
        "retried with fallbackFilterName": f"{_BUILD}the_filter_to_fall_back_on",
        "doFlat+doApplyGains": f"{_ISR}gains_and_flat_together_are_told_with_the_setting",
        "doBiasBeforeOverscan+doTrimToMatchCalib": "(frames of another size are refused with both sizes, never cut)",
        "empty overscan box → skip": f"{_ISR}the_whole_chain_restores_light_noise_and_variance",
        "leading/trailing columns skipped": f"{_ISR}columns_next_to_the_data_are_skipped_on_the_right_side",
        "optional bias jump split": f"{_ISR}a_jump_of_the_bias_of_certain_devices",
        "ISR_OSCAN_LEVEL<amp>": f"{_ISR}level_noise_gain_and_read_noise_are_recorded",
        "no WCS and expectWcs → warning": f"{_ISR}cards_of_the_raw_image_go_and_others_stay",
        "gain NaN or ≤0 → 1 + warning": f"{_ISR}variance_without_gain_or_read_noise",
        "doEmpiricalReadNoise": f"{_ISR}measured_read_noise_is_in_electrons",
        "bad type → error": f"{_DETECTOR}linearity.py::test_what_cannot_be_done_is_told",
        "sources computed from the *uncorrected* image": (
            f"{_DETECTOR}crosstalk.py::test_sources_are_the_uncorrected_pixels"
        ),
        "CROSSTALK set on target pixels": (
            f"{_DETECTOR}crosstalk.py::test_ghosts_of_bright_pixels_are_masked_and_not_their_sources"
        ),
        "metadata NUMNANS": f"{_ISR}single_nans_are_counted_and_filled",
        "≥10→4": f"{_DETECTOR}saturation.py::test_wide_runs_grow_by_the_rule",
        "iterated ≤10 until": f"{_DETECTOR}brighter_fatter.py::test_iterations_are_counted_and_limited",
        "interior only": f"{_DETECTOR}brighter_fatter.py::test_border_is_left_alone",
        "exposure dark time NaN": f"{_ISR}an_unknown_exposure_time_is_refused",
        "divide by flat/flatScale (variance too)": f"{_DETECTOR}detrend.py::test_flat_is_relative_to_its_scale",
        "size mismatch → RuntimeError": f"{_ISR}a_calibration_of_another_shape_is_refused_with_both",
        "num boxes, small/large, amplitude by solving": (
            f"{_DETECTOR}fringe.py::test_amplitude_among_stars_and_on_a_slope"
        ),
        "set to MEANCLIP (or MEDIAN) value": (
            f"{_DETECTOR}interpolate.py::test_bad_regions_get_the_level_of_good_pixels"
        ),
        "fallbackFilterName HSC-R": (
            "(off: a flat of another filter is taken only where the user names it by isr.fallback_filter)"
        ),
        "overscan AKIMA_SPLINE 30; doSuspect; keysToRemove": _HSC,
        "crosstalk (DETECTOR background": (
            "tests/plugins/hsc/test_hsc_plugin.py::test_crosstalk_is_the_published_matrix"
        ),
        "brighter-fatter + grow 1": "(off until the calibrations hold a kernel, as the settings of the camera say)",
        "stray light [y, HSC-Y]": (
            "(off until the calibrations hold stray-light frames, as the settings of the camera say)"
        ),
        "fringe filters y,N921": _HSC,
        "doMeasureBackground T; fluxMag0T1": _HSC,
        "mm radius 262.5 mm": _HSC,
        "all transmissions": "(curves are attached where files have them: isr.do_attach_transmission_curve)",
    },
    "6.2": {
        "installSimplePsf": f"{_CHARACTERIZE}the_first_guess_of_the_seeing_may_be_wrong",
        "1 if doMeasurePsf False": f"{_CHARACTERIZE}a_given_psf_is_kept",
        "background (binSize 128": f"{_CHARACTERIZE}the_background_is_the_sky",
        "CR: minSigma 6": f"{_DETECTOR}cosmic_rays.py::test_hits_are_found",
        "nCrPixelMax 10000": f"{_TUTORIAL}process_ccd.py::test_a_setting_of_the_necam_tutorial",
        "includeThresholdMultiplier 10": f"{_TUTORIAL}semantics.py::test_numbers_of_the_settings",
        "deblend off by setDefaults": f"{_CHARACTERIZE}blends_can_be_divided_before_stars_are_chosen",
        "CircularApertureFlux": f"{_CHARACTERIZE}fluxes_are_those_of_the_stars_in_the_reference_aperture",
        "objectSize selector": f"{_CHARACTERIZE}galaxies_are_not_taken_for_stars",
        "candidates reserved": f"{_CHARACTERIZE}reserved_stars_are_no_part_of_the_fit",
        "apCorr + extendedness": f"{_CHARACTERIZE}fluxes_are_those_of_the_stars_in_the_reference_aperture",
        "coords NaN: WCS not fitted yet": "(ours has coordinates where the camera model gives a WCS, as users asked)",
        "icExp if doWriteExposure": f"{_TUTORIAL}process_ccd.py::test_what_the_run_leaves_behind",
        "HSC: nCrPixelMax 1e6, cond3_fac2 .4, reserve .2": _HSC,
        "source flux PsfFlux fluxMin 4000": (
            "(stars are chosen by signal-to-noise ratio: a flux means little for another camera)"
        ),
        "apertures 3…70 px, maxSincRadius 12, Kron": _HSC,
        "HSM, convolved": (
            "(fluxes of convolved images and HSM shapes are not measured; their names in old catalogs are read)"
        ),
        "ps1_pv3_3pi_20170110": "(the reference catalog of the repository is taken, whatever its name)",
        "extendedness ratio .95": _HSC,
    },
    "6.3": {
        "→ deblend → sky sources": f"{_CALIBRATE}every_star_is_found_and_placed_on_the_sky",
        "sky sources (100)": "(places of empty sky are not measured: the noise of the sky is, on squares of the image)",
        "copy calib_psf_* by match": f"{_CALIBRATE}flags_of_psf_stars_are_carried_over",
        "astrometry (match + TAN-SIP fit": f"{_CALIBRATE}a_wrong_wcs_is_fixed",
        "clip, 20 it., slot_CalibFlux": f"{_CALIBRATE}the_zero_point_is_that_of_the_reference_catalog",
        "colour terms if enabled": f"{_CALIBRATE}color_terms_shift_the_zero_point",
        "setPrimaryFlags": "tests/tasks/test_measure.py::",
        "exceptions abort, else warn and go on": (
            f"{_CALIBRATE}without_a_reference_catalog_astrometry_fails_or_is_left_out"
        ),
        "MAGZERO (= zp": f"{_CALIBRATE}the_zero_point_is_that_of_the_reference_catalog",
        "COLORTERM1..3 = 0.0": f"{_TUTORIAL}process_ccd.py::test_what_the_run_leaves_behind",
        "srcMatchFull if doWriteMatchesDenormalized": f"{_TUTORIAL}process_ccd.py::test_what_the_run_leaves_behind",
        "maxOffsetPix 250": _HSC,
        "wcs order 3 numRejIter 3": _HSC,
        "colorterms tables (hsc*, sdss*, ps1*)": (
            "tests/plugins/hsc/test_hsc_plugin.py::test_color_terms_are_the_published_ones"
        ),
        "mag limit i<22": "(all stars take part, weighted by their errors and checked for outliers)",
        "deblend maxFootprintArea 10000": "(blends are worked on some at a time, so that no size is too large)",
    },
    "6.4": {
        "U16 fpC → float, subtract 1000": f"{_SDSS}fpc.py::test_soft_bias_is_1000_where_the_header_is_silent",
        "INTERP→INTRP, SATUR→SAT, CR→CR": f"{_SDSS}isr.py::test_mask_has_the_three_planes",
        "WCS from asTrans": f"{_SDSS}astrans.py::test_real_wcs_gives_the_coordinates_of_the_stack",
        "photoCalib from tsField": f"{_SDSS}isr.py::test_real_frame",
        "variance = image/gain": f"{_SDSS}isr.py::test_variance_is_the_shot_noise_and_never_less_than_without_light",
        "remove upper 128 rows": f"{_SDSS}isr.py::test_overlap_is_dropped",
        "PSF from psField KL": f"{_SDSS}isr.py::test_real_frame",
        "doMeasurePsf F, no CR/interp repair": f"{_TUTORIAL}semantics.py::test_numbers_of_the_settings",
        "forceKnownWcs": f"{_CALIBRATE}a_known_wcs_is_kept_when_asked_for",
    },
    "6.5": {
        "`constructX.py ROOT --rerun R --id": "tests/cli/test_lsst_command.py::test_lines",
        "ISR with later stages off": (
            "tests/tasks/test_calibration_recipes.py::test_every_recipe_leaves_out_its_own_step_and_filling"
        ),
        "MEANCLIP clip 3 nIter 3": "(values of a pixel are rejected one at a time until all agree)",
        "NaN → median": "tests/tasks/test_combine_calibs.py::test_places_without_value_get_the_median_and_are_masked",
        "CALIB_CREATION_DATE/TIME": f"{_BUILD}bias",
        "outputId.calibDate = mean": f"{_BUILD}dates_keys_and_what_is_there",
        "needs same number of exposures": "(each detector is combined from the frames that it has, and few are told)",
        "camera mosaic binned 64": "(obs display draws the mosaic of a calibration)",
        "then be ingested with ingestCalibs": f"{_BUILD}dates_keys_and_what_is_there",
        "singleFrameDriver = processCcd": "tests/cli/test_lsst_command.py::test_lines",
        "visitAnalysis etc. not in scope": "(not in scope, as the sentence says; obs report judges a night)",
    },
    "6.6": {
        "doCalibrate=False gain=2 doVariance=True": (
            f"{_TUTORIAL}lines_of_one_image.py::test_the_line_of_the_tutorial"
        ),
        "doVariance, doMask, gain, noise, saturation, low": (
            "tests/test_single_image.py::test_saturated_and_low_pixels_are_masked"
        ),
        "isBackgroundSubtracted": "tests/test_single_image.py::test_a_sky_that_was_subtracted_keeps_its_noise",
        "Any single FITS; file name = id": "tests/test_single_image.py::test_outputs_are_named_after_the_image",
    },
    "6.7": {
        "HDU0 header only": "tests/repo/test_fits_exposure.py::test_reads_lsst_files",
        "tile-compressed by default": f"{_CHAIN}a_chain_of_reruns_is_one_repository",
        "ARCHIVE_INDEX + archive data HDUs": "tests/compat/test_attached_objects.py::",
        "further planes added dynamically": "tests/image/test_mask.py::test_bits_are_by_name_whatever_their_numbers",
        "alternate WCS 'A' for xy0, LTV1/2": f"{_CHAIN}a_patch_counts_pixels_in_its_tract",
        "Older files: FLUXMAG0": "tests/compat/test_tutorial_text.py::test_metadata",
        "id K = (expId<<26)+n": f"{_SDSS}exposure_id.py::test_stack_ids_are_the_number_and_a_counter",
        "ALIASn slot_*": "tests/compat/test_names.py::test_names_of_three_generations",
        "footprints in extra HDUs via AR_HDU": "tests/compat/test_attached_objects.py::",
        "mid era `_flux`/`_fluxSigma`": "tests/compat/test_names.py::test_names_of_three_generations",
        "packed: 3-column index": f"{_CALIBRATE}matches_are_pairs_of_the_same_star",
        "(was Boost XML)": f"{_CHAIN}metadata_of_before_2019_are_found_and_not_read",
        "packages pickle": "(packages are written as text: nothing is unpickled)",
    },
}
