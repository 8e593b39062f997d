"""Reading dose reports: from the bytes of a data set to what a dose registry asks for, whoever wrote them."""
