"""Names of the HSC pipeline that stood beside the stack's."""
