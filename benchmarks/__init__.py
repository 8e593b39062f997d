"""Speed, measured beside named peers on the same work in the same run; never a test."""
