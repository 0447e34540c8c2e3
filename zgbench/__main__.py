"""``python -m zgbench``."""

from zgbench.cli import command

if __name__ == "__main__":
    command()
