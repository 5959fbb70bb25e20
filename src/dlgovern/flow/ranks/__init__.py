"""What every rank of a distributed program does: each function interpreted once a class of ranks, the traces compared."""
