"""Long lists of options in groups, for the help and for the guide."""

import click

__all__ = ["group_options"]

_SHORT = 12
"""Up to so many options stay one list."""

_OTHER = "Options"
#: Heading: options that go below it. Others keep the heading "Options".
_GROUPS = {
    "Selection": (
        *("ids", "id", "select_ids", "select_id", "select", "bad_id", "bad_file", "shard", "camera", "calib", "tract"),
        *("filter_names", "filter_name", "night", "name", "table"),
    ),
    "Output": (
        *("output", "rerun", "clobber", "clobber_output", "clobber_config", "no_backup_config", "skip_existing"),
        *("reuse_outputs_from", "report", "format", "ending", "plot", "dry_run", "regions"),
    ),
    "Settings": ("config", "configfile", "show", "allow_missing"),
    "Processes": ("processes", "threads", "timeout", "executor", "scheduler", "cluster", "site"),
    "Messages and errors": (
        "log_level",
        "loglevel",
        "trace",
        "debug",
        "longlog",
        "logdest",
        "doraise",
        "profile",
        "help",
    ),
    "Versions": ("clobber_versions", "no_versions"),
}


def group_options(command: click.Command, context: click.Context) -> dict[str, list[click.Option]]:
    """Return the options of a command by heading, in the order in which they are declared.

    Parameters
    ----------
    command : click.Command
        A command; short lists of options stay together.
    context : click.Context
        Its context, which adds the option for help.
    """
    options = [
        option for option in command.get_params(context) if isinstance(option, click.Option) and not option.hidden
    ]
    if len(options) <= _SHORT:
        return {_OTHER: options} if options else {}
    heading = {name: title for title, names in _GROUPS.items() for name in names}
    if "executor" not in {option.name for option in options}:  # obs new asks for the site of an observatory
        del heading["site"]
    groups: dict[str, list[click.Option]] = {title: [] for title in (_OTHER, *_GROUPS)}
    for option in options:
        help_itself = "--help" in option.opts
        groups["Messages and errors" if help_itself else heading.get(option.name or "", _OTHER)].append(option)
    return {title: found for title, found in groups.items() if found}
