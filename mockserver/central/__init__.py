"""The DIR Central Server: takes anonymised reports and makes the registry's indices of them (S1; facts D1.2, D1.19 to D1.26)."""
