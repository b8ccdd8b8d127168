"""What intake knows without a framework, a database or a clock: receipts, masking, ageing, status."""
