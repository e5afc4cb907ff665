"""Quality metrics: what each means, how it is measured, what is good, and what a frame with bad ones suffers from."""
