"""What `tuntas ops` does for the operators of an installation: the local stack's, or a cluster's that settings name."""
