"""Kubernetes: the manifests that follow from the topology and the register, and the commands around `deploy/k8s`."""
