"""What is said in deploy/k8s, rendered as it would be applied, and held against the code."""
