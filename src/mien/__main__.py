"""`python -m mien`: the command line, also where its folder is not on the PATH."""

from mien.cli import run

if __name__ == "__main__":
    run()
