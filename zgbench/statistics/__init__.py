"""Bootstrap, sign-flip test, agreement (α, κ), intervals: numbers in, numbers out, nothing of segmentation."""
