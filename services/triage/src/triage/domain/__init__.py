"""What triage decides, in pure Python."""
