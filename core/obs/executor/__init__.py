"""One function over many data IDs: in this process, in several, on a cluster, or wherever a plugin runs it."""
