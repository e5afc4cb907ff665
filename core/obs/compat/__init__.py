"""Names that users of other systems know, over the classes of `obs`."""
