"""What cameras of the stack rest on."""
