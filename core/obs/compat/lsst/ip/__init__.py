"""Tasks on images, of which none is here by its name of the stack."""
